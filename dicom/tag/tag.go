// Package tag names the data elements of PS3.6 and answers what the
// dictionary knows of them. It holds no values and reads no files.
package tag

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Tag is a data element tag, the group number in the upper and the element
// number in the lower 16 bits (PS3.5 7.1). Its order is the order of a data set.
type Tag uint32

// New joins a group and an element number.
func New(group, element uint16) Tag { return Tag(group)<<16 | Tag(element) }

// Group is the group number.
func (t Tag) Group() uint16 { return uint16(t >> 16) }

// Element is the element number.
func (t Tag) Element() uint16 { return uint16(t) }

// Private reports an odd group (PS3.5 7.8).
func (t Tag) Private() bool { return t.Group()&1 == 1 }

// PrivateCreator reports whether t reserves a block: (gggg,0010-00FF) of an
// odd group (PS3.5 7.8.1).
func (t Tag) PrivateCreator() bool {
	return t.Private() && t.Element() >= 0x10 && t.Element() <= 0xFF
}

// Creator is the tag of the private creator that reserves t's block; zero
// where t is not a private element of a block.
func (t Tag) Creator() Tag {
	if !t.Private() || t.Element() < 0x1000 {
		return 0
	}
	return New(t.Group(), t.Element()>>8)
}

// GroupLength reports (gggg,0000).
func (t Tag) GroupLength() bool { return t.Element() == 0 }

// String is the form of the standard: (0008,0018).
func (t Tag) String() string { return fmt.Sprintf("(%04X,%04X)", t.Group(), t.Element()) }

// Hex is the eight digits of the DICOM JSON model: 00080018 (PS3.18 F.2.2).
func (t Tag) Hex() string { return fmt.Sprintf("%08X", uint32(t)) }

// Keyword is the dictionary's keyword, or the eight hex digits of an element
// that is not in it.
func (t Tag) Keyword() string {
	if e, ok := Lookup(t); ok && e.Keyword != "" {
		return e.Keyword
	}
	return t.Hex()
}

// Entry is a row of the data dictionary.
type Entry struct {
	Tag     Tag
	Keyword string // empty for a few retired elements
	Name    string
	VR      string // choices joined by a stroke: "US|SS"; empty for items and delimiters
	VM      string // "1", "1-n", "2-2n"
	Retired bool
}

// Lookup finds the entry of a tag, repeating groups included. Private tags
// have none.
func Lookup(t Tag) (Entry, bool) {
	i := sort.Search(len(entries), func(i int) bool { return entries[i].Tag >= t })
	if i < len(entries) && entries[i].Tag == t {
		return entries[i], true
	}
	if t.Private() {
		return Entry{}, false
	}

	for i := range repeating {
		if r := &repeating[i]; t&r.mask == r.Tag {
			e := r.Entry
			e.Tag = t
			return e, true
		}
	}
	return Entry{}, false
}

// Parse reads a tag as people write it: a keyword (PatientName), eight hex
// digits (00100010), or the form (0010,0010).
func Parse(s string) (Tag, error) {
	hex := strings.NewReplacer("(", "", ")", "", ",", "").Replace(s)
	if len(hex) == 8 {
		if v, err := strconv.ParseUint(hex, 16, 32); err == nil {
			return Tag(v), nil
		}
	}
	if e, ok := ByKeyword(s); ok {
		return e.Tag, nil
	}
	return 0, fmt.Errorf("tag: no such data element; want a keyword of PS3.6 or eight hex digits")
}
