package gate

import (
	"cmp"
	"errors"
	"fmt"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/gate/messages"
	"collimator/internal/gate/outbound"
)

// Kinds of routes, by the key that says of which one a route is.
const (
	kindProtect  = "protect"
	kindOutbound = "outbound"
	kindMessages = "messages"
)

// block is what a route says that is of one kind alone; nil of one to a system behind, which
// is of this package.
func (r *Route) block() kind.Block {
	switch {
	case r.Outbound != nil:
		return r.Outbound
	case r.Messages != nil:
		return r.Messages
	}
	return nil
}

// Kind is the key that says of what kind a route is.
func (r *Route) Kind() string {
	switch {
	case r.Outbound != nil:
		return kindOutbound
	case r.Messages != nil:
		return kindMessages
	}
	return kindProtect
}

// kinds are the keys by which a route says of what kind it is; there should be one.
func (r *Route) kinds() (list []string) {
	for _, k := range []struct {
		key string
		set bool
	}{{kindProtect, r.Protect != ""}, {kindOutbound, r.Outbound != nil}, {kindMessages, r.Messages != nil}} {
		if k.set {
			list = append(list, k.key)
		}
	}
	return list
}

// checkKind fails where a route is of no kind or of two, or has a field of another kind.
func (r *Route) checkKind() error {
	kinds := r.kinds()
	switch {
	case len(kinds) == 0:
		return errors.New("protect, outbound or messages is missing: protect is the system behind the route, " +
			"such as OLDPACS@10.0.0.5:104, outbound a modality that sends elsewhere, and messages are those of HL7 v2")
	case len(kinds) > 1:
		return fmt.Errorf("%s and %s cannot stand in one route: make two", kinds[0], kinds[1])
	case r.Protect != "":
		return nil
	}

	for _, f := range []struct {
		key string
		set bool
	}{
		{"as", r.As != ""},
		{"associations", r.Associations != 0},
		{"waiting", r.Waiting != 0},
		{"wait", r.Wait != 0},
		{"find_matches", r.FindMatches != 0},
		{"object_mib", r.ObjectMiB != 0},
		{"patches", len(r.Patches) > 0},
		{"dicomweb", r.DICOMweb},
		{"dicomweb_as", r.DICOMwebAs != ""},
		{"learn_until", !r.LearnUntil.IsZero()},
		{"rules", len(r.Rules) > 0},
	} {
		if f.set {
			return fmt.Errorf("%s stands beside protect alone; what a route with %s may do stands inside of %s", f.key, r.Kind(), r.Kind())
		}
	}
	return nil
}

// Ruled fails for a route whose kind has no rules: nothing can be learned there.
func (r *Route) Ruled() error {
	if r.block() == nil {
		return nil
	}
	return fault.Newf(fault.Invalid, "gate: %s is a route with %s, which has no rules to learn or to enforce: "+
		"what may be done stands in its block in %s", r.Name, r.Kind(), File)
}

// takesAs is the route that takes the same as another one; empty where none does.
func takesAs(routes []Route, r Route) string {
	b := r.block()
	if b == nil || b.Takes() == "" {
		return ""
	}
	for _, other := range routes {
		if o := other.block(); o != nil && o.Takes() == b.Takes() {
			return other.Name
		}
	}
	return ""
}

// Leads is where a route leads to.
func (r *Route) Leads() string {
	if b := r.block(); b != nil {
		return b.Leads()
	}
	return r.Protect
}

// CallsAs says under which AE title that is called.
func (r *Route) CallsAs() string {
	if b := r.block(); b != nil {
		return b.CallsAs()
	}
	return cmp.Or(r.As, "the caller")
}

// Steps are what to change elsewhere before a route works. callers are the AE titles that
// a system behind it sees.
func (r *Route) Steps(p kind.Place, callers []string) []kind.Step {
	if b := r.block(); b != nil {
		return b.Steps(p)
	}
	return r.AtSystem(p, callers)
}

// hand gives each kind its routes, as they are now. What is closed or gone ends at once.
func (g *Gate) hand(routes []Route) {
	var out []outbound.Route
	var in []messages.Route
	for _, r := range routes {
		if r.Messages != nil {
			in = append(in, messages.Route{Block: *r.Messages, Name: r.Name, Closed: r.Closed})
		}
		if r.Outbound != nil {
			out = append(out, outbound.Route{Block: *r.Outbound, Name: r.Name, Closed: r.Closed})
		}
	}
	if g.Outbound != nil {
		g.Outbound.Take(out)
	}
	if g.Messages != nil {
		g.Messages.Take(in)
	}
}
