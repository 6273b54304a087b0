package pacs

import (
	"context"
	"errors"
	"io"
	"slices"

	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/budget"
	"collimator/internal/fault"
)

func (s *Service) subOperation(ref archive.InstanceRef) dimse.SubOperation {
	syntaxes := []string{ref.TransferSyntaxUID}
	if pixel.Convertible(ref.TransferSyntaxUID) {
		for _, ts := range uid.NativeSyntaxes() {
			if ts != ref.TransferSyntaxUID {
				syntaxes = append(syntaxes, ts)
			}
		}
	}

	return dimse.SubOperation{
		SOPClassUID: ref.SOPClassUID, SOPInstanceUID: ref.SOPInstanceUID, TransferSyntaxes: syntaxes, Ref: ref,
		Open: func(ctx context.Context, accepted []string) (io.ReadCloser, string, error) {
			return s.open(ctx, ref, accepted)
		},
	}
}

// open gives a data set as it was stored where the receiver takes it, else
// converted into the first native syntax it takes.
func (s *Service) open(ctx context.Context, ref archive.InstanceRef, accepted []string) (io.ReadCloser, string, error) {
	// Whatever was asked of the archive: what leaves now is held against what the
	// caller may see now.
	if !s.scope(ctx).Holds(ref.StudyUID) {
		return nil, "", errOutOfSight
	}
	o, err := s.Archive.Open(ctx, ref)
	if err != nil {
		return nil, "", err
	}

	for _, ts := range append([]string{ref.TransferSyntaxUID}, uid.NativeSyntaxes()...) {
		if !slices.Contains(accepted, ts) {
			continue
		}
		r, err := convert(ctx, o, ref, ts)
		if err != nil {
			return nil, "", errors.Join(err, o.Close())
		}
		return r, ts, nil
	}
	return nil, "", errors.Join(fault.Newf(fault.Unsupported,
		"pacs: stored as %s, which the receiver does not take", uid.Name(ref.TransferSyntaxUID)), o.Close())
}

type body struct {
	io.Reader
	io.Closer
}

// closers are closed one after the other.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var all error
	for _, one := range c {
		all = errors.Join(all, one.Close())
	}
	return all
}

// closing is a function that ends something and cannot fail.
type closing func()

// Close implements io.Closer.
func (c closing) Close() error {
	c()
	return nil
}

// bulkThreshold is the length in bytes above which values stay in the file
// while an object is de-identified.
const bulkThreshold = 64 << 10

// convert gives the data set of o in a transfer syntax, as it is stored or
// another, and closes o with it. What cannot be given is an error here, before
// the first byte; then o stays open.
func convert(ctx context.Context, o *archive.Object, ref archive.InstanceRef, ts string) (io.ReadCloser, error) {
	header := budget.From(ctx).Piece() // of one of the many objects of a request
	r, err := pixel.Open(ctx, pixel.Object{
		At: o, Offset: o.DataSetOffset, Size: o.Size() - o.DataSetOffset, TransferSyntax: ref.TransferSyntaxUID,
		Account: header, Reserve: budget.Take,
	}, ts)
	if err != nil {
		header.Close()
	}
	switch {
	case errors.Is(err, pixel.ErrNotConvertible):
		return nil, fault.Wrap(fault.Unsupported, err, "pacs: not convertible")
	case err != nil:
		return nil, err
	}
	return body{r, closers{r, o, closing(header.Close)}}, nil
}
