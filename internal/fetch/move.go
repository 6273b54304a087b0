package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

// Moved is what became of a C-MOVE, as the peer counts: a final response need not
// have any numbers (PS3.7 9.1.4).
type Moved struct {
	dimse.RetrieveResult
	Err error
}

// Move has what an identifier names in the study root sent to another AE, whose
// title the peer knows. It ends early with ctx. progress may be nil. An error is that
// there was no association.
func Move(
	ctx context.Context, p *sender.Peer, keys *dicom.DataSet, to string, progress func(done, failed, total int),
) (Moved, error) {
	a, err := p.Dial(ctx, dimse.Propose([]string{uid.StudyRootMove}, sender.NativeSyntaxes(), false), nil)
	if err != nil {
		return Moved{}, err
	}

	var last dimse.RetrieveResult
	result, err := a.Move(ctx, dimse.MoveRequest{
		SOPClassUID: uid.StudyRootMove, Identifier: keys, MoveDestination: to,
		Progress: func(r dimse.RetrieveResult) {
			last = r
			if progress != nil {
				n := r.SubOperations
				done := int(n.Completed) + int(n.Failed) + int(n.Warning)
				progress(done, int(n.Failed), done+int(n.Remaining))
			}
		},
	})
	if err == nil {
		err = a.Release(ctx)
	} else {
		a.Abort()
	}

	// Where the end did not come, the last word counts.
	if err != nil && !result.Counted {
		result.SubOperations = last.SubOperations
		result.Counted = last.Counted
	}

	return Moved{RetrieveResult: result, Err: err}, nil
}

// Moved is how many instances came to the destination.
func (r Moved) Moved() int { return int(r.SubOperations.Completed) + int(r.SubOperations.Warning) }

// Verdict says how it ended; nil where all that was named was moved.
func (r Moved) Verdict(ctx context.Context, p *sender.Peer) error {
	status, refused := errors.AsType[*dimse.StatusError](r.Err)
	switch {
	case ctx.Err() != nil:
		return fault.Partial("stopped before everything was moved")
	case refused && r.Moved() > 0:
		return fault.Partial("%s: %w%s", p.Address, r.Err, sender.Remark(status.Status))
	case r.Err != nil:
		return p.Explain(r.Err)
	case r.SubOperations.Failed > 0:
		return fault.Partial("%d of the instances failed", r.SubOperations.Failed)
	case r.Counted && r.Moved() == 0:
		return errors.New("nothing matches; 'collimator find' lists what is there")
	}
	return nil
}

// Print says in words what was moved to a destination, as the peer counts, which need
// not give any numbers, and what failed.
func (r Moved) Print(w io.Writer, to string) (err error) {
	switch {
	case r.Counted:
		_, err = fmt.Fprintf(w, "%d moved to %s, %d failed.\n", r.Moved(), to, r.SubOperations.Failed)
	case r.Err == nil:
		_, err = fmt.Fprintf(w, "Moving to %s is done; the peer gives no numbers.\n", to)
	}
	for _, u := range r.FailedSOPInstanceUIDs {
		fmt.Fprintf(w, "failed: %s\n", shown.Text(u))
	}
	return err
}
