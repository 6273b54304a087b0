package gate

import (
	"context"
	"errors"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// statusOf is the status for an error: what the system behind answered is passed on,
// with its code alone; for what it could not be asked the caller may come again.
func statusOf(err error) dimse.Status {
	if answer, ok := errors.AsType[*dimse.StatusError](err); ok {
		return dimse.Status{Code: answer.Status.Code, ErrorID: answer.Status.ErrorID, Cause: err}
	}

	switch fault.Of(err) {
	case fault.None:
		return dimse.Status{}
	case fault.Invalid: // of a query: its identifier (PS3.4 C.4.1.1.4)
		return dimse.Status{Code: dimse.DataSetDoesNotMatchSOPClass, Comment: fault.Text(err), Cause: err}
	case fault.Canceled:
		return dimse.Status{Code: dimse.Cancel, Cause: err}
	}
	return notPassed(ending(err))
}

// ending says of an association that the system behind ended, where nobody said more, what may be the
// reason: many end it over what they do not let an AE title do.
func ending(err error) error {
	_, aborted := errors.AsType[*dimse.AbortError](err)
	if _, said := errors.AsType[*fault.Error](err); said || !aborted {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "gate: the system behind ended the association; look whether it lets this AE title do this")
}

// storeStatus is the status for an object that did not get to the system behind (PS3.4
// B.2.3).
func storeStatus(err error) dimse.Status {
	switch {
	case errors.Is(err, errMismatch):
		return dimse.Status{Code: dimse.DataSetDoesNotMatchSOPClass, Comment: fault.Text(err), Cause: err}
	case errors.Is(err, errUID), errors.Is(err, errPatient), errors.Is(err, errContent):
		return dimse.Status{Code: dimse.InvalidSOPInstance, Comment: fault.Text(err), Cause: err}
	}
	return notPassed(err)
}

// notPassed is the status for what did not get to the system behind. A7xx says that it may be
// taken later: never for what stays as it is.
func notPassed(err error) dimse.Status {
	switch fault.Of(err) {
	case fault.Invalid, fault.Unsupported, fault.TooLarge:
		return dimse.Status{Code: dimse.CannotUnderstand, Comment: fault.Text(err), Cause: err}
	case fault.Conflict:
		return dimse.Status{Code: dimse.ProcessingFailure, Comment: fault.Text(err), Cause: err}
	case fault.Denied:
		return dimse.Status{Code: dimse.NotAuthorized, Comment: "not authorised", Cause: err}
	}
	return dimse.Status{Code: dimse.OutOfResources, Comment: "the system behind the gate does not answer", Cause: err}
}

// leaseFor is an association to the system behind the route for the caller of a request.
func (g *Gate) leaseFor(ctx context.Context, a *dimse.Association) (*upstream.Lease, error) {
	who, ok := guard.Principal(ctx)
	if !ok {
		return nil, fault.New(fault.Denied, "gate: nobody was let in")
	}
	return g.lease(ctx, a, who)
}
