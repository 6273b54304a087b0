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

// Decodable reports a transfer syntax whose every sound frame Decode
// understands. JPEG Extended is not one: it is understood where it has eight
// bits, and is mostly used for twelve.
func Decodable(transferSyntax string) bool {
	switch transferSyntax {
	case uid.RLELossless, uid.JPEGBaseline8Bit, uid.EncapsulatedUncompressed, uid.DeflatedImageFrame:
		return true
	}
	return false
}

// DecodableInPart reports a transfer syntax of which some sound frames at least
// are understood: those of Decodable, and JPEG Extended.
func DecodableInPart(transferSyntax string) bool {
	return Decodable(transferSyntax) || transferSyntax == uid.JPEGExtended12Bit
}

// Decode is frame n, from 1, as native little endian pixels, with the
// attributes that describe them. transferSyntax is that of the data set.
// ErrNotConvertible for a codec that is not here.
func (f *Frames) Decode(n int, transferSyntax string) (pixels []byte, a Attributes, err error) {
	a = f.Attributes
	if !f.Encapsulated() {
		pixels, err = f.Bytes(n)
		return pixels, a, err
	}
	if !DecodableInPart(transferSyntax) || f.video {
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
	return decode(raw, a, transferSyntax)
}

// decode is one compressed frame as native pixels. A frame over which a codec
// panics is damaged: it must not end what reads the other frames.
func decode(raw []byte, a Attributes, transferSyntax string) (pixels []byte, after Attributes, err error) {
	defer func() {
		if recover() != nil {
			pixels = nil
			after = a
			err = fmt.Errorf("%w: the codec gave up", ErrDamaged)
		}
	}()

	switch transferSyntax {
	case uid.RLELossless:
		pixels, err = DecodeRLE(raw, a)
	case uid.EncapsulatedUncompressed:
		pixels, err = exactly(raw, a)
	case uid.DeflatedImageFrame:
		pixels, err = inflateFrame(raw, a)
	default:
		if a.BitsAllocated != 8 {
			return nil, a, fmt.Errorf("%w: JPEG of more than eight bits", ErrNotConvertible)
		}
		return DecodeJPEG(raw, a)
	}
	return pixels, a, err
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
