package face

import (
	"context"
	"net/http"
	"slices"

	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/dimse"
	"collimator/internal/budget"
	"collimator/internal/disclosure"
	"collimator/internal/fault"
	"collimator/internal/gate"
)

// Store implements dicomweb.Backend: the system behind answers, and what it says is durable as far
// as it is. What comes under the UID of something else is held back (see gate.Face.Store).
func (b *Backend) Store(ctx context.Context, in dicomweb.Incoming) (dicomweb.Stored, error) {
	if in.SOPClassUID != "" && !uid.Storable(in.SOPClassUID) {
		return dicomweb.Stored{}, &dicomweb.Error{Status: http.StatusUnprocessableEntity, FailureReason: 0x0122,
			Detail: "The SOP Class is not a storage class."}
	}
	if !slices.Contains(uid.StorageSyntaxes(), in.TransferSyntaxUID) {
		return dicomweb.Stored{}, &dicomweb.Error{Status: http.StatusUnprocessableEntity, FailureReason: uint16(dimse.CannotUnderstand),
			Detail: "Objects in that transfer syntax are not taken."}
	}
	// A request stores thousands, one after the other: what one takes is given back.
	piece := budget.From(ctx).Piece()
	defer piece.Close()
	at, status := b.behind.Store(budget.With(ctx, piece), gate.Brought{
		SOPClassUID: in.SOPClassUID, SOPInstanceUID: in.SOPInstanceUID, TransferSyntaxUID: in.TransferSyntaxUID, Data: in.Data,
	})

	b.cache.forget(seriesKey{b.name, b.behind.System(), at.StudyUID, at.SeriesUID})
	if status.Code.Class() == dimse.ClassFailure {
		return dicomweb.Stored{}, storeError(status)
	}
	stored := dicomweb.Stored{SOPClassUID: in.SOPClassUID, Resource: dicomweb.Resource{
		StudyUID: at.StudyUID, SeriesUID: at.SeriesUID, SOPInstanceUID: in.SOPInstanceUID,
	}}
	if status.Code.Class() == dimse.ClassWarning {
		stored.Warning = uint16(status.Code)
	}
	return stored, nil
}

// storeError is the answer for an instance that the system behind did not take: the failure reason is
// the status of C-STORE (PS3.18 10.5.3.2).
func storeError(status dimse.Status) error {
	cause := status.Cause
	if fault.Of(cause) == fault.Internal || cause == nil {
		cause = fault.Newf(fault.Conflict, "face: the system behind the route does not take the instance (status %s)", status.Code)
	}
	if e, ok := disclosure.Answer(cause).(*dicomweb.Error); ok {
		e.FailureReason = uint16(status.Code)
		return e
	}
	return &dicomweb.Error{Status: http.StatusInternalServerError, FailureReason: uint16(status.Code), Err: cause}
}
