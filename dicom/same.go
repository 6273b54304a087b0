package dicom

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Encoded is a data set as a stream in a transfer syntax, without Part 10 header.
type Encoded struct {
	Data           io.Reader
	TransferSyntax string // UID; empty is implicit VR little endian
}

// SameElements reports whether two data sets hold the same elements with the same
// values. Both are read once, side by side, in constant memory, within the limits. What may differ
// is how they are written: byte order, implicit or explicit VR, defined or
// undefined lengths, group lengths, padding at the end of a value, deflation.
// Encapsulated pixel data are the same only fragment by fragment: to show that
// two codings hold the same picture both would have to be decoded. One that ends too early
// is another one; the error is that of a data set that cannot be read.
func SameElements(x, y Encoded, limits Limits) (bool, error) {
	xts, _ := LookupTransferSyntax(x.TransferSyntax)
	yts, _ := LookupTransferSyntax(y.TransferSyntax)
	if xts.UID != yts.UID && (xts.Encapsulated || yts.Encapsulated) {
		return false, nil // the same bytes mean another picture there
	}

	return sameElements(newWalk(x, xts, limits), newWalk(y, yts, limits), limits)
}

func newWalk(e Encoded, ts TransferSyntax, limits Limits) *walk {
	d := NewDecoder(e.Data, DecodeOptions{TransferSyntax: e.TransferSyntax, Limits: limits})
	return &walk{decoder: d, bigEndian: ts.BigEndian}
}

// walk is one of the two data sets.
type walk struct {
	decoder   *Decoder
	bigEndian bool
	depth     int   // of the sequence that the decoder reads; 0 for the data set
	outer     *walk // where it goes on behind that sequence
	whole     int64 // bytes of that sequence with its header and delimiter
}

// errNoSequence: a value that was read as a sequence is not one.
var errNoSequence = errors.New("dicom: the value is not a sequence")

// next is the next event that counts; io.EOF at the end.
func (w *walk) next() (Event, error) {
	for {
		ev, err := w.decoder.Next()
		if err == io.EOF && w.outer != nil {
			*w = *w.outer
			continue
		}
		if err != nil && w.outer != nil {
			return ev, errors.Join(errNoSequence, err)
		}
		if err != nil {
			return ev, err
		}
		if w.outer != nil && ev.Kind == SequenceEnd && ev.Depth == 0 && w.decoder.Offset() != w.whole {
			return ev, errNoSequence // it ended before the value did
		}
		ev.Depth += w.depth
		if ev.Kind == ElementEvent && (ev.Tag.GroupLength() && ev.Length == 4 || ev.Tag == tag.DataSetTrailingPadding) {
			continue
		}

		return ev, nil
	}
}

// descend reads the value of an element of VR UN as the sequence that it is in
// the other data set. An implicit encoding does not tell a private sequence of
// defined length from bytes; its items are Implicit VR Little Endian (PS3.5
// 6.2.2). It returns the beginning of the sequence.
func (w *walk) descend(ev Event, limits Limits) (Event, error) {
	head := make([]byte, 0, 8)
	head = binary.LittleEndian.AppendUint16(head, ev.Tag.Group())
	head = binary.LittleEndian.AppendUint16(head, ev.Tag.Element())
	head = binary.LittleEndian.AppendUint32(head, UndefinedLength)
	end := []byte{0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0} // Sequence Delimitation Item

	outer := *w
	w.outer = &outer
	w.decoder = NewDecoder(io.MultiReader(bytes.NewReader(head), outer.decoder, bytes.NewReader(end)),
		DecodeOptions{TransferSyntax: uid.ImplicitVRLittleEndian, Limits: limits})
	w.bigEndian = false
	w.depth = ev.Depth
	w.whole = int64(len(head)) + int64(ev.Length) + int64(len(end))

	return w.next()
}

