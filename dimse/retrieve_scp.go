package dimse

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dimse/ul"
)

// progressEvery is how often pending responses of C-GET and C-MOVE are sent at most.
const progressEvery = time.Second

// failedMost is how many bytes a Failed SOP Instance UID List may take: it has to fit
// an element with a 16 bit length.
const failedMost = 60 << 10

// retrieval performs the sub-operations of one C-GET or C-MOVE.
type retrieval struct {
	x        *exchange
	rq       *RetrieveRequest
	plan     *RetrievePlan
	done     int
	counts   SubOperations
	failed   []string
	failedAt int // bytes
	causes   SubOperationsError
	told     time.Time
}

// retrieve runs a handler and what it planned (PS3.4 C.4.2.3, C.4.3.3).
func (x *exchange) retrieve(ctx context.Context, h RetrieveHandler) Outcome {
	if x.call.identifier == nil {
		return Outcome{Status: DataSetDoesNotMatchSOPClass.With("identifier missing")}
	}

	a := x.call.Association
	cmd := x.call.Command
	r := &retrieval{x: x, rq: &RetrieveRequest{Operation: cmd.Operation, SOPClassUID: cmd.AffectedSOPClassUID, Priority: cmd.Priority,
		Identifier: x.call.identifier, MoveDestination: cmd.MoveDestination, MessageID: cmd.MessageID,
		Options: a.QueryOptions(cmd.AffectedSOPClassUID)}}

	plan, status := h(ctx, a, r.rq)
	if status.Code != Success || plan == nil {
		return Outcome{Status: x.canceled(ctx, status)}
	}
	if plan.Perform != nil {
		return x.perform(ctx, plan)
	}
	if cmd.Operation == CMove && plan.Destination == nil {
		return Outcome{Status: MoveDestinationUnknown.With("move destination unknown")}
	}

	r.plan = plan
	r.told = time.Now()

	if plan.SubOperations != nil {
		if cmd.Operation == CGet {
			r.get(ctx)
		} else {
			r.move(ctx)
		}
	}
	return r.outcome(ctx)
}

// outcome is the final response (PS3.4 tables C.4-2, C.4-3).
func (r *retrieval) outcome(ctx context.Context) Outcome {
	canceled := context.Cause(ctx) == ErrCanceled
	if missing := r.plan.Count - r.done; missing > 0 && !canceled {
		r.counts.Failed = saturate(int(r.counts.Failed) + missing)
	}
	r.counts.Remaining = saturate(max(r.plan.Count-r.done, 0))

	out := Outcome{SubOperations: r.counts}
	if r.counts.Failed > 0 {
		out.Status.Cause = &r.causes
	}

	switch {
	case canceled:
		out.Status.Code = Cancel
	case r.counts.Failed > 0 && r.counts.Completed == 0 && r.counts.Warning == 0:
		out.Status.Code = UnableToPerformSubOperations
	case r.counts.Failed > 0 || r.counts.Warning > 0:
		out.Status.Code = SubOperationsWithFailures
	}

	if len(r.failed) > 0 && out.Status.Code != Success {
		ds := dicom.NewDataSet()
		if err := ds.SetText(tag.FailedSOPInstanceUIDList, r.failed...); err == nil {
			out.failed = ds
		}
	}
	return out
}

func saturate(n int) uint16 { return uint16(min(n, 0xFFFF)) }

// ended tells that going on has no use: canceled, or the association is gone.
func (r *retrieval) ended(ctx context.Context) bool { return ctx.Err() != nil }

// get sends over the association the request came in (PS3.4 C.4.3).
func (r *retrieval) get(ctx context.Context) {
	for sub := range r.plan.SubOperations {
		if r.ended(ctx) || r.done >= r.plan.Count {
			return
		}
		r.perform(ctx, sub, r.x.call.Association)
	}
}

// perform does one sub-operation and counts it. It is not interrupted by C-CANCEL.
func (r *retrieval) perform(ctx context.Context, sub SubOperation, to *Association) {
	status, err := r.send(context.WithoutCancel(ctx), sub, to)
	switch class := status.Code.Class(); {
	case err != nil || class == ClassFailure || class == ClassCancel:
		r.fail(sub, Status{Code: max(status.Code, ProcessingFailure), Cause: err})
		return
	case class == ClassWarning:
		r.counts.Warning = saturate(int(r.counts.Warning) + 1)
	default:
		r.counts.Completed = saturate(int(r.counts.Completed) + 1)
	}
	r.step(sub, status)
}

// fail counts a sub-operation that did not succeed.
func (r *retrieval) fail(sub SubOperation, status Status) {
	r.counts.Failed = saturate(int(r.counts.Failed) + 1)
	r.causes.add(status)
	if r.failedAt += len(sub.SOPInstanceUID) + 1; r.failedAt < failedMost {
		r.failed = append(r.failed, sub.SOPInstanceUID)
	}
	r.step(sub, status)
}

