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

// convert streams the data set of o in another transfer syntax. The goroutine
// ends when everything was read or the reader was closed.
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
	return startConversion(o, func(w io.Writer) error { return dicom.Encode(w, out, ts) }), nil
}

// errConversion is a panic of a conversion. Its goroutine is not the handler's,
// so nothing above would catch it and the server would end for everybody.
var errConversion = fault.New(fault.Internal, "pacs: the conversion of pixel data failed")

func startConversion(o io.Closer, encode func(io.Writer) error) *converted {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() { // ends when everything was read or the reader was closed
		defer close(done)
		err := errConversion
		defer func() {
			_ = recover()
			w.CloseWithError(err)
		}()
		err = encode(w)
	}()
	return &converted{r, done, o}
}

// converted is a data set on its way through a conversion.
type converted struct {
	*io.PipeReader
	done chan struct{}
	o    io.Closer
}

// Close stops the conversion, waits for it and closes the file.
func (c *converted) Close() error {
	c.PipeReader.Close()
	<-c.done
	return c.o.Close()
}
