package dimse

import (
	"context"
	"slices"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Performance is a C-GET or C-MOVE of the peer while somebody else performs its
// sub-operations: RetrievePlan.Perform tells the peer and the Interceptor through it
// how that goes. Safe for concurrent use.
type Performance struct {
	x  *exchange
	mu sync.Mutex // hooks of a Call are made for one at a time
}

// Sending asks the Interceptor before an instance goes to its receiver. What it
// refuses must not go, and counts as failed.
func (p *Performance) Sending(ctx context.Context, sub SubOperation) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.x.call.Sending; f != nil {
		return f(ctx, sub)
	}
	return nil
}

// Sent tells the Interceptor what became of an instance.
func (p *Performance) Sent(sub SubOperation, status Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.x.call.Observe; f != nil {
		f(Observation{SubOperation: &sub, Status: status})
	}
}

// Progress sends a pending response with the counts as they stand (PS3.7 9.1.3.1.6,
// 9.1.4.1.7).
func (p *Performance) Progress(counts SubOperations) {
	rsp := p.x.response(Pending)
	rsp.SubOperations = &counts
	_ = p.x.send(rsp, nil) // an association that ended shows by the context of Perform
}

// perform lets a plan perform itself, and answers with what it says.
func (x *exchange) perform(ctx context.Context, plan *RetrievePlan) Outcome {
	result := plan.Perform(ctx, &Performance{x: x})

	out := Outcome{Status: x.canceled(ctx, result.Status), SubOperations: result.SubOperations}
	failed := result.FailedSOPInstanceUIDs
	if len(failed) == 0 || out.Status.Code == Success {
		return out
	}

	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.FailedSOPInstanceUIDList, fitting(failed)...); err == nil {
		out.failed = ds
	}
	return out
}

// fitting is as many UIDs from the start of a list as fit the element.
func fitting(uids []string) []string {
	bytes := 0
	end := slices.IndexFunc(uids, func(uid string) bool {
		bytes += len(uid) + 1
		return bytes >= failedMost
	})
	if end < 0 {
		return uids
	}
	return uids[:end]
}
