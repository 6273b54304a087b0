package dicom

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// PersonName is a value of VR PN: up to three component groups of five
// components (PS3.5 6.2.1). It prints as its shape; Reveal gives the name.
type PersonName struct{ groups *[3]NameGroup }

// NameGroup is one component group of a person name. It prints as its shape.
type NameGroup struct{ parts *nameParts }

// nameParts stands behind a pointer of its own, as the value of an element does.
type nameParts struct{ list *[5]string }

// NewPersonName joins component groups; trailing ones may be empty.
func NewPersonName(alphabetic, ideographic, phonetic NameGroup) PersonName {
	return PersonName{&[3]NameGroup{alphabetic, ideographic, phonetic}}
}

// NewNameGroup makes a component group of family name complex, given name
// complex, middle name, name prefix and name suffix; fewer are allowed, more
// are left out.
func NewNameGroup(components ...string) NameGroup {
	parts := new([5]string)
	copy(parts[:], components)
	return NameGroup{&nameParts{parts}}
}

// ParsePersonName reads a value of VR PN in UTF-8. Components beyond the
// fifth are joined to the fifth, groups beyond the third are left out.
func ParsePersonName(s string) PersonName {
	var n [3]NameGroup
	for i, group := range strings.SplitN(s, "=", 4) {
		if i == 3 {
			break
		}
		parts := strings.SplitN(strings.TrimRight(group, " "), "^", 5)
		for j := range parts {
			parts[j] = strings.Trim(parts[j], " ")
		}
		n[i] = NewNameGroup(parts...)
	}
	return PersonName{&n}
}

// PersonName is the first value of a PN element.
func (ds *DataSet) PersonName(t Tag) PersonName { return ParsePersonName(ds.Text(t)) }

func (n PersonName) group(i int) NameGroup {
	if n.groups == nil {
		return NameGroup{}
	}
	return n.groups[i]
}

// Alphabetic is the first component group, in single-byte characters.
func (n PersonName) Alphabetic() NameGroup { return n.group(0) }

// Ideographic is the second component group.
func (n PersonName) Ideographic() NameGroup { return n.group(1) }

// Phonetic is the third component group.
func (n PersonName) Phonetic() NameGroup { return n.group(2) }

// Empty reports a name without any component.
func (n PersonName) Empty() bool { return n.Reveal() == "" }

// Reveal is the name as a PN value, without empty groups and components at
// the end. It is patient data.
func (n PersonName) Reveal() string {
	return strings.TrimRight(n.group(0).Reveal()+"="+n.group(1).Reveal()+"="+n.group(2).Reveal(), "=")
}

// Equal compares names component by component.
func (n PersonName) Equal(o PersonName) bool { return n.Reveal() == o.Reveal() }

func (g NameGroup) part(i int) string {
	if g.parts == nil {
		return ""
	}
	return g.parts.list[i]
}

// FamilyName is the family name complex.
func (g NameGroup) FamilyName() string { return g.part(0) }

// GivenName is the given name complex.
func (g NameGroup) GivenName() string { return g.part(1) }

// MiddleName is the middle name.
func (g NameGroup) MiddleName() string { return g.part(2) }

// Prefix is the name prefix.
func (g NameGroup) Prefix() string { return g.part(3) }

// Suffix is the name suffix.
func (g NameGroup) Suffix() string { return g.part(4) }

// Reveal is the components joined by carets, without empty ones at the end.
// It is patient data.
func (g NameGroup) Reveal() string {
	if g.parts == nil {
		return ""
	}
	return strings.TrimRight(strings.Join(g.parts.list[:], "^"), "^")
}

// String is the shape: "person name of 2 groups".
func (n PersonName) String() string {
	count := 0
	for i := range 3 {
		if n.group(i).Reveal() != "" {
			count = i + 1
		}
	}
	return fmt.Sprintf("person name of %d groups", count)
}

// Format prints the shape under every verb.
func (n PersonName) Format(s fmt.State, _ rune) { io.WriteString(s, n.String()) }

// LogValue is the shape.
func (n PersonName) LogValue() slog.Value { return slog.StringValue(n.String()) }

// MarshalJSON is the shape as a JSON string.
func (n PersonName) MarshalJSON() ([]byte, error) { return json.Marshal(n.String()) }

// String is the shape: "name group of 3 components".
func (g NameGroup) String() string {
	count := 0
	if r := g.Reveal(); r != "" {
		count = strings.Count(r, "^") + 1
	}
	return fmt.Sprintf("name group of %d components", count)
}

// Format prints the shape under every verb.
func (g NameGroup) Format(s fmt.State, _ rune) { io.WriteString(s, g.String()) }

// LogValue is the shape.
func (g NameGroup) LogValue() slog.Value { return slog.StringValue(g.String()) }

// MarshalJSON is the shape as a JSON string.
func (g NameGroup) MarshalJSON() ([]byte, error) { return json.Marshal(g.String()) }
