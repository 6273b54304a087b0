package gate

import (
	"context"
	"errors"

	"collimator/dicom"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
)

// store lets an object through (PS3.4 B): that of a caller to the system behind the route, what that
// system sends to the destination it calls. The answer is the receiver's own.
func (g *Gate) store(ctx context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	if who, _ := guard.Principal(ctx); who.Kind == policy.System {
		return g.carry(ctx, a, rq)
	}

	from := &pace{every: g.paceEvery}
	rq.Data = pacedReader{from, rq.Data}
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return storeStatus(err)
	}
	o, err := g.receive(ctx, rq, guard.Sight(ctx), r.patches)
	if err != nil {
		return storeStatus(err)
	}
	o.from = from
	if err := guard.Through(ctx, o.Passing); err != nil {
		return storeStatus(err)
	}
	status := g.letThrough(ctx, g.senderOn(a, r), r, o)
	g.did(ctx, a, dimse.CStore, rq.SOPClassUID, rq.TransferSyntax, o.size)
	return status
}

// answered is the status for an object that was on its way: what the receiver said,
// or why it did not get all of it.
func answered(err error) dimse.Status {
	if answer, ok := errors.AsType[*dimse.StatusError](err); ok {
		return dimse.Status{Code: answer.Status.Code, Cause: err}
	}
	if _, own := errors.AsType[*dicom.SyntaxError](err); own || errors.Is(err, dicom.ErrLimit) || errors.Is(err, dicom.ErrEncapsulated) {
		err = fault.Wrap(fault.Invalid, err, "gate: the data set cannot be read")
	}
	return storeStatus(err)
}
