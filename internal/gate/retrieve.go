package gate

import (
	"context"

	"collimator/dimse"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// get lets the system behind send what a C-GET asks for, and carries each instance to
// the caller (PS3.4 C.4.3). Counts and status are that system's own.
func (g *Gate) get(ctx context.Context, a *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
	g.did(ctx, a, dimse.CGet, rq.SOPClassUID, "", 0)
	if err := checkIdentifier(rq.Identifier); err != nil {
		return nil, statusOf(err)
	}

	return &dimse.RetrievePlan{Perform: func(ctx context.Context, p *dimse.Performance) dimse.RetrieveResult {
		lease, err := g.leaseFor(ctx, a)
		if err != nil {
			return dimse.RetrieveResult{Status: statusOf(err)}
		}

		result, err := lease.Get(ctx, dimse.GetRequest{
			SOPClassUID: rq.SOPClassUID, Priority: rq.Priority, Identifier: rq.Identifier,
			Store: func(_ context.Context, _ *dimse.Association, sub *dimse.StoreRequest) dimse.Status {
				return g.deliver(ctx, p, a, sub)
			},
			Progress: func(r dimse.RetrieveResult) { p.Progress(r.SubOperations) },
		})
		return g.performed(lease, result, err)
	}}, dimse.Status{}
}

// performed is the end of a retrieval as the system behind said it; where it said
// nothing, a failure.
func (g *Gate) performed(lease *upstream.Lease, result dimse.RetrieveResult, err error) dimse.RetrieveResult {
	g.finish(lease, err)
	if err != nil {
		result.Status = statusOf(err)
		return result
	}
	result.Status = dimse.Status{Code: result.Status.Code}
	return result
}

// deliver carries one instance of a retrieval to its receiver, and answers with what
// that says.
func (g *Gate) deliver(ctx context.Context, p *dimse.Performance, to *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	o, err := g.receive(ctx, rq, guard.Sight(ctx))
	if err != nil {
		g.Log.Warn("an object of a retrieval is not let through", "error", err)
		return storeStatus(err)
	}

	sub := dimse.SubOperation{SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID, Ref: o.Passing}
	if err := p.Sending(ctx, sub); err != nil {
		return storeStatus(err)
	}

	status, _ := o.send(ctx, to)
	p.Sent(sub, status)
	return status
}