// step tells the observer, and the peer now and then.
func (r *retrieval) step(sub SubOperation, status Status) {
	r.done++
	if f := r.x.call.Observe; f != nil {
		f(Observation{SubOperation: &sub, Status: status})
	}

	if r.x.call.Association == nil || r.done >= r.plan.Count || time.Since(r.told) < progressEvery {
		return // nobody asked by an association, or it is not yet time
	}

	r.told = time.Now()
	counts := r.counts
	counts.Remaining = saturate(r.plan.Count - r.done)
	rsp := r.x.response(Pending)
	rsp.SubOperations = &counts
	_ = r.x.send(rsp, nil) // an association that ended shows by ctx
}

// send does one sub-operation, if the interceptor lets it.
func (r *retrieval) send(ctx context.Context, sub SubOperation, to *Association) (Status, error) {
	if f := r.x.call.Sending; f != nil {
		if err := f(ctx, sub); err != nil {
			return Status{Code: OutOfResources}, err
		}
	}
	return r.storeSub(ctx, sub, to)
}

// storeSub opens an instance in a transfer syntax the receiver accepted and stores it.
func (r *retrieval) storeSub(ctx context.Context, sub SubOperation, to *Association) (Status, error) {
	accepted := to.TransferSyntaxes(sub.SOPClassUID)
	if len(accepted) == 0 {
		return Status{}, ErrNoContext
	}

	body, ts, err := sub.Open(ctx, accepted)
	if err != nil {
		return Status{}, err
	}
	defer body.Close()

	rq := StoreRequest{
		SOPClassUID:    sub.SOPClassUID,
		SOPInstanceUID: sub.SOPInstanceUID,
		TransferSyntax: ts,
		Priority:       r.rq.Priority,
		Data:           body,
	}
	if r.rq.Operation == CMove && r.x.call.Association != nil {
		rq.MoveOriginatorAETitle = r.x.call.Association.CallingAETitle()
		rq.MoveOriginatorMessageID = r.rq.MessageID
	}
	return to.Store(ctx, rq)
}

// lookahead is how many sub-operations a C-MOVE looks at before it proposes contexts.
const lookahead = 512

// move sends over associations of its own to the destination (PS3.4 C.4.2).
func (r *retrieval) move(ctx context.Context) {
	next, stop := iter.Pull(r.plan.SubOperations)
	defer stop()

	var to *Association
	defer func() { release(ctx, to) }()

	var batch []SubOperation
	for !r.ended(ctx) && r.done < r.plan.Count {
		for len(batch) < lookahead && r.done+len(batch) < r.plan.Count {
			sub, ok := next()
			if !ok {
				break
			}
			batch = append(batch, sub)
		}
		if len(batch) == 0 {
			return
		}

		sub := batch[0]
		if len(sub.TransferSyntaxes) == 0 || len(sub.TransferSyntaxes) > mostContexts {
			batch = batch[1:]
			r.fail(sub, Status{Code: ProcessingFailure, Cause: ErrNoContext})
			continue
		}

		if to == nil || to.Err() != nil || !proposed(to, sub) {
			release(ctx, to)
			var err error
			if to, err = r.plan.Destination.Dial(ctx, contextsFor(batch)); err != nil {
				to = nil
				for _, sub := range batch {
					r.fail(sub, Status{Code: UnableToPerformSubOperations, Cause: err})
				}
				for r.done < r.plan.Count && !r.ended(ctx) { // the list of what failed is to be whole
					sub, ok := next()
					if !ok {
						break
					}
					r.fail(sub, Status{Code: UnableToPerformSubOperations, Cause: err})
				}
				return // the destination is not there; what was not named counts as failed
			}
		}

		batch = batch[1:]
		r.perform(ctx, sub, to)
	}
}

// release ends an association of a C-MOVE; one that does not let itself be released is aborted.
func release(ctx context.Context, a *Association) {
	if a == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := a.Release(ctx); err != nil && !errors.Is(err, ErrReleased) {
		a.Abort()
	}
}

// proposed tells whether the association was opened with the contexts of sub in mind.
func proposed(a *Association, sub SubOperation) bool {
	for _, ts := range sub.TransferSyntaxes {
		if !slices.ContainsFunc(a.rq.Contexts, func(pc ul.ProposedContext) bool {
			return pc.AbstractSyntax == sub.SOPClassUID && slices.Contains(pc.TransferSyntaxes, ts)
		}) {
			return false
		}
	}
	return true
}

// mostContexts is how many contexts an association has: their IDs are the odd
// numbers of a byte (PS3.8 9.3.2.2).
const mostContexts = 128

// contextsFor proposes a context per SOP Class and transfer syntax, for as many of
// the batch from its start as fit one association.
func contextsFor(batch []SubOperation) []ul.ProposedContext {
	type key struct{ class, ts string }
	seen := make(map[key]bool)

	var out []ul.ProposedContext
	for _, sub := range batch {
		var more []ul.ProposedContext
		for _, ts := range sub.TransferSyntaxes {
			if k := (key{sub.SOPClassUID, ts}); !seen[k] {
				seen[k] = true
				more = append(more, ul.ProposedContext{AbstractSyntax: sub.SOPClassUID, TransferSyntaxes: []string{ts}})
			}
		}

		if len(out)+len(more) > mostContexts {
			break
		}
		out = append(out, more...)
	}

	for i := range out {
		out[i].ID = uint8(2*i + 1)
	}
	return out
}
