package deid

import (
	"fmt"
	"strings"
)

// Flag is something about an object that no rule for attributes can settle.
type Flag string

const (
	BurnedIn           Flag = "burned-in annotation"             // the object says so itself
	BurnedInLikely     Flag = "burned-in annotation likely"      // of a kind that usually has it, and it does not deny it
	VisualFeatures     Flag = "recognizable visual features"     // the object says so itself
	VisualFeaturesHead Flag = "head or face may be recognized"   // and the object does not deny it
	Document           Flag = "encapsulated document"            // its text was not looked at
	OverlayInPixels    Flag = "overlay in unused bits of pixels" // it stays in the pixels
)

// Report is what was done to a data set, in counts of elements. It holds no
// values.
type Report struct {
	Removed  int    `json:"removed"`
	Emptied  int    `json:"emptied"`
	Replaced int    `json:"replaced"` // with dummy values and pseudonyms
	Cleaned  int    `json:"cleaned"`  // text and dates
	UIDs     int    `json:"uids"`     // elements with new UIDs
	Private  int    `json:"private"`  // private elements removed
	Flags    []Flag `json:"flags,omitempty"`
}

// RefusedError is an object that the profile does not let pass.
type RefusedError struct{ Flags []Flag }

// Error names the flags and what to do.
func (e *RefusedError) Error() string {
	words := make([]string, len(e.Flags))
	for i, f := range e.Flags {
		words[i] = string(f)
	}
	return fmt.Sprintf("deid: refused, %s: look at the object, then leave it out or allow it", strings.Join(words, ", "))
}
