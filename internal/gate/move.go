package gate

import (
	"context"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
)

// errUnasked refuses what the system behind a route sends and nobody asked for.
var errUnasked = fault.New(fault.Denied, "gate: nobody retrieves this, and no rule lets the system behind the route send it")

// move lets the system behind send what a C-MOVE asks for (PS3.4 C.4.2). It knows the
// destination under its own AE title at the address of the gate, and so calls the gate: carry
// takes each instance on. Counts and status are that system's own.
func (g *Gate) move(ctx context.Context, a *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
	g.did(ctx, a, dimse.CMove, rq.SOPClassUID, "", 0)
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return nil, statusOf(err)
	}
	if err := r.checkRetrieval(rq); err != nil {
		return nil, statusOf(err)
	}
	if _, err := g.destinations.of(ctx, r, rq.MoveDestination); err != nil {
		if fault.Of(err) == fault.NotFound {
			return nil, dimse.Status{Code: dimse.MoveDestinationUnknown, Comment: "move destination unknown", Cause: err}
		}
		return nil, statusOf(err)
	}

	return &dimse.RetrievePlan{Perform: func(ctx context.Context, p *dimse.Performance) dimse.RetrieveResult {
		lease, err := g.leaseFor(ctx, a)
		if err != nil {
			return dimse.RetrieveResult{Status: statusOf(err)}
		}

		end := g.retrievals.begin(&retrieval{
			route:       r.Name,
			destination: rq.MoveDestination,
			sight:       guard.Sight(ctx),
			keys:        rq.Identifier,
			seenAs:      r.seenAs(a.CallingAETitle()),
			caller:      a.CallingAETitle(),
			messageID:   rq.MessageID,
			ctx:         ctx,
			performance: p,
		})
		defer end()
		result, err := lease.Move(ctx, dimse.MoveRequest{
			SOPClassUID: rq.SOPClassUID, Priority: rq.Priority, Identifier: rq.Identifier, MoveDestination: rq.MoveDestination,
			Progress: func(r dimse.RetrieveResult) { p.Progress(r.SubOperations) },
		})
		return g.performed(lease, result, err)
	}}, dimse.Status{}
}

// carry takes an instance that the system behind a route sends to the destination it
// calls: for a retrieval that runs, or where a rule lets that system send by itself.
func (g *Gate) carry(ctx context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	r, err := g.routeOf(a)
	if err != nil {
		return storeStatus(err)
	}
	o, err := g.receive(ctx, rq, policy.Sight{Everything: true}, nil) // whose sight counts shows below
	if err != nil {
		g.Log.Warn("what the system behind a route sends is not let through", "route", r.Name, "error", err)
		return storeStatus(err)
	}

	owner := g.retrievals.of(r.Name, a.CalledAETitle(), rq.MoveOriginatorAETitle, o.Head)
	if owner != nil && owner.take != nil {
		return owner.take(ctx, o)
	}
	if owner != nil {
		return g.carryFor(ctx, owner, r, a, o)
	}
	if !mayBeSeen(guard.Sight(ctx), o.StudyUID, o.Patient) {
		return storeStatus(errUnasked)
	}
	if err := guard.Through(ctx, o.Passing); err != nil {
		return storeStatus(err)
	}
	return g.sendTo(ctx, a.CalledAETitle(), r, a, o)
}

// carryFor takes an instance to the destination of a retrieval, whose caller it is
// recorded for. The originator is named as the destination knows it.
func (g *Gate) carryFor(ctx context.Context, owner *retrieval, r *route, a *dimse.Association, o *object) dimse.Status {
	o.request.MoveOriginatorAETitle = owner.caller
	o.request.MoveOriginatorMessageID = owner.messageID
	sub := dimse.SubOperation{SOPClassUID: o.request.SOPClassUID, SOPInstanceUID: o.request.SOPInstanceUID, Ref: o.Passing}
	if err := owner.performance.Sending(owner.ctx, sub); err != nil {
		return storeStatus(err)
	}

	status := g.sendTo(ctx, owner.destination, r, a, o)
	owner.performance.Sent(sub, status)
	return status
}

// sendTo takes an object to a registered device, on an association with the contexts
// of the one it came on.
func (g *Gate) sendTo(ctx context.Context, aeTitle string, r *route, a *dimse.Association, o *object) dimse.Status {
	to, err := g.destinations.of(ctx, r, aeTitle)
	if err != nil {
		return storeStatus(err)
	}
	lease, err := to.pool.Take(ctx, askToDeliver(r, a.Request()))
	if err != nil {
		return storeStatus(err)
	}

	status, err := o.send(ctx, lease)
	lease.Finish(err)
	return status
}
