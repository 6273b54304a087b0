package pixel

import (
	"bytes"
	"compress/flate"
	"context"
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
// ErrNotConvertible for a codec that is not here. Decoding ends with ctx; Cost says
// what it holds meanwhile.
func (f *Frames) Decode(ctx context.Context, n int, transferSyntax string) (pixels []byte, a Attributes, err error) {
	a = f.Attributes
	if !f.Encapsulated() {
		pixels, err = f.Bytes(n)
		return pixels, a, err
	}
	if !DecodableInPart(transferSyntax) || f.video {
		return nil, a, fmt.Errorf("%w: %s", ErrNotConvertible, uid.Name(transferSyntax))
	}
	if f.invalid != nil {
		return nil, a, f.invalid
	}

	raw, err := f.compressed(n)
	if err != nil {
		return nil, a, err
	}
	return decode(ctx, raw, a, transferSyntax)
}

// compressed is frame n as it is stored, where it is no longer than a frame may be.
func (f *Frames) compressed(n int) ([]byte, error) {
	if length := f.Length(n); length > maxFrame*f.FrameLength()+1<<20 {
		return nil, fmt.Errorf("%w: %d compressed bytes for a frame of %d", ErrDamaged, length, f.FrameLength())
	}
	return f.Bytes(n)
}

// decode is one compressed frame as native pixels. A frame over which a codec
// panics is damaged: it must not end what reads the other frames.
func decode(ctx context.Context, raw []byte, a Attributes, transferSyntax string) (pixels []byte, after Attributes, err error) {
	defer func() {
		if recover() != nil {
			pixels = nil
			after = a
			err = fmt.Errorf("%w: the codec gave up", ErrDamaged)
		}
		if ctx.Err() != nil {
			pixels = nil
			err = context.Cause(ctx)
		}
	}()

	switch transferSyntax {
	case uid.RLELossless:
		pixels, err = decodeRLE(ctx, raw, a)
	case uid.EncapsulatedUncompressed:
		pixels, err = exactly(raw, a)
	case uid.DeflatedImageFrame:
		pixels, err = inflateFrame(ctx, raw, a)
	default:
		if a.BitsAllocated != 8 {
			return nil, a, fmt.Errorf("%w: JPEG of more than eight bits", ErrNotConvertible)
		}
		return decodeJPEG(ctx, raw, a)
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
func inflateFrame(ctx context.Context, raw []byte, a Attributes) ([]byte, error) {
	if a.FrameLength() > maxInflation*int64(len(raw)) {
		return nil, fmt.Errorf("%w: deflated frame is too short for its pixels", ErrDamaged)
	}
	out := make([]byte, a.FrameLength())
	if _, err := io.ReadFull(flate.NewReader(&untilDone{ctx, bytes.NewReader(raw)}), out); err != nil {
		return nil, fmt.Errorf("%w: deflated frame", ErrDamaged)
	}
	return out, nil
}

// maxInflation is how many bytes a deflated byte can stand for (RFC 1951 3.2.5: a
// match of 258 bytes takes two bits).
const maxInflation = 1032

// untilDone is a reader that ends with a context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (u *untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
