package pacs

import (
	"context"
	"errors"
	"io"
	"slices"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/disclosure"
	"collimator/internal/fault"
)

func (s *Service) subOperation(ref archive.InstanceRef) dimse.SubOperation {
	return dimse.SubOperation{
		SOPClassUID: ref.SOPClassUID, SOPInstanceUID: ref.SOPInstanceUID, Ref: ref,
		TransferSyntaxes: disclosure.Syntaxes(ref.TransferSyntaxUID),
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
		r, err := convert(ctx, o, ts)
		if err != nil {
			return nil, "", errors.Join(err, o.Close())
		}
		return r, ts, nil
	}
	return nil, "", errors.Join(fault.Newf(fault.Unsupported,
		"pacs: stored as %s, which the receiver does not take", uid.Name(ref.TransferSyntaxUID)), o.Close())
}

// convert gives the data set of o in a transfer syntax, as it is stored or
// another, and closes o with it.
func convert(ctx context.Context, o *archive.Object, ts string) (io.ReadCloser, error) {
	return disclosure.Convert(ctx, object(o), ts)
}

// object is a stored object, to be disclosed.
func object(o *archive.Object) *disclosure.Object {
	return &disclosure.Object{At: o, Offset: o.DataSetOffset, Size: o.Size() - o.DataSetOffset, TransferSyntaxUID: o.TransferSyntaxUID}
}
