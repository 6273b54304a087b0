package pixel

import (
	"context"
	"encoding/binary"
	"fmt"
)

// rleHeader is the bytes of the header of an RLE frame (PS3.5 G.5).
const rleHeader = 64

// maxRatio is how many bytes a byte can stand for: two make a run of 128.
const maxRatio = 64

// DecodeRLE decodes a frame of RLE Lossless (PS3.5 G) into native little
// endian pixels in the planar configuration of a. Memory is bounded by a, not
// by the frame.
func DecodeRLE(frame []byte, a Attributes) ([]byte, error) {
	return decodeRLE(context.Background(), frame, a)
}

// decodeRLE is DecodeRLE until ctx ends, which is asked before each segment.
func decodeRLE(ctx context.Context, frame []byte, a Attributes) ([]byte, error) {
	if len(frame) < rleHeader {
		return nil, fmt.Errorf("%w: RLE header is cut short", ErrDamaged)
	}

	segments := int(binary.LittleEndian.Uint32(frame))
	width := (a.BitsAllocated + 7) / 8
	if segments < 1 || segments > 15 || segments != a.SamplesPerPixel*width {
		return nil, fmt.Errorf("%w: %d RLE segments for %d samples of %d bytes", ErrDamaged, segments, a.SamplesPerPixel, width)
	}

	plane := a.Rows * a.Columns
	if a.BitsAllocated == 1 {
		plane = (plane + 7) / 8
	}

	// Memory is bounded by what arrived: no byte of RLE makes more than maxRatio.
	if plane*segments > maxRatio*len(frame) {
		return nil, fmt.Errorf("%w: RLE frame is too short for its pixels", ErrDamaged)
	}

	out := make([]byte, plane*segments)
	for s := range segments {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}

		sample := s / width
		b := width - 1 - s%width // the most significant byte comes first
		start := sample*width + b
		step := a.SamplesPerPixel * width
		if a.PlanarConfiguration == 1 {
			start = sample*plane*width + b
			step = width
		}

		segment, err := rleSegment(frame, s, segments)
		if err != nil {
			return nil, err
		}

		if n := unpack(out, segment, start, step, plane); n < plane {
			return nil, fmt.Errorf("%w: RLE segment %d ends after %d of %d bytes", ErrDamaged, s+1, n, plane)
		}
	}
	return out, nil
}

// rleSegment is segment s by the offsets of the header.
func rleSegment(frame []byte, s, segments int) ([]byte, error) {
	start := uint64(binary.LittleEndian.Uint32(frame[4+4*s:]))
	end := uint64(len(frame))
	if s+1 < segments {
		end = uint64(binary.LittleEndian.Uint32(frame[8+4*s:]))
	}
	if start < rleHeader || end < start || end > uint64(len(frame)) {
		return nil, fmt.Errorf("%w: RLE segment %d lies outside the frame", ErrDamaged, s+1)
	}
	return frame[start:end], nil
}

// unpack decodes PackBits (PS3.5 G.3.2) into each step-th byte of out from
// start on, n at most, and says how many bytes it wrote: fewer than n where in
// ends early, which is for the caller to judge. -128 stands for nothing.
func unpack(out, in []byte, start, step, n int) int {
	done := 0
	for len(in) > 0 && done < n {
		code := int(int8(in[0]))
		in = in[1:]

		switch {
		case code >= 0:
			literal := in[:min(code+1, len(in))]
			in = in[len(literal):]
			for _, b := range literal[:min(len(literal), n-done)] {
				out[start+done*step] = b
				done++
			}
		case code != -128 && len(in) > 0:
			for range min(1-code, n-done) {
				out[start+done*step] = in[0]
				done++
			}
			in = in[1:]
		}
	}
	return done
}
