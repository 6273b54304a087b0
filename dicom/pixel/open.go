package pixel

import (
	"bufio"
	"context"
	"errors"
	"io"

	"collimator/dicom"
)

// Object is a stored data set: Size bytes of At from Offset on, in bytes.
type Object struct {
	At             io.ReaderAt
	Offset, Size   int64
	TransferSyntax string
	// Limits of reading it where it has to be converted.
	Limits dicom.Limits
	// Account bounds what reading it keeps in memory; nil bounds nothing.
	Account dicom.Account
	// Reserve, when set, is asked before frames are decoded for the bytes that this
	// holds; done is called when they are no longer held.
	Reserve func(ctx context.Context, n int64) (done func(), err error)
}

// openThreshold is the length in bytes above which values stay where they are
// while an object is converted.
const openThreshold = 64 << 10

// Open gives the data set of an object in a transfer syntax, ready to be sent:
// as it is stored where that is the syntax, else converted, and in any case of
// even length (PS3.8 E). What cannot be converted, a damaged frame
// anywhere in it included, is an error here, before the first byte:
// ErrNotConvertible, ErrDamaged, ErrFrames, or that of reading the data set. In
// the reader an error of At alone can come. Close does not close At; it waits
// until At is no longer used. Decoding ends with ctx.
func Open(ctx context.Context, o Object, transferSyntax string) (io.ReadCloser, error) {
	stored := io.NewSectionReader(o.At, o.Offset, o.Size)
	ts, _ := dicom.LookupTransferSyntax(transferSyntax)
	if o.TransferSyntax == transferSyntax {
		switch {
		case o.Size%2 == 0:
			return io.NopCloser(stored), nil
		case ts.Deflated: // PS3.5 A.5
			return io.NopCloser(io.MultiReader(stored, &zeros{n: 1})), nil
		}
	}

	ds, err := dicom.Decode(stored, dicom.DecodeOptions{
		TransferSyntax: o.TransferSyntax, Limits: o.Limits,
		BulkThreshold: openThreshold, Source: o.At, Base: o.Offset, Account: o.Account,
	})
	if err != nil {
		return nil, err
	}
	done, err := o.reserve(ctx, TranscodeCost(ds, o.TransferSyntax, transferSyntax))
	if err != nil {
		return nil, err
	}
	r, err := opened(ctx, ds, o.TransferSyntax, transferSyntax)
	if err != nil {
		done()
		return nil, err
	}
	return &reserved{r, done}, nil
}

// opened gives a data set that was read in another syntax, or that is of odd length.
func opened(ctx context.Context, ds *dicom.DataSet, from, to string) (io.ReadCloser, error) {
	ds, err := Transcode(ctx, ds, from, to)
	if err != nil {
		return nil, err
	}
	if ds, err = ds.Evened(); err != nil {
		return nil, err
	}
	return begun(dicom.Reader(ds, dicom.EncodeOptions{TransferSyntax: to}))
}

func (o Object) reserve(ctx context.Context, n int64) (done func(), err error) {
	if o.Reserve == nil || n == 0 {
		return func() {}, nil
	}
	return o.Reserve(ctx, n)
}

// reserved gives back with Close what was reserved for it.
type reserved struct {
	io.ReadCloser
	done func()
}

// Close implements io.Closer.
func (r *reserved) Close() error {
	err := r.ReadCloser.Close()
	r.done()
	return err
}

// begun is r once its first bytes are there: a data set that cannot be encoded
// at all shows before anything was sent.
func begun(r io.ReadCloser) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(r, openThreshold)
	if _, err := br.Peek(1); err != nil && err != io.EOF {
		return nil, errors.Join(err, r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{br, r}, nil
}

// zeros is n zero bytes.
type zeros struct{ n int }

// Read implements io.Reader.
func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.n)
	clear(p[:n])
	z.n -= n
	return n, nil
}