func sameElements(x, y *walk, limits Limits) (bool, error) {
	for {
		xe, xerr := x.next()
		ye, yerr := y.next()
		if errors.Is(xerr, errNoSequence) || errors.Is(yerr, errNoSequence) {
			return false, nil
		}
		if xerr == io.EOF || yerr == io.EOF {
			return xerr == yerr, nil
		}
		if xerr != nil || yerr != nil {
			return false, errors.Join(xerr, yerr)
		}

		switch {
		case xe.Kind == SequenceBegin && ye.Kind == ElementEvent && ye.VR == UN && xe.Tag == ye.Tag:
			ye, yerr = y.descend(ye, limits)
		case ye.Kind == SequenceBegin && xe.Kind == ElementEvent && xe.VR == UN && xe.Tag == ye.Tag:
			xe, xerr = x.descend(xe, limits)
		}
		if xerr != nil || yerr != nil {
			return false, nil // it is not a sequence
		}

		if xe.Kind != ye.Kind || xe.Tag != ye.Tag || xe.Depth != ye.Depth || !sameVR(xe, ye) {
			return false, nil
		}
		if xe.Kind != ElementEvent && xe.Kind != FragmentEvent {
			continue
		}

		same, err := sameValue(x.value(xe), y.value(ye), slackOf(xe, ye))
		if err != nil || !same {
			return false, err
		}
	}
}

// sameVR compares what both data sets say. An implicit encoding says nothing: its
// VR is the dictionary's.
func sameVR(x, y Event) bool {
	if x.VR == y.VR || x.VR == UN || y.VR == UN {
		return true
	}

	return !x.Explicit() || !y.Explicit()
}

// slack is the bytes that may stand behind a value without meaning (PS3.5
// 6.2): of text any number of blanks, of bytes one zero that makes the length
// even.
type slack struct {
	bytes string
	most  int
}

func slackOf(x, y Event) slack {
	vr := x.VR
	if vr == UN || !x.Explicit() {
		vr = y.VR
	}
	switch {
	case vr.Text():
		return slack{bytes: " \x00", most: math.MaxInt}
	case vr == OB || vr == UN:
		return slack{bytes: "\x00", most: 1}
	}

	return slack{}
}

// value reads a value in little endian byte order.
func (w *walk) value(ev Event) io.Reader {
	n := ev.VR.WordSize()
	if !w.bigEndian || n == 1 {
		return w.decoder
	}

	return &swapped{r: w.decoder, size: n}
}

// swapped turns round the bytes of each word.
type swapped struct {
	r    io.Reader
	size int
}

// Read implements io.Reader for pieces of whole words, which is what sameValue
// asks for.
func (s *swapped) Read(p []byte) (int, error) {
	n, err := io.ReadFull(s.r, p[:len(p)-len(p)%s.size])
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	for i := 0; i+s.size <= n; i += s.size {
		word := p[i : i+s.size]
		for a, b := 0, s.size-1; a < b; a, b = a+1, b-1 {
			word[a], word[b] = word[b], word[a]
		}
	}

	return n, err
}

// comparePiece is how much of a value is compared at a time: a multiple of
// every word.
const comparePiece = 64 << 10

// sameValue compares two values to their ends. Where they part, all that is left
// of both must be padding.
func sameValue(x, y io.Reader, pad slack) (bool, error) {
	xb := make([]byte, comparePiece)
	yb := make([]byte, comparePiece)
	for {
		n, xerr := io.ReadFull(x, xb)
		m, yerr := io.ReadFull(y, yb)
		if err := errors.Join(notEnd(xerr), notEnd(yerr)); err != nil {
			return false, err
		}

		alike := 0
		for alike < min(n, m) && xb[alike] == yb[alike] {
			alike++
		}
		if alike < n || alike < m {
			return pad.restOf(xb[alike:n], x, yb[alike:m], y)
		}
		if n < comparePiece {
			return true, nil
		}
	}
}

// restOf reports that two values hold nothing but padding from here to their
// ends.
func (p slack) restOf(xb []byte, x io.Reader, yb []byte, y io.Reader) (bool, error) {
	only, err := p.isAll(xb, x)
	if err != nil || !only {
		return false, err
	}

	return p.isAll(yb, y)
}

func (p slack) isAll(b []byte, rest io.Reader) (bool, error) {
	piece := make([]byte, comparePiece)
	for left := p.most; ; {
		if left -= len(b); left < 0 || len(bytes.Trim(b, p.bytes)) > 0 {
			return false, nil
		}
		n, err := io.ReadFull(rest, piece)
		if notEnd(err) != nil {
			return false, err
		}
		if n == 0 {
			return true, nil
		}
		b = piece[:n]
	}
}

func notEnd(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}

	return err
}
