package dicom

import (
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"io"

	"collimator/dicom/tag"
)

// EncodeOptions say how a data set is written. The zero value is implicit VR
// little endian with defined lengths.
type EncodeOptions struct {
	TransferSyntax   string // UID; empty is implicit VR little endian (PS3.5 10.1)
	UndefinedLengths bool   // sequences and items that did not come from a stream end with delimiters
}

// Encode writes ds in a transfer syntax. What was read in that syntax and not
// changed is written bit for bit as it came.
func Encode(w io.Writer, ds *DataSet, transferSyntax string) error {
	return EncodeWith(w, ds, EncodeOptions{TransferSyntax: transferSyntax})
}

// EncodeWith is Encode with options. Fragments cannot be written in a syntax of native
// pixel data, nor the other way round: that is ErrEncapsulated, and nothing is
// written.
func EncodeWith(w io.Writer, ds *DataSet, o EncodeOptions) error {
	ts := TransferSyntax{}
	if o.TransferSyntax != "" {
		ts, _ = LookupTransferSyntax(o.TransferSyntax)
	}
	if err := ds.fits(o.TransferSyntax, ts); err != nil {
		return err
	}
	if ts.Deflated {
		return encodeDeflated(w, ds, ts.form(), o)
	}
	return encode(w, ds, ts.form(), o)
}

// encodeDeflated compresses the data set as a whole; a stream of odd length is
// padded with one zero byte (PS3.5 A.5).
func encodeDeflated(w io.Writer, ds *DataSet, f form, o EncodeOptions) error {
	counted := &countingWriter{w: w}
	z, err := flate.NewWriter(counted, flate.DefaultCompression)
	if err != nil {
		return err
	}

	if err := encode(z, ds, f, o); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}

	if counted.n&1 == 1 {
		_, err = w.Write([]byte{0})
	}
	return err
}

// countingWriter counts the bytes on their way to w.
type countingWriter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// errEncoding is read where encoding ended in a way that is our own fault.
var errEncoding = errors.New("dicom: data set could not be encoded")

// Reader gives what EncodeWith writes, as a stream. Close ends the encoding and
// waits for it; sources of the data set may be closed after that. What goes
// wrong on the way, a panic of a source included, is the error that is read.
func Reader(ds *DataSet, o EncodeOptions) io.ReadCloser {
	r, w := io.Pipe()
	e := &encodingReader{PipeReader: r, done: make(chan struct{})}
	go func() { // ends when everything was read or the reader was closed
		defer close(e.done)
		err := errEncoding
		defer func() {
			_ = recover()
			w.CloseWithError(err)
		}()
		err = EncodeWith(w, ds, o)
	}()
	return e
}

// encodingReader is a data set being encoded.
type encodingReader struct {
	*io.PipeReader
	done chan struct{}
}

// Close implements io.Closer.
func (e *encodingReader) Close() error {
	err := e.PipeReader.Close()
	<-e.done
	return err
}

// fits refuses to label fragments as native pixel data and the other way
// round. What came in that very syntax goes back as it came.
func (ds *DataSet) fits(id string, ts TransferSyntax) error {
	el, ok := ds.Get(tag.PixelData)
	if !ok || el.Empty() || !ds.made && ds.root != nil && ds.root.syntax == id {
		return nil
	}
	if el.Encapsulated() != ts.Encapsulated {
		return fmt.Errorf("%w: pixel data do not fit the transfer syntax", ErrEncapsulated)
	}
	return nil
}

func encode(w io.Writer, ds *DataSet, f form, o EncodeOptions) error {
	e := &encoder{o: o}
	if !ds.clean(f) {
		e.measured = true
		e.measureDataSet(ds, f)
	}
	e.w = bufio.NewWriterSize(w, bufferSize)
	e.dataSet(ds, f)
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}

// encoder writes in two passes over the data set: the first finds the lengths
// that cannot stay as they were read, in the order in which the second needs
// them.
type encoder struct {
	w        *bufio.Writer
	o        EncodeOptions
	sizes    []uint32
	measured bool
	scratch  [12]byte
	err      error
}

// clean reports a data set that is written in form f as it was read.
func (ds *DataSet) clean(f form) bool { return !ds.changed && !ds.made && ds.form == f }

// clean reports a sequence that is written with items of form f as it was read.
func (v *value) clean(f form) bool {
	if v.more.made || v.more.content != f {
		return false
	}
	for _, item := range v.more.items {
		if !item.clean(f) {
			return false
		}
	}
	return true
}

// contentForm is how the items of el stand when el is written in form f.
func contentForm(el Element, f form) form {
	if el.VR == UN {
		return 0
	}
	return f
}

// layout is the VR, the length of the value and of the header with which a
// plain or bulk element is written in form f.
func layout(el Element, f form) (vr VR, n uint32, header int) {
	n = el.v.length
	if el.v.kind == plain {
		n = uint32(len(el.v.raw))
	}
	if n&1 == 1 && n != UndefinedLength && (el.v.form != f || el.v.more != nil && el.v.more.even) {
		n++
	}
	return headerFor(el.VR, n, f)
}

// headerFor is the VR that can carry n bytes in form f: a value too long for
// its VR is written as UN (PS3.5 6.2.2).
func headerFor(vr VR, n uint32, f form) (VR, uint32, int) {
	if f&formExplicit == 0 {
		return vr, n, 8
	}
	if n > 0xFFFF && !longForm(vr) {
		vr = UN
	}
	if longForm(vr) {
		return vr, n, 12
	}
	return vr, n, 8
}

// endsOpen reports whether a sequence or item that is not as it was read ends
// with a delimiter.
func (e *encoder) endsOpen(made bool, length uint32) bool {
	if made {
		return e.o.UndefinedLengths
	}
	return length == UndefinedLength
}
