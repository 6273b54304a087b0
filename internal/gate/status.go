package gate

import (
	"context"
	"errors"

	"collimator/dicom"
	"collimator/dicom/tag"
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
		return dimse.Status{Code: dimse.DataSetDoesNotMatchSOPClass, Comment: comment(err), Cause: err}
	case fault.Unsupported, fault.TooLarge:
		return dimse.Status{Code: dimse.CannotUnderstand, Comment: comment(err), Cause: err}
	case fault.Denied:
		return dimse.Status{Code: dimse.NotAuthorized, Comment: "not authorised", Cause: err}
	case fault.Canceled:
		return dimse.Status{Code: dimse.Cancel, Cause: err}
	}
	return dimse.Status{Code: dimse.OutOfResources, Comment: "the system behind the gate does not answer", Cause: err}
}

// comment is the neutral text of an error, in the length an Error Comment may have.
func comment(err error) string {
	text := fault.Text(err)
	return text[:min(len(text), 64)]
}

// finish ends a lease. An association on which the system behind answered is as good as before,
// whatever it said; on another one something may still come.
func (g *Gate) finish(lease *upstream.Lease, err error) {
	if _, answered := errors.AsType[*dimse.StatusError](err); answered || err == nil {
		lease.Return()
		return
	}
	lease.Drop()
}

// leaseFor is an association to the system behind the route for the caller of a request.
func (g *Gate) leaseFor(ctx context.Context, a *dimse.Association) (*upstream.Lease, error) {
	who, ok := guard.Principal(ctx)
	if !ok {
		return nil, fault.New(fault.Denied, "gate: nobody was let in")
	}
	return g.lease(ctx, a, who)
}

// Bounds of an identifier that goes on to a system behind the gate (PS3.4 C.2.2.1.1: who
// asks for more asks for something else).
const (
	keysMost  = 256
	itemsMost = 16
	depthMost = 4
)

// errKeys refuses an identifier for its size.
var errKeys = fault.Newf(fault.TooLarge, "gate: more than %d keys, %d items or %d levels", keysMost, itemsMost, depthMost)

// checkIdentifier refuses what no query needs and a server may choke on.
func checkIdentifier(ds *dicom.DataSet) error {
	keys := 0
	return checkKeys(ds, &keys, 1)
}

func checkKeys(ds *dicom.DataSet, keys *int, depth int) error {
	if depth > depthMost {
		return errKeys
	}
	for el := range ds.All() {
		if *keys++; *keys > keysMost {
			return errKeys
		}
		if el.Tag.Group() < 8 && el.Tag != tag.SpecificCharacterSet {
			return fault.Newf(fault.Invalid, "gate: %s is not a key", el.Tag)
		}
		items := el.Items()
		if len(items) > itemsMost {
			return errKeys
		}
		for _, item := range items {
			if err := checkKeys(item, keys, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
