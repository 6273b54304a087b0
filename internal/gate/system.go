package gate

import (
	"context"
	"slices"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/upstream"
)

// errStranger refuses somebody who is not the system behind the route, or is not any more.
var errStranger = fault.New(fault.Denied, "gate: the system behind the route has another AE title or address")

// Behind is the service for an association that the system behind a route asks for, by
// its AE title and its address: it delivers what somebody retrieves by C-MOVE, and
// reports storage commitment. nil where nobody behind a route asks.
func (g *Gate) Behind(rq *dimse.AssociateRequest) *guard.Service {
	name := g.sender(rq)
	if name == "" {
		return nil
	}

	address := guard.AddressOf(rq.RemoteAddr)
	return g.behind(name, func(r *route) bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return r.system == rq.CallingAETitle && slices.Contains(r.addresses, address)
	})
}

// sender is the route behind which somebody stands; empty for others. Of several to one
// system it is one that is open, the first by name.
func (g *Gate) sender(rq *dimse.AssociateRequest) string {
	address := guard.AddressOf(rq.RemoteAddr)
	var found *route
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.routes {
		if r.system != rq.CallingAETitle || !slices.Contains(r.addresses, address) {
			continue
		}
		if found == nil || found.Closed && !r.Closed || found.Closed == r.Closed && r.Name < found.Name {
			found = r
		}
	}
	if found == nil {
		return ""
	}
	return found.Name
}

// behind is the service for the system behind a route, as long as it is that one.
func (g *Gate) behind(name string, still func(*route) bool) *guard.Service {
	current := func() (*route, error) {
		r, err := g.at(name)
		if err == nil && !still(r) {
			err = errStranger
		}
		return r, err
	}

	s := guard.Behind(name, func() (string, *policy.Route, error) {
		r, err := current()
		if err != nil {
			return "", nil, err
		}
		return r.system, r.rules, nil
	})
	s.Expects = func(call *dimse.Call) bool {
		r, err := current()
		return err == nil && g.expects(r, call)
	}
	s.Negotiate = func(ctx context.Context, rq *dimse.AssociateRequest, _ policy.Principal) (dimse.Acceptance, error) {
		r, err := current()
		if err != nil {
			return dimse.Acceptance{}, err
		}
		return g.negotiateBehind(ctx, r, rq)
	}
	return s
}

// expects reports whether somebody who may asked the system behind a route for what
// it sends: an instance of a retrieval to that destination, a report of a commitment.
func (g *Gate) expects(r *route, call *dimse.Call) bool {
	switch call.Operation {
	case dimse.CStore:
		return g.retrievals.to(r.Name, call.Association.CalledAETitle())
	case dimse.NEventReport:
		return true // for a transaction that is known, which its identifier says: see report
	}
	return false
}

// negotiateBehind answers the contexts of the system behind a route: objects as the destination
// takes them that it calls, where it may send any; the rest is the gate's own.
func (g *Gate) negotiateBehind(ctx context.Context, r *route, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
	acc := dimse.Negotiate(rq, dimse.Support{
		TransferSyntaxes: func(abstractSyntax string) []string {
			if abstractSyntax == uid.Verification || abstractSyntax == uid.StorageCommitmentPushModel {
				return uid.NativeSyntaxes()
			}
			return nil
		},
		RequestorOrder: true,
		Roles:          func(class string) (scu, scp bool) { return true, class == uid.StorageCommitmentPushModel },
	})
	acc.Mux = g.Mux

	if g.retrievals.own(r.Name, rq.CalledAETitle) {
		return g.negotiateOwn(rq), nil
	}
	ask := askToDeliver(r, rq)
	if len(ask.Contexts) == 0 || !g.mayDeliver(r, rq.CalledAETitle) {
		return acc, nil
	}
	to, err := g.destinations.of(ctx, r, rq.CalledAETitle)
	if err != nil {
		return acc, err
	}
	offer, err := to.offers.of(ctx, ask, to.pool)
	if err != nil {
		return acc, err
	}

	for _, pc := range offer.Contexts {
		i := slices.IndexFunc(acc.Contexts, func(own ul.AcceptedContext) bool { return own.ID == pc.ID })
		acc.Contexts[i] = pc
	}
	return acc, nil
}

// mayDeliver reports whether the system behind a route may now send to a destination:
// somebody retrieves to there, or a rule lets it send by itself.
func (g *Gate) mayDeliver(r *route, destination string) bool {
	own := policy.Principal{Kind: policy.System, Name: r.system}
	return g.retrievals.to(r.Name, destination) || slices.ContainsFunc(r.rules.Rules, func(rule policy.RouteRule) bool {
		return slices.Contains(rule.Who, own.Name) && slices.Contains(rule.Verbs, policy.Store)
	})
}

// askToDeliver is what an association to a destination is needed for, so that what the
// system behind proposes can go on as it is.
func askToDeliver(r *route, rq *dimse.AssociateRequest) upstream.Ask {
	ask := upstream.Ask{Caller: r.Name, CallingAETitle: r.Name}
	for _, pc := range rq.Contexts {
		pc, ok := understood(pc, r.rules, nil)
		if ok && pc.AbstractSyntax != uid.StorageCommitmentPushModel && uid.Storable(pc.AbstractSyntax) {
			ask.Contexts = append(ask.Contexts, pc)
		}
	}
	return ask
}

// lookUpEvery is how long the addresses of a name count.
const lookUpEvery = time.Minute

// lookUp finds the addresses of systems that are named by a host name; one that is not
// found has none, and nothing that comes is taken for it.
func (g *Gate) lookUp(ctx context.Context) {
	g.mu.Lock()
	var due []*route
	for _, r := range g.routes {
		if r.lookedUp.IsZero() || g.Now().Sub(r.lookedUp) >= lookUpEvery {
			due = append(due, r)
		}
	}
	g.mu.Unlock()

	for _, r := range due {
		found := kind.AddressesOf(ctx, r.address)
		g.mu.Lock()
		r.addresses = found
		r.lookedUp = g.Now()
		g.mu.Unlock()
	}
}
