package archive

import (
	"context"
	"errors"

	"collimator/dicom"
	"collimator/internal/blob"
	"collimator/internal/stream"
)

// sameDataSet reports whether two files hold the same elements with the same
// values, however they are written.
func (a *Archive) sameDataSet(ctx context.Context, x, y InstanceRef) (bool, error) {
	xo, err := a.Open(ctx, x)
	if err != nil {
		return false, err
	}
	defer xo.Close()

	yo, err := a.Open(ctx, y)
	if errors.Is(err, blob.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer yo.Close()

	return dicom.SameElements(a.encoded(ctx, xo), a.encoded(ctx, yo), a.dicomLimits())
}

// encoded is the data set of a stored object as a stream that ends with ctx.
func (a *Archive) encoded(ctx context.Context, o *Object) dicom.Encoded {
	return dicom.Encoded{Data: stream.While(ctx, o.DataSet()), TransferSyntax: o.TransferSyntaxUID}
}
