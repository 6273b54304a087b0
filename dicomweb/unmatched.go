package dicomweb

import (
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// unmatched finds keys that asked for a value and took no part in the matching:
// a backend answers a key that it does not support at a level without a value
// (PS3.4 C.2.2.1.3), which no match by that key could have.
type unmatched struct {
	asked []dicom.Tag
	found map[dicom.Tag]bool
}

func newUnmatched(keys *dicom.DataSet) *unmatched {
	u := &unmatched{found: map[dicom.Tag]bool{}}
	for el := range keys.All() {
		if el.Tag != tag.SpecificCharacterSet && asksForValue(el) {
			u.asked = append(u.asked, el.Tag)
		}
	}
	return u
}

// asksForValue reports a key with a value that is not universal (PS3.4
// C.2.2.2.3).
func asksForValue(el dicom.Element) bool {
	if !el.Sequence() {
		return !el.Empty() && (!el.VR.Text() || strings.Trim(strings.Join(el.Texts(), ""), "* ") != "")
	}
	for _, item := range el.Items() {
		for inner := range item.All() {
			if asksForValue(inner) {
				return true
			}
		}
	}
	return false
}

// look goes over one match.
func (u *unmatched) look(ds *dicom.DataSet) {
	for _, t := range u.asked {
		if el, ok := ds.Get(t); !ok || el.Empty() {
			u.found[t] = true
		}
	}
}

// warning names the keys, in the order of their tags; empty where all were
// matched.
func (u *unmatched) warning() string {
	var names []string
	for _, t := range u.asked {
		if u.found[t] {
			names = append(names, attribute(t))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return `299 dicomweb "The following keys are not matched at this level: ` + strings.Join(names, ", ") + `"`
}
