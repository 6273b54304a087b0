package dimse

import (
	"context"
	"errors"
	"fmt"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Get sends a C-GET; rq.Store receives the instances, one at a time, on a goroutine of
// the association. At most one Get runs at a time on an association. When ctx ends a
// C-CANCEL is sent, and the association is aborted if the peer goes on for 5 s. A
// failure is returned as *StatusError with the result.
func (a *Association) Get(ctx context.Context, rq GetRequest) (RetrieveResult, error) {
	if rq.Store == nil {
		return RetrieveResult{}, errors.New("dimse: C-GET without a StoreHandler")
	}

	a.mu.Lock()
	if a.store != nil {
		a.mu.Unlock()
		return RetrieveResult{}, errors.New("dimse: another C-GET is running on this association")
	}
	a.store = rq.Store
	a.mu.Unlock()

	defer func() {
		a.mu.Lock()
		a.store = nil
		a.mu.Unlock()
	}()

	cmd := &Command{Operation: CGet, AffectedSOPClassUID: rq.SOPClassUID, Priority: rq.Priority}
	return a.retrieve(ctx, cmd, rq.Identifier, rq.Progress)
}

// Move sends a C-MOVE and waits for its end. When ctx ends a C-CANCEL is sent, and the
// association is aborted if the peer goes on for 5 s. A failure is returned as *StatusError with the result.
func (a *Association) Move(ctx context.Context, rq MoveRequest) (RetrieveResult, error) {
	cmd := &Command{Operation: CMove, AffectedSOPClassUID: rq.SOPClassUID, Priority: rq.Priority, MoveDestination: rq.MoveDestination}
	return a.retrieve(ctx, cmd, rq.Identifier, rq.Progress)
}

// retrieve waits for the final response. After C-CANCEL it still waits for it, so
// that the counts are right; a peer that does not end within 5 s is cut off.
func (a *Association) retrieve(
	ctx context.Context, cmd *Command, identifier *dicom.DataSet, progress func(RetrieveResult),
) (RetrieveResult, error) {
	pc, err := a.contextFor(cmd.AffectedSOPClassUID, cmd.Operation)
	if err != nil {
		return RetrieveResult{}, err
	}

	p, err := a.begin(ctx, pc, cmd, dataSet(identifier, pc.TransferSyntax))
	if err != nil {
		return RetrieveResult{}, err
	}
	defer p.abandon()

	stop := context.AfterFunc(ctx, p.cancelBounded)
	defer stop()

	for {
		rsp, err := p.next(context.WithoutCancel(ctx))
		if err != nil && ctx.Err() != nil {
			return RetrieveResult{}, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		if err != nil {
			return RetrieveResult{}, err
		}

		res := RetrieveResult{Status: rsp.cmd.status()}
		if rsp.cmd.SubOperations != nil {
			res.SubOperations = *rsp.cmd.SubOperations
			res.Counted = true
		}

		if !p.final {
			if progress != nil {
				progress(res)
			}
			continue
		}

		if ds, err := rsp.dataSet(); err == nil && ds != nil {
			res.FailedSOPInstanceUIDs = ds.Texts(tag.FailedSOPInstanceUIDList)
		}

		if ctx.Err() != nil && res.Status.Code == Cancel {
			return res, context.Cause(ctx)
		}
		return res, statusError(cmd.Operation, res.Status)
	}
}
