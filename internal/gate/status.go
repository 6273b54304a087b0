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
	case fault.Invalid:
		return dimse.Status{Code: dimse.DataSetDoesNotMatchSOPClass, Comment: fault.Text(err), Cause: err}
	case fault.Unsupported, fault.TooLarge:
		return dimse.Status{Code: dimse.CannotUnderstand, Comment: fault.Text(err), Cause: err}
	case fault.Denied:
		return dimse.Status{Code: dimse.NotAuthorized, Comment: "not authorised", Cause: err}
	case fault.Canceled:
		return dimse.Status{Code: dimse.Cancel, Cause: err}
	}
	return dimse.Status{Code: dimse.OutOfResources, Comment: "the system behind the gate does not answer", Cause: ending(err)}
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

// leaseFor is an association to the system behind the route for the caller of a request.
func (g *Gate) leaseFor(ctx context.Context, a *dimse.Association) (*upstream.Lease, error) {
	who, ok := guard.Principal(ctx)
	if !ok {
		return nil, fault.New(fault.Denied, "gate: nobody was let in")
	}
	return g.lease(ctx, a, who)
}
