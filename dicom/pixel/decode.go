package pixel

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"

	"collimator/dicom/uid"
)

// maxFrame is the bytes of a compressed frame that are read into memory per
// byte of the native frame, and on top of it: no codec here makes a frame
// much longer.
const maxFrame = 2

// Decodable reports a transfer syntax whose frames Decode understands. JPEG
// Extended is understood as far as it has eight bits.
func Decodable(transferSyntax string) bool {
	switch transferSyntax {
	case uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.EncapsulatedUncompressed, uid.DeflatedImageFrame:
		return true
	}
	return false
}

// Decode is frame n, from 1, as native little endian pixels, with the
// attributes that describe them. transferSyntax is that of the data set.
// ErrNotConvertible for a codec that is not here.
func (f *Frames) Decode(n int, transferSyntax string) ([]byte, Attributes, error) {
	a := f.Attributes
	if !f.Encapsulated() {
		b, err := f.Bytes(n)
		return b, a, err
	}
	if !Decodable(transferSyntax) {
		return nil, a, fmt.Errorf("%w: %s", ErrNotConvertible, uid.Name(transferSyntax))
	}
	if f.senseless != nil {
		return nil, a, f.senseless
	}
	if n := f.Length(n); n > maxFrame*a.FrameLength()+1<<20 {
		return nil, a, fmt.Errorf("%w: %d compressed bytes for a frame of %d", ErrDamaged, n, a.FrameLength())
	}
	raw, err := f.Bytes(n)
	if err != nil {
		return nil, a, err
	}
	switch transferSyntax {
	case uid.RLELossless:
		b, err := DecodeRLE(raw, a)
		return b, a, err
	case uid.EncapsulatedUncompressed:
		b, err := exactly(raw, a)
		return b, a, err
	case uid.DeflatedImageFrame:
		b, err := inflateFrame(raw, a)
		return b, a, err
	}
	if a.BitsAllocated != 8 {
		return nil, a, fmt.Errorf("%w: JPEG of more than eight bits", ErrNotConvertible)
	}
	return DecodeJPEG(raw, a)
}

// exactly takes the padding off a native frame.
func exactly(raw []byte, a Attributes) ([]byte, error) {
	if int64(len(raw)) < a.FrameLength() {
		return nil, fmt.Errorf("%w: frame is cut short", ErrDamaged)
	}
	return raw[:a.FrameLength()], nil
}

// inflateFrame decodes Deflated Image Frame Compression (PS3.5 A.4.13).
func inflateFrame(raw []byte, a Attributes) ([]byte, error) {
	var out bytes.Buffer
	if _, err := io.CopyN(&out, flate.NewReader(bytes.NewReader(raw)), a.FrameLength()); err != nil {
		return nil, fmt.Errorf("%w: deflated frame", ErrDamaged)
	}
	return out.Bytes(), nil
}
