// Package patch has what a gate refuses in place of an update that the system behind it
// does not get: for each weakness that was published the condition that it needs, and what
// a caller who keeps to the standard loses by it. It is pure judgement.
package patch

import (
	"fmt"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/internal/advisory"
)

// Default is whether a patch is in force where a route says nothing.
type Default string

// The defaults.
const (
	Always Default = "always" // the gate is built so; it cannot be turned off
	On     Default = "on"     // no caller who keeps to the standard sends it
	Off    Default = "off"    // somebody may need it: Costs says who
)

// Patch is one row of the table: a weakness that is kept away from the system behind a
// gate.
type Patch struct {
	Name    string
	Default Default
	// Keeps says what harms the system behind, and Does what becomes of it at the gate.
	Keeps, Does string
	// Costs says what is lost where a patch is turned on that is off by default.
	Costs string
	// Advisories and CVEs are those it stands for; none where a flaw was published
	// without either.
	Advisories, CVEs []string

	affects []advisory.Rule
	check   check
}

// check is what a patch refuses; what it leaves out it lets through.
type check struct {
	// syntax refuses a transfer syntax.
	syntax func(uid string) bool
	// object says what is wrong with all that stands in front of the pixel data; empty:
	// nothing.
	object func(head *dicom.DataSet) string
	// value says what is wrong with a value behind the pixel data, of which it has the beginning.
	value func(el dicom.Element) string
	// fragments looks at those of one compressed value.
	fragments func() stream
	// web says what is wrong with a request to a page of the system behind.
	web func(r WebRequest) string
	// body gives what says of each piece of a body what is wrong; nil where nothing can be.
	body func(r WebRequest) func(piece []byte) string
	// key says what is wrong with a key of a query.
	key func(el dicom.Element) string
}

// Answer says whether a product is named as one that has the weakness.
func (p *Patch) Answer(id advisory.Identity) advisory.Answer {
	if len(p.affects) == 0 {
		return advisory.NotListed
	}
	return advisory.NewTable([]advisory.Advisory{{ID: p.Name, Rules: p.affects}}).Match(id).Answer
}

// For names what a patch stands for, in words: its CVEs, else its advisories.
func (p *Patch) For() string {
	if len(p.CVEs) > 0 {
		return strings.Join(p.CVEs, ", ")
	}
	return strings.Join(p.Advisories, ", ")
}

// All is the table: what is always so, what is on, what is off.
func All() []Patch { return slices.Concat(always(), byDefault(), webByDefault(), onRequest()) }

// Named is the patch of a name.
func Named(name string) (Patch, bool) {
	list := All()
	i := slices.IndexFunc(list, func(p Patch) bool { return p.Name == name })
	if i < 0 {
		return Patch{}, false
	}
	return list[i], true
}

// Set is the patches that are in force at a route. The zero value has none. It does not
// change and is safe for concurrent use.
type Set struct{ patches []Patch }

// Of is the patches in force where a route says of some by name whether they are. A name
// that is none, or that of a patch which cannot be turned off, is an error.
func Of(said map[string]bool) (*Set, error) {
	for name := range said {
		p, ok := Named(name)
		if !ok {
			return nil, fmt.Errorf("%q is no patch; 'collimator gate patches list' lists them", name)
		}
		if p.Default == Always && !said[name] {
			return nil, fmt.Errorf("%q cannot be turned off: the gate is built so", name)
		}
	}

	s := &Set{}
	for _, p := range All() {
		on, named := said[p.Name]
		if p.Default == On && !named || on {
			s.patches = append(s.patches, p)
		}
	}
	return s, nil
}

// Refusal is that a patch refuses something. It holds no value.
type Refusal struct {
	Patch string
	For   string
	Why   string
}

// Error names the patch, what it stands for, and what is wrong.
func (r *Refusal) Error() string {
	if r.For == "" {
		return fmt.Sprintf("patch %s: %s", r.Patch, r.Why)
	}
	return fmt.Sprintf("patch %s (%s): %s", r.Patch, r.For, r.Why)
}

func (p *Patch) refusal(why string) *Refusal { return &Refusal{Patch: p.Name, For: p.For(), Why: why} }

// refuse is the refusal of the first patch that finds something wrong; nil where none does.
func (s *Set) refuse(find func(check) string) *Refusal {
	if s == nil {
		return nil
	}
	for i := range s.patches {
		if why := find(s.patches[i].check); why != "" {
			return s.patches[i].refusal(why)
		}
	}
	return nil
}

// Syntax refuses a transfer syntax in which objects would go to the system behind.
func (s *Set) Syntax(uid string) *Refusal {
	return s.refuse(func(c check) string {
		if c.syntax != nil && c.syntax(uid) {
			return "the transfer syntax is kept away"
		}
		return ""
	})
}

// Object refuses an object for what stands in front of its pixel data.
func (s *Set) Object(head *dicom.DataSet) *Refusal {
	if s == nil {
		return nil
	}
	refusal := s.refuse(func(c check) string {
		if c.object == nil {
			return ""
		}
		return c.object(head)
	})
	if refusal != nil {
		return refusal
	}
	return s.nested(head)
}

// Value refuses an object for the beginning of a value that comes with its pixel data, or behind
// them.
func (s *Set) Value(el dicom.Element) *Refusal {
	return s.refuse(func(c check) string {
		if c.value == nil {
			return ""
		}
		return c.value(el)
	})
}

// Keys refuses a query for one of its keys, at whatever level.
func (s *Set) Keys(identifier *dicom.DataSet) *Refusal {
	return s.refuse(func(c check) string {
		if c.key == nil {
			return ""
		}
		for v := range identifier.Walk() {
			if why := c.key(v.Element); why != "" {
				return why
			}
		}
		return ""
	})
}
