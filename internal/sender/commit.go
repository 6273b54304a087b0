package sender

import (
	"context"
	"errors"
	"fmt"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
)

// commitBatch is how many instances one request for storage commitment names.
const commitBatch = 5000

// commitment is what the peer has said about instances.
type commitment struct {
	committed map[string]bool  // by SOP Instance UID
	failed    map[string]int64 // with the Failure Reason (0008,1197)
}

// take reads a report (PS3.4 J.3.3.1).
func (c *commitment) take(report *dicom.DataSet) {
	for _, it := range report.Items(tag.ReferencedSOPSequence) {
		c.committed[it.Text(tag.ReferencedSOPInstanceUID)] = true
	}
	for _, it := range report.Items(tag.FailedSOPSequence) {
		reason, _ := it.Int(tag.FailureReason)
		c.failed[it.Text(tag.ReferencedSOPInstanceUID)] = reason
	}
}

// any reports whether the peer has said something.
func (c *commitment) any() bool { return len(c.committed)+len(c.failed) > 0 }

// Commit asks for storage commitment of what was stored (PS3.4 J) and waits for
// each report, for so long.
func (t *Transfer) Commit(ctx context.Context, files []*File, r *Reports, wait time.Duration) {
	var sent []*File
	for _, f := range files {
		if f.sent {
			sent = append(sent, f)
		}
	}
	if len(sent) == 0 {
		return
	}

	said := commitment{committed: map[string]bool{}, failed: map[string]int64{}}
	err := t.requestCommitment(ctx, sent, r, wait, &said)

	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range sent {
		reason, failed := said.failed[f.SOPInstanceUID]
		switch {
		case failed:
			text := fmt.Sprintf("not committed: reason %04XH", reason)
			t.report.Failed = append(t.report.Failed, Failure{File: f.Path, Reason: text})
		case said.committed[f.SOPInstanceUID]:
			t.report.Committed++
		default:
			t.report.CommitmentUnknown++
		}
	}

	switch {
	case err != nil:
		t.report.CommitmentReason = err.Error()
	case t.report.CommitmentUnknown > 0:
		t.report.CommitmentReason = "the report of the peer does not name all that was asked for"
	}
}

// requestCommitment sends N-ACTIONs and waits for their N-EVENT-REPORTs. What
// came up to an error is in said.
func (t *Transfer) requestCommitment(
	ctx context.Context, files []*File, r *Reports, wait time.Duration, said *commitment,
) error {
	var a *dimse.Association
	for len(files) > 0 {
		// A peer that reports on its own association may have ended ours by then.
		if a == nil || a.Err() != nil {
			var err error
			if a, err = t.dialCommitment(ctx, r); err != nil {
				return err
			}
		}

		n := min(len(files), t.CommitBatch)
		expected := r.expect()
		err := ask(ctx, a, expected.transaction, files[:n])
		if err != nil && said.any() && a.Err() != nil {
			// It ended behind the last report, and that was not seen before.
			if a, err = t.dialCommitment(ctx, r); err != nil {
				return err
			}
			err = ask(ctx, a, expected.transaction, files[:n])
		}
		if err != nil {
			a.Abort()
			return err
		}

		report, err := r.await(ctx, a, expected, wait)
		if err != nil {
			a.Abort()
			return err
		}
		said.take(report)
		files = files[n:]
	}

	// The peer has said what it keeps. How the association ends changes nothing.
	if err := a.Release(ctx); err != nil {
		a.Abort()
	}
	return nil
}

func (t *Transfer) dialCommitment(ctx context.Context, r *Reports) (*dimse.Association, error) {
	contexts := dimse.Propose([]string{uid.StorageCommitmentPushModel}, NativeSyntaxes(), false)
	return t.Dial(ctx, contexts, func(c *dimse.Config) { c.Mux = r.mux() })
}

// await waits until a report came and was answered. One that came counts also
// where the association ended before the answer was written.
func (r *Reports) await(
	ctx context.Context, a *dimse.Association, x *expectedReport, wait time.Duration,
) (*dicom.DataSet, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()

	// Who listens gets the report also when our own association is gone.
	gone := a.Done()
	if r.listens() {
		gone = nil
	}

	var err error
	select {
	case <-x.answered:
	case <-timer.C:
		const text = "no report within %s; the peer may send it later to the address it knows for this AE title%s"
		err = fmt.Errorf(text, wait, r.advice())
	case <-gone:
		err = errors.New("the association ended before the report came" + r.advice())
	case <-ctx.Done():
		err = ctx.Err()
	}

	select {
	case ds := <-x.came:
		return ds, nil
	default:
		return nil, err
	}
}

// ask sends the N-ACTION (PS3.4 J.3.2.1).
func ask(ctx context.Context, a *dimse.Association, transaction string, files []*File) error {
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.TransactionUID, transaction); err != nil {
		return err
	}

	items := make([]*dicom.DataSet, len(files))
	for i, f := range files {
		items[i] = dicom.NewDataSet()
		class := items[i].SetText(tag.ReferencedSOPClassUID, f.SOPClassUID)
		instance := items[i].SetText(tag.ReferencedSOPInstanceUID, f.SOPInstanceUID)
		if err := errors.Join(class, instance); err != nil {
			return err
		}
	}
	ds.SetItems(tag.ReferencedSOPSequence, items...)

	_, err := a.NAction(ctx, dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance,
		TypeID: 1, DataSet: ds,
	})
	return err
}
