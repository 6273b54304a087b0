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
	came := make(chan *dicom.DataSet, 1) // reports
	answered := make(chan struct{}, 1)   // and their N-EVENT-REPORT-RSP is written
	var transaction atomic.Value         // of the request under way: each has its own (PS3.4 J.3.2.1.1)
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleN(dimse.NEventReport, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		if rq.DataSet == nil || rq.DataSet.Text(tag.TransactionUID) != transaction.Load() {
			return dimse.NResponse{Status: dimse.InvalidArgumentValue.With("unknown transaction")}
		}
		select {
		case came <- rq.DataSet:
			// Who releases before the response is written leaves the peer without
			// one: it reports again, on an association of its own, to nobody.
			rq.After = func(context.Context) {
				select {
				case answered <- struct{}{}:
				default:
				}
			}
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
		r, err := awaitReport(ctx, a, came, answered, wait)
		if err != nil {
			a.Abort()
			return committed, failed, err
		}
		committed += len(r.Items(tag.ReferencedSOPSequence))
		for _, it := range r.Items(tag.FailedSOPSequence) {
			reason, _ := it.Int(tag.FailureReason)
			failed[it.Text(tag.ReferencedSOPInstanceUID)] = reason
		}
		items = items[n:]
	}
	// The peer has said what it keeps. How the association ends changes nothing.
	if err := a.Release(ctx); err != nil {
		a.Abort()
	}
	return committed, failed, nil
}

// awaitReport waits until a report came and was answered. One that came counts
// also where the association ended before the answer was written.
func awaitReport(ctx context.Context, a *dimse.Association, came <-chan *dicom.DataSet, answered <-chan struct{}, wait time.Duration) (*dicom.DataSet, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var err error
	select {
	case <-answered:
	case <-timer.C:
		err = fmt.Errorf("no report within %s; the peer may send it later to the address it knows", wait)
	case <-a.Done():
		err = errors.New("the association ended before the report came")
	case <-ctx.Done():
		err = ctx.Err()
	}
	select {
	case r := <-came:
		return r, nil
	default:
		return nil, err
	}
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
