package gate

import (
	"cmp"
	"errors"
	"fmt"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/gate/messages"
	"collimator/internal/gate/outbound"
	"collimator/internal/gate/reverse"
)

// Kinds of routes, by the key that says of which one a route is.
const (
	kindProtect  = "protect"
	kindOutbound = "outbound"
	kindMessages = "messages"
)

// ofKind is a kind that a route says it is of; block is nil of one to a system behind, which
// is of this package.
type ofKind struct {
	key   string
	block kind.Block
}

// kinds are those that a route says it is of; there should be one.
func (r *Route) kinds() (list []ofKind) {
	if r.Protect != "" {
		list = append(list, ofKind{key: kindProtect})
	}
	if r.Outbound != nil {
		list = append(list, ofKind{kindOutbound, r.Outbound})
	}
	if r.Messages != nil {
		list = append(list, ofKind{kindMessages, r.Messages})
	}
	return list
}

// kind is the one that counts.
func (r *Route) kind() ofKind {
	for _, k := range r.kinds() {
		if k.block != nil {
			return k
		}
	}
	return ofKind{key: kindProtect}
}

// block is what a route says that is of one kind alone; nil of one to a system behind.
func (r *Route) block() kind.Block { return r.kind().block }

// Kind is the key that says of what kind a route is.
func (r *Route) Kind() string { return r.kind().key }

// checkKind fails where a route is of no kind or of two, or has a field of another kind.
func (r *Route) checkKind() error {
	kinds := r.kinds()
	switch {
	case len(kinds) == 0:
		return errors.New("protect, outbound or messages is missing: protect is the system behind the route, " +
			"such as OLDPACS@10.0.0.5:104, outbound a modality that sends elsewhere, and messages are those of HL7 v2")
	case len(kinds) > 1:
		return fmt.Errorf("%s and %s cannot stand in one route: make two", kinds[0].key, kinds[1].key)
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
		{"web", r.Web != nil},
		{"learn_until", !r.LearnUntil.IsZero()},
		{"rules", len(r.Rules) > 0},
	} {
		if f.set {
			return fmt.Errorf("%s stands beside protect alone; what a route with %s may do stands inside of %s", f.key, r.Kind(), r.Kind())
		}
	}
	return nil
}

// HasRules reports a route that is judged by rules of its own: what one of another kind lets
// through stands in its block.
func (r *Route) HasRules() bool { return r.block() == nil }

// Ruled fails for a route whose kind has no rules: nothing can be learned there.
func (r *Route) Ruled() error {
	if r.HasRules() {
		return nil
	}
	return fault.Newf(fault.Invalid, "gate: %s is a route with %s, which has no rules to learn or to enforce: "+
		"what may be done stands in its block in %s", r.Name, r.Kind(), File)
}

// takesAs is the route that takes the same as another one; empty where none does.
func takesAs(routes []Route, r Route) string {
	if r.takes() == "" {
		return ""
	}
	for _, other := range routes {
		if other.takes() == r.takes() {
			return other.Name
		}
	}
	return ""
}

// takes says by what it is known that something is for a route, besides its name.
func (r *Route) takes() string {
	switch b := r.block(); {
	case b != nil:
		return b.Takes()
	case r.Web != nil:
		return r.Web.Takes()
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

// Behind is the address, host:port, of the system that stands behind a route: of one that sends
// elsewhere the sender's, with port 0 where it is called at none. The route was checked.
func (r *Route) Behind() string {
	if b := r.block(); b != nil {
		return b.Behind()
	}
	_, address, _ := r.Target()
	return address
}

// Guards are the addresses, host:port, to which nothing gets but by the rules of a route. It was
// checked.
func (r *Route) Guards() []string {
	if b := r.block(); b != nil {
		return b.Guards()
	}
	list := []string{r.Behind()}
	if r.Web != nil {
		list = append(list, r.Web.Guards()...)
	}
	return list
}

// AtServer reports a route whose callers come to the listeners of the server.
func (r *Route) AtServer() bool {
	b := r.block()
	return b == nil || b.Listens() == ""
}

// Listeners are the addresses of listeners of the route's own.
func (r *Route) Listeners() []string {
	if b := r.block(); b != nil && b.Listens() != "" {
		return []string{b.Listens()}
	}
	if r.Web != nil {
		return []string{r.Web.Listens()}
	}
	return nil
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
	var pages []reverse.Route
	for _, r := range routes {
		if r.Web != nil {
			pages = append(pages, reverse.Route{Block: *r.Web, Name: r.Name, Closed: r.Closed, Patches: r.Patches})
		}
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
	if g.Pages != nil {
		g.Pages.Take(pages)
	}
}
