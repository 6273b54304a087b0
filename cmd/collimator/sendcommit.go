package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
)

// commitBatch is how many instances one request for storage commitment names.
const commitBatch = 5000

// requestCommitment sends N-ACTIONs and waits for their N-EVENT-REPORTs. A
// report counts only with the transaction UID that was asked with.
func (s *sender) requestCommitment(ctx context.Context, items []*dicom.DataSet, wait time.Duration) (committed int, failed map[string]int64, err error) {
	reports := make(chan *dicom.DataSet, 1)
	var transaction atomic.Value // of the request under way: each has its own (PS3.4 J.3.2.1.1)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleN(dimse.NEventReport, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		if rq.DataSet == nil || rq.DataSet.Text(tag.TransactionUID) != transaction.Load() {
			return dimse.NResponse{Status: dimse.InvalidArgumentValue.With("unknown transaction")}
		}
		select {
		case reports <- rq.DataSet:
		default:
		}
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	a, err := s.d.dial(ctx, dimse.Propose([]string{uid.StorageCommitmentPushModel}, nativeSyntaxes(), false), func(c *dimse.Config) { c.Mux = mux })
	if err != nil {
		return 0, nil, err
	}
	failed = map[string]int64{}
	for len(items) > 0 {
		n, id := min(len(items), s.commitBatch), uid.New()
		transaction.Store(id)
		if err := ask(ctx, a, id, items[:n]); err != nil {
			a.Abort()
			return committed, failed, err
		}
		select {
		case r := <-reports:
			committed += len(r.Items(tag.ReferencedSOPSequence))
			for _, it := range r.Items(tag.FailedSOPSequence) {
				reason, _ := it.Int(tag.FailureReason)
				failed[it.Text(tag.ReferencedSOPInstanceUID)] = reason
			}
		case <-time.After(wait):
			a.Abort()
			return committed, failed, fmt.Errorf("no report within %s; the peer may send it later to the address it knows", wait)
		case <-a.Done():
			return committed, failed, errors.New("the association ended before the report came")
		case <-ctx.Done():
			a.Abort()
			return committed, failed, ctx.Err()
		}
		items = items[n:]
	}
	return committed, failed, a.Release(ctx)
}

func ask(ctx context.Context, a *dimse.Association, transaction string, items []*dicom.DataSet) error {
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.TransactionUID, transaction); err != nil {
		return err
	}
	ds.SetItems(tag.ReferencedSOPSequence, items...)
	_, err := a.NAction(ctx, dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds,
	})
	return err
}
