package sign

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// errBytes: more was to be read than Limits.Bytes allow.
var errBytes = errors.New("sign: more bytes than the limits allow")

// pieceSize is how many bytes of a value are read between two looks at whether
// the caller gave up.
const pieceSize = 1 << 20

// allowed reports a tag that may be part of a MAC: left out are what may change
// without harm, and signatures themselves (PS3.3 C.12.1.1.3.1.1).
func allowed(t dicom.Tag) bool {
	switch {
	case t.Group() < 0x0008, t.Element() == 0, t == tag.LengthToEnd:
		return false
	case t.Group() == 0xFFFA, t == tag.MACParametersSequence, t == tag.DataSetTrailingPadding:
		return false
	}

	return true
}

// holdsUnknown reports a value of VR UN, or a sequence with one inside: how it
// is encoded depends on who writes it, so it is never signed.
func holdsUnknown(el dicom.Element) bool {
	if unknown(el) {
		return true
	}
	for _, item := range el.Items() {
		for inner := range item.Walk() {
			if unknown(inner.Element) {
				return true
			}
		}
	}

	return false
}

func unknown(el dicom.Element) bool {
	vr, _ := written(el)

	return vr == dicom.UN || !vr.Known()
}

// written is the VR with which a value goes into the byte stream, and its bytes
// with padding. One that is too long for its VR goes as UN (PS3.5 6.2.2).
func written(el dicom.Element) (dicom.VR, int64) {
	n := el.ValueLength()
	n += n & 1
	if el.Sequence() || el.Encapsulated() {
		return el.VR, n
	}
	if n > 0xFFFF && !el.VR.Long() {
		return dicom.UN, n
	}

	return el.VR, n
}

// stream writes elements as the MAC wants them: explicit VR little endian, but
// for sequences and fragments, which stand without lengths and with one
// delimiter at the end (PS3.3 C.12.1.1.3.1.2).
type stream struct {
	w    io.Writer
	left *int64 // bytes that may still be written
	buf  [12]byte
}

// dataSet writes the listed elements of ds, in its own order whatever the order
// of the list is.
func (s *stream) dataSet(ctx context.Context, ds *dicom.DataSet, list map[dicom.Tag]bool) error {
	for el := range ds.All() {
		if !list[el.Tag] || !allowed(el.Tag) || holdsUnknown(el) {
			continue
		}
		if err := s.element(ctx, el); err != nil {
			return err
		}
	}

	return nil
}

// signatureItem writes what a signature says of itself: all of its item but for
// what is known after signing only.
func (s *stream) signatureItem(ctx context.Context, item *dicom.DataSet) error {
	for el := range item.All() {
		switch el.Tag {
		case tag.CertificateOfSigner, tag.Signature, tag.CertifiedTimestampType, tag.CertifiedTimestamp:
			continue
		}
		if !allowed(el.Tag) {
			continue
		}
		if err := s.element(ctx, el); err != nil {
			return err
		}
	}

	return nil
}

func (s *stream) element(ctx context.Context, el dicom.Element) error {
	switch {
	case el.Sequence():
		return s.sequence(ctx, el)
	case el.Encapsulated():
		return s.fragments(ctx, el)
	}
	vr, n := written(el)
	b := s.header(el.Tag, vr)
	if vr.Long() {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	} else {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	if err := s.write(ctx, b); err != nil {
		return err
	}

	r, err := el.Open()
	if err != nil {
		return err
	}

	return s.value(ctx, r, el.ValueLength(), vr)
}

// header is the tag, the VR and the reserved bytes.
func (s *stream) header(t dicom.Tag, vr dicom.VR) []byte {
	b := binary.LittleEndian.AppendUint16(s.buf[:0], t.Group())
	b = binary.LittleEndian.AppendUint16(b, t.Element())
	if vr == 0 {
		return b
	}
	b = append(b, byte(vr>>8), byte(vr))
	if vr.Long() {
		b = append(b, 0, 0)
	}

	return b
}

func (s *stream) sequence(ctx context.Context, el dicom.Element) error {
	if err := s.write(ctx, s.header(el.Tag, el.VR)); err != nil {
		return err
	}
	for _, item := range el.Items() {
		if err := s.write(ctx, s.header(tag.Item, 0)); err != nil {
			return err
		}
		for inner := range item.All() {
			if !allowed(inner.Tag) {
				continue
			}
			if err := s.element(ctx, inner); err != nil {
				return err
			}
		}
	}

	return s.write(ctx, s.header(tag.SequenceDelimitationItem, 0))
}

func (s *stream) fragments(ctx context.Context, el dicom.Element) error {
	if err := s.write(ctx, s.header(el.Tag, el.VR)); err != nil {
		return err
	}
	// The offset table is the first item, and is there even when it is empty
	// (PS3.5 A.4).
	if err := s.write(ctx, s.header(tag.Item, 0)); err != nil {
		return err
	}
	if err := s.write(ctx, el.OffsetTable()); err != nil {
		return err
	}
	for i := range el.FragmentCount() {
		if err := s.write(ctx, s.header(tag.Item, 0)); err != nil {
			return err
		}
		r, err := el.OpenFragment(i)
		if err != nil {
			return err
		}
		if err := s.value(ctx, r, el.FragmentLength(i), dicom.OB); err != nil {
			return err
		}
	}

	return s.write(ctx, s.header(tag.SequenceDelimitationItem, 0))
}

// value copies n bytes and pads them (PS3.5 6.2).
func (s *stream) value(ctx context.Context, r io.Reader, n int64, vr dicom.VR) error {
	if err := s.take(ctx, n+n&1); err != nil {
		return err
	}
	for left := n; left > 0; left -= min(left, pieceSize) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(s.w, r, min(left, pieceSize)); errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
	if n&1 == 0 {
		return nil
	}
	pad := byte(0)
	if vr.Text() && vr != dicom.UI {
		pad = ' '
	}
	_, err := s.w.Write([]byte{pad})

	return err
}

func (s *stream) write(ctx context.Context, b []byte) error {
	if err := s.take(ctx, int64(len(b))); err != nil {
		return err
	}
	_, err := s.w.Write(b)

	return err
}

// take counts bytes before they are read, so that a limit costs nothing more.
func (s *stream) take(ctx context.Context, n int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if *s.left < n {
		return errBytes
	}
	*s.left -= n

	return nil
}
