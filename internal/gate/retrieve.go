package gate

import (
	"context"
	"strings"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// get lets the system behind send what a C-GET asks for, and carries each instance to
// the caller (PS3.4 C.4.3). Counts and status are that system's own.
func (g *Gate) get(ctx context.Context, a *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
	g.did(ctx, a, dimse.CGet, rq.SOPClassUID, "", 0)
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return nil, statusOf(err)
	}
	if err := r.checkRetrieval(rq); err != nil {
		return nil, statusOf(err)
	}

	asked := &retrieval{sight: guard.Sight(ctx), keys: rq.Identifier}
	return &dimse.RetrievePlan{Perform: func(ctx context.Context, p *dimse.Performance) dimse.RetrieveResult {
		lease, err := g.leaseFor(ctx, a)
		if err != nil {
			return dimse.RetrieveResult{Status: statusOf(err)}
		}

		to := &pace{every: g.paceEvery}
		end := to.watch(lease)
		defer end()
		result, err := lease.Get(ctx, dimse.GetRequest{
			SOPClassUID: rq.SOPClassUID, Priority: rq.Priority, Identifier: rq.Identifier,
			Store: func(_ context.Context, _ *dimse.Association, sub *dimse.StoreRequest) dimse.Status {
				return g.deliver(ctx, delivery{p, a, to, asked}, sub)
			},
			Progress: func(r dimse.RetrieveResult) { p.Progress(r.SubOperations) },
		})
		return g.performed(lease, result, err)
	}}, dimse.Status{}
}

// performed is the end of a retrieval as the system behind said it; where it said
// nothing, a failure.
func (g *Gate) performed(lease *upstream.Lease, result dimse.RetrieveResult, err error) dimse.RetrieveResult {
	lease.Finish(err)
	if err != nil {
		result.Status = statusOf(err)
		return result
	}
	result.Status = dimse.Status{Code: result.Status.Code}
	return result
}

// delivery is a C-GET that runs: on which association, how fast that takes what comes, and
// what was asked for.
type delivery struct {
	*dimse.Performance
	to    *dimse.Association
	pace  *pace
	asked *retrieval
}

// deliver carries one instance of a retrieval to its receiver, and answers with what
// that says. What the instance takes of the memory is given back with it: there may be many.
func (g *Gate) deliver(ctx context.Context, d delivery, rq *dimse.StoreRequest) dimse.Status {
	own := budget.From(ctx).Piece()
	defer own.Close()
	ctx = budget.With(ctx, own)

	o, err := g.receive(ctx, rq, d.asked.sight, nil)
	if err == nil && !d.asked.names(o.Head) {
		err = errUnasked
	}
	if err != nil {
		g.Log.Warn("an object of a retrieval is not let through", "error", err)
		return storeStatus(err)
	}

	sub := dimse.SubOperation{SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID, Ref: o.Passing}
	if err := d.Sending(ctx, sub); err != nil {
		return storeStatus(err)
	}

	o.to = d.pace
	status, _ := o.send(ctx, d.to)
	d.Sent(sub, status)
	return status
}

// uniqueKeys are those of the levels of the information models (PS3.4 C.6.1, C.6.2).
var uniqueKeys = map[string]tag.Tag{
	"PATIENT": tag.PatientID, "STUDY": tag.StudyInstanceUID, "SERIES": tag.SeriesInstanceUID, "IMAGE": tag.SOPInstanceUID,
}

// errUnnamed refuses a retrieval that may mean everything the system behind has.
var errUnnamed = fault.New(fault.Invalid, "gate: a retrieval names each thing it asks for, by the unique key of its level and without wildcards")

// checkRetrieval refuses a retrieval that does not say what it asks for (PS3.4 C.4.2.2.1).
// Which keys of the levels above it needs is left to the system behind.
func (r *route) checkRetrieval(rq *dimse.RetrieveRequest) error {
	if err := r.checkIdentifier(rq.Identifier); err != nil {
		return err
	}

	level := rq.Identifier.Text(tag.QueryRetrieveLevel)
	key, known := uniqueKeys[level]
	studyRoot := rq.SOPClassUID == uid.StudyRootGet || rq.SOPClassUID == uid.StudyRootMove
	if !known || level == "PATIENT" && studyRoot || len(rq.Identifier.Values(key)) == 0 {
		return errUnnamed
	}

	for _, t := range uniqueKeys {
		for _, value := range rq.Identifier.Values(t) {
			if t == tag.PatientID && strings.ContainsAny(value, "*?") || t != tag.PatientID && !uid.Tolerable(value) {
				return errUnnamed
			}
		}
	}
	return nil
}
