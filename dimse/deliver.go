package dimse

import "context"

// Delivery sees the sub-operations of RetrievePlan.Deliver. Either may be nil.
type Delivery struct {
	// Sending is asked before an instance leaves; what it refuses fails alone.
	Sending func(context.Context, SubOperation) error
	// Observe sees each sub-operation that is finished.
	Observe func(Observation)
}

// Deliver performs the sub-operations over associations of its own to the Destination, as those of a C-MOVE
// are (PS3.4 C.4.2), where no peer asked for it by one: the C-STORE requests name no move originator. It ends
// early with the context; what is on its way then is finished. The cause ErrCanceled makes that the status
// Cancel, with what remains; with any other cause what was not sent counts as failed. Perform is not used.
func (p *RetrievePlan) Deliver(ctx context.Context, d Delivery) Outcome {
	if p.Destination == nil {
		return Outcome{Status: MoveDestinationUnknown.With("move destination unknown")}
	}

	call := &Call{Operation: CMove, Sending: d.Sending}
	if d.Observe != nil {
		call.Observe = func(o Observation) bool { d.Observe(o); return true }
	}
	r := &retrieval{x: &exchange{call: call}, rq: &RetrieveRequest{Operation: CMove}, plan: p}
	if p.SubOperations != nil {
		r.move(ctx)
	}
	return r.outcome(ctx)
}
