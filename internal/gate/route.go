package gate

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/fault"
	"collimator/internal/patch"
	"collimator/internal/policy"
	"collimator/internal/upstream"
)

// findMatches is the most matches of one C-FIND where a route says nothing.
const findMatches = 1000

// The longest object of a route that says nothing, and of one that says the most, in MiB.
const (
	objectMiB     = 4 << 10
	objectMiBMost = 64 << 10
)

// route is a Route in use.
type route struct {
	Route
	rules   *policy.Route
	patches *patch.Set
	pool    *upstream.Pool
	offers  *offers

	system, address string // AE title and host:port of what stands behind
	addresses       []netip.Addr
	lookedUp        time.Time // when addresses were found
}

// newRoute makes a route; it goes on with the associations of the one before where
// the system behind it is reached as before and nothing was closed. r was checked.
func (g *Gate) newRoute(r Route, before *route) *route {
	rules, err := r.policy()
	if err != nil {
		rules = &policy.Route{Name: r.Name} // grants nothing
	}

	r.FindMatches = cmp.Or(r.FindMatches, findMatches)
	r.ObjectMiB = cmp.Or(r.ObjectMiB, objectMiB)
	out := &route{Route: r, rules: rules}
	out.patches, _ = patch.Of(r.Patches)
	out.system, out.address, _ = r.Target()
	if before != nil && before.Protect == r.Protect {
		out.addresses = before.addresses
		out.lookedUp = before.lookedUp
	}
	if before != nil && before.Closed == r.Closed && before.reachedLike(out) {
		out.pool = before.pool
		out.offers = before.offers
		return out
	}

	out.pool = upstream.New(g.reach(out))
	out.offers = newOffers()
	return out
}

// reachedLike reports whether two routes reach the same system in the same way.
func (r *route) reachedLike(other *route) bool {
	return r.Protect == other.Protect && r.Associations == other.Associations && r.Waiting == other.Waiting && r.Wait == other.Wait
}

// reach is how the system behind a route is reached. What it sends on an association of
// the gate's own passes the guard like what comes on one of its own.
func (g *Gate) reach(r *route) upstream.PACS {
	return upstream.PACS{
		Address:      r.address,
		AETitle:      r.system,
		Associations: r.Associations,
		Waiting:      r.Waiting,
		Wait:         r.Wait,
		Mux:          g.Mux,
		Principal:    g.Outgoing(g.behind(r.Name, func(now *route) bool { return now.Protect == r.Protect }), host(r.address), r.system),
	}
}

// seenAs is the AE title of a caller as the system behind sees it.
func (r *route) seenAs(aeTitle string) string { return cmp.Or(r.As, aeTitle) }

// host is that of host:port.
func host(hostPort string) string {
	h, _, _ := net.SplitHostPort(hostPort)
	return h
}

// ask is what an association to the system behind is needed for: the contexts of the
// caller's own, as far as it may do anything with them and the gate understands them.
func (r *route) ask(now time.Time, rq *dimse.AssociateRequest, device policy.Principal) upstream.Ask {
	ask := upstream.Ask{Caller: device.Name, CallingAETitle: r.seenAs(rq.CallingAETitle)}
	classes := map[string]bool{}
	for _, pc := range rq.Contexts {
		pc, ok := understood(pc, r.rules, r.patches)
		if ok && r.rules.Could(now, device, pc.AbstractSyntax, verbsOf(pc.AbstractSyntax)...) {
			ask.Contexts = append(ask.Contexts, pc)
			classes[pc.AbstractSyntax] = true
		}
	}
	ask.Roles = each(rq.Roles, func(role ul.RoleSelection) (string, bool) { return role.SOPClassUID, classes[role.SOPClassUID] })
	ask.Extended = each(rq.Extended, func(x ul.ExtendedNegotiation) (string, bool) {
		return x.SOPClassUID, classes[x.SOPClassUID] && plainNegotiation(x)
	})
	return ask
}

// lease is an association to the system behind a route for a request on an
// association of a caller.
func (g *Gate) lease(ctx context.Context, a *dimse.Association, device policy.Principal) (*upstream.Lease, error) {
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return nil, err
	}
	lease, err := r.pool.Take(ctx, r.ask(g.Now(), a.Request(), device))
	g.tellSystem(r, err)
	if err != nil {
		return nil, err
	}
	if !answersLike(lease.Association, a) {
		lease.Return()
		r.offers.forget()
		return nil, errChanged
	}
	return lease, nil
}

// errChanged refuses a request on an association that was answered as the system behind no longer
// does: the caller has to ask for another.
var errChanged = fault.New(fault.Unavailable, "gate: the system behind the route takes something else now; open another association")

// answersLike reports whether an association to the system behind has every context that a
// caller was given, in the same transfer syntax.
func answersLike(back, front *dimse.Association) bool {
	have := map[uint8]dimse.PresentationContext{}
	for _, pc := range back.Contexts() {
		have[pc.ID] = pc
	}
	for _, pc := range front.Contexts() {
		own := have[pc.ID]
		if own.AbstractSyntax != pc.AbstractSyntax || own.TransferSyntax != pc.TransferSyntax {
			return false
		}
	}
	return true
}

// negotiate answers an association as the system behind the route would: it is asked, and what it
// said is remembered for a while.
func (g *Gate) negotiate(ctx context.Context, rq *dimse.AssociateRequest, device policy.Principal) (dimse.Acceptance, error) {
	r, err := g.at(rq.CalledAETitle)
	if err != nil {
		return dimse.Acceptance{}, err
	}

	ask := r.ask(g.Now(), rq, device)
	if len(ask.Contexts) == 0 {
		return dimse.Acceptance{Mux: g.Mux, Contexts: refused(rq.Contexts)}, nil
	}
	offer, err := r.offers.of(ctx, ask, r.pool)
	if err != nil {
		g.tellSystem(r, err)
		return dimse.Acceptance{}, err
	}

	acc := offer
	acc.Mux = g.Mux
	return acc, nil
}

// refused answers contexts of which a caller may do nothing with any.
func refused(contexts []ul.ProposedContext) (out []ul.AcceptedContext) {
	for _, pc := range contexts {
		out = append(out, ul.AcceptedContext{ID: pc.ID, Result: ul.AbstractSyntaxNotSupported})
	}
	return out
}
