package pixel

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// What a progressive frame may cost. Each of its scans goes over all blocks again,
// also where it has next to no bytes, and all coefficients are in memory.
const (
	maxProgressiveScans        = 24
	maxProgressiveCoefficients = 4 << 20 // of all components; four bytes each
)

// Markers of ITU-T T.81 B.1.1.3.
const (
	markerSOF0 = 0xC0
	markerSOF1 = 0xC1
	markerSOF2 = 0xC2
	markerRST0 = 0xD0
	markerRST7 = 0xD7
	markerEOI  = 0xD9
	markerSOS  = 0xDA
)

// checkScans counts, before anything is decoded, how often a decoder would go over
// the blocks of a frame (ITU-T T.81 B.2). Sequential frames have each component in
// one scan (B.2.3).
func checkScans(frame []byte, a Attributes) error {
	components := 0
	scans := 0
	most := 1
	for m := range jpegMarkers(frame) {
		switch m.code {
		case markerSOF0, markerSOF1, markerSOF2:
			if len(m.segment) < 6 {
				return fmt.Errorf("%w: JPEG header", ErrDamaged)
			}
			components = int(m.segment[5])
			if components != a.SamplesPerPixel {
				return fmt.Errorf("%w: JPEG has other components than the image", ErrDamaged)
			}

			most = components
			if m.code == markerSOF2 {
				most = maxProgressiveScans
				if int64(a.Rows)*int64(a.Columns)*int64(components) > maxProgressiveCoefficients {
					return fmt.Errorf("%w: progressive JPEG of so many pixels", ErrNotConvertible)
				}
			}
		case markerSOS:
			if scans++; scans > most {
				return fmt.Errorf("%w: JPEG of more than %d scans", ErrDamaged, most)
			}
		}
	}
	return nil
}

// jpegMarker is a marker with the bytes of its segment behind the length.
type jpegMarker struct {
	code    byte
	segment []byte
}

// jpegMarkers yields the markers that have a segment, up to the end of the image.
// Like the decoder, it steps over the entropy-coded data between them.
func jpegMarkers(b []byte) func(func(jpegMarker) bool) {
	return func(yield func(jpegMarker) bool) {
		b = b[min(2, len(b)):] // SOI
		for {
			i := bytes.IndexByte(b, 0xFF)
			if i < 0 {
				return
			}
			for b = b[i:]; len(b) > 0 && b[0] == 0xFF; {
				b = b[1:]
			}

			if len(b) == 0 || b[0] == markerEOI {
				return
			}

			code := b[0]
			b = b[1:]
			if code == 0 || code >= markerRST0 && code <= markerRST7 {
				continue
			}
			if len(b) < 2 {
				return
			}

			n := int(binary.BigEndian.Uint16(b))
			if n < 2 || n > len(b) {
				return // the decoder ends here, too
			}

			if !yield(jpegMarker{code, b[2:n]}) {
				return
			}
			b = b[n:]
		}
	}
}
