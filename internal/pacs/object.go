package pacs

import (
	"context"
	"errors"
	"io"
	"slices"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/stream"
)

func (s *Service) subOperation(ref archive.InstanceRef) dimse.SubOperation {
	syntaxes := []string{ref.TransferSyntaxUID}
	if pixel.Convertible(ref.TransferSyntaxUID) {
		for _, ts := range nativeSyntaxes() {
			if ts != ref.TransferSyntaxUID {
				syntaxes = append(syntaxes, ts)
			}
		}
	}
	return dimse.SubOperation{
		SOPClassUID: ref.SOPClassUID, SOPInstanceUID: ref.SOPInstanceUID, TransferSyntaxes: syntaxes,
		Open: func(ctx context.Context, accepted []string) (io.ReadCloser, string, error) {
			return s.open(ctx, ref, accepted)
		},
	}
}

// open gives a data set as it was stored where the receiver takes it, else
// converted into the first native syntax it takes.
func (s *Service) open(ctx context.Context, ref archive.InstanceRef, accepted []string) (io.ReadCloser, string, error) {
	o, err := s.Archive.Open(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	if slices.Contains(accepted, ref.TransferSyntaxUID) {
		return body{o.DataSet(), o}, ref.TransferSyntaxUID, nil
	}
	for _, ts := range nativeSyntaxes() {
		if !slices.Contains(accepted, ts) {
			continue
		}
		r, err := convert(o, ref, ts)
		if err != nil {
			return nil, "", errors.Join(err, o.Close())
		}
		return r, ts, nil
	}
	return nil, "", errors.Join(fault.Newf(fault.Unsupported, "pacs: stored as %s, which the receiver does not take", uid.Name(ref.TransferSyntaxUID)), o.Close())
}

type body struct {
	io.Reader
	io.Closer
}

// bulkThreshold is the length in bytes above which values stay in the file
// while an object is converted.
const bulkThreshold = 64 << 10

// convert streams the data set of o in another transfer syntax.
func convert(o *archive.Object, ref archive.InstanceRef, ts string) (io.ReadCloser, error) {
	ds, err := dicom.Decode(o.DataSet(), dicom.DecodeOptions{
		TransferSyntax: ref.TransferSyntaxUID, BulkThreshold: bulkThreshold, Source: o, Base: o.DataSetOffset,
	})
	if err != nil {
		return nil, err
	}
	out, err := pixel.Transcode(ds, ref.TransferSyntaxUID, ts)
	if err != nil {
		return nil, err
	}
	return stream.Of(o, func(w io.Writer) error { return dicom.Encode(w, out, ts) }), nil
}
