package dicom

import (
	"bufio"
	"compress/flate"
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

// EncodeWith is Encode with options.
func EncodeWith(w io.Writer, ds *DataSet, o EncodeOptions) error {
	ts := TransferSyntax{}
	if o.TransferSyntax != "" {
		ts, _ = LookupTransferSyntax(o.TransferSyntax)
	}
	if err := ds.fits(o.TransferSyntax, ts); err != nil {
		return err
	}
	if !ts.Deflated {
		return encode(w, ds, ts.form(), o)
	}
	z, err := flate.NewWriter(w, flate.DefaultCompression)
	if err != nil {
		return err
	}
	if err := encode(z, ds, ts.form(), o); err != nil {
		return err
	}
	return z.Close()
}

// fits refuses to label fragments as native pixel data and the other way
// round. What came in that very syntax goes back as it came.
func (ds *DataSet) fits(id string, ts TransferSyntax) error {
	el, ok := ds.Get(tag.PixelData)
	if !ok || el.Empty() || ds.syntax == id && !ds.made {
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
	if n&1 == 1 && el.v.form != f && n != UndefinedLength {
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
