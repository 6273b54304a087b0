package pixel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"runtime"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// segment is a marker with its segment.
func segment(marker byte, b ...byte) []byte {
	out := []byte{0xFF, marker}
	out = binary.BigEndian.AppendUint16(out, uint16(len(b)+2))
	return append(out, b...)
}

// scanBomb is a gray progressive JPEG of side by side pixels in which scans of a
// few bytes follow one another. Each goes over all blocks.
func scanBomb(side, scans int) []byte {
	blocks := (side / 8) * (side / 8)
	b := append([]byte{0xFF, 0xD8}, segment(0xDB, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	b = append(b, segment(0xC2, 8, byte(side>>8), byte(side), byte(side>>8), byte(side), 1, 1, 0x11, 0)...)
	one := append([]byte{1}, make([]byte, 15)...) // one code, of one bit
	b = append(b, segment(0xC4, append(append([]byte{0}, one...), 0)...)...)
	two := append([]byte{1, 1}, make([]byte, 14)...) // 0: EOB14, 10: EOB0
	b = append(b, segment(0xC4, append(append([]byte{0x10}, two...), 0xE0, 0)...)...)
	b = append(b, segment(0xDA, 1, 1, 0, 0, 0, 0)...)
	b = append(b, make([]byte, (blocks+7)/8)...)
	var bits []byte
	for left := blocks; left > 0; {
		n := min(left, 32767)
		if n < 16384 {
			bits = append(bits, 1, 0)
			left--
			continue
		}
		bits = append(bits, 0)
		for i := 13; i >= 0; i-- {
			bits = append(bits, byte((n-16384)>>i&1))
		}
		left -= n
	}
	var w []byte
	for i := 0; i < len(bits); i += 8 {
		v := byte(0)
		for k := range 8 {
			v <<= 1
			if i+k >= len(bits) || bits[i+k] == 1 {
				v |= 1
			}
		}
		if w = append(w, v); v == 0xFF {
			w = append(w, 0)
		}
	}
	scan := append(segment(0xDA, 1, 1, 0, 1, 0x3F, 0), w...)
	return append(append(b, bytes.Repeat(scan, scans)...), 0xFF, 0xD9)
}

func grayOf(side int) Attributes {
	return Attributes{Rows: side, Columns: side, SamplesPerPixel: 1, BitsAllocated: 8, BitsStored: 8, HighBit: 7, PhotometricInterpretation: "MONOCHROME2", NumberOfFrames: 1}
}

// TestScansAreCountedBeforeTheyAreDecoded: in a progressive frame each scan costs
// as much as the image is large, however short it is.
func TestScansAreCountedBeforeTheyAreDecoded(t *testing.T) {
	t.Parallel()
	if _, _, err := DecodeJPEG(scanBomb(1024, 8), grayOf(1024)); err != nil {
		t.Errorf("a progressive frame of nine scans: %v", err)
	}
	if _, _, err := DecodeJPEG(scanBomb(1024, 24), grayOf(1024)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a progressive frame of 25 scans: %v", err)
	}
	if _, _, err := DecodeJPEG(scanBomb(4096, 2), grayOf(4096)); !errors.Is(err, ErrNotConvertible) {
		t.Errorf("a large progressive frame: %v", err)
	}

	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, image.NewGray(image.Rect(0, 0, 64, 64)), nil); err != nil {
		t.Fatal(err)
	}
	b := plain.Bytes()
	sos := bytes.Index(b, []byte{0xFF, 0xDA})
	twice := append(append(bytes.Clone(b[:len(b)-2]), b[sos:len(b)-2]...), 0xFF, 0xD9)
	if _, _, err := DecodeJPEG(b, grayOf(64)); err != nil {
		t.Error(err)
	}
	if _, _, err := DecodeJPEG(twice, grayOf(64)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a component in two scans: %v", err)
	}
}

// TestCostIsWhatDecodingTakes holds what is allocated against what is reserved.
func TestCostIsWhatDecodingTakes(t *testing.T) { // alone: it counts bytes of the process
	for name, c := range map[string]struct {
		ts      string
		samples int
		frame   []byte
	}{
		"JPEG":        {uid.JPEGBaseline8Bit, 1, encodedJPEG(t, image.NewGray(image.Rect(0, 0, 2048, 2048)))},
		"JPEG colour": {uid.JPEGBaseline8Bit, 3, encodedJPEG(t, image.NewRGBA(image.Rect(0, 0, 2048, 2048)))},
		"progressive": {uid.JPEGBaseline8Bit, 1, scanBomb(2048, 1)},
	} {
		ds := dicom.NewDataSet()
		set(t, ds, tag.Rows, 2048)
		set(t, ds, tag.Columns, 2048)
		set(t, ds, tag.BitsAllocated, 8)
		set(t, ds, tag.SamplesPerPixel, c.samples)
		set(t, ds, tag.PhotometricInterpretation, map[int]string{1: "MONOCHROME2", 3: "YBR_FULL_422"}[c.samples])
		ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, c.frame))
		f, err := Index(ds)
		if err != nil {
			t.Fatal(err)
		}
		for what, run := range map[string]struct {
			cost int64
			do   func() error
		}{
			"decode": {f.Cost(1, c.ts), func() error { _, _, err := f.Decode(t.Context(), 1, c.ts); return err }},
			"render": {RenderCost(ds, 1, c.ts), func() error { _, err := Render(t.Context(), ds, 1, c.ts, RenderOptions{}); return err }},
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := run.do(); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
			runtime.ReadMemStats(&after)
			if took := int64(after.TotalAlloc - before.TotalAlloc); took > run.cost {
				t.Errorf("%s, %s: took %d bytes, %d were to be reserved", name, what, took, run.cost)
			}
		}
	}
}

func encodedJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestScalingHoldsAFewRows: a filter over a large image must not keep a second one
// in numbers.
func TestScalingHoldsAFewRows(t *testing.T) { // alone: it counts bytes of the process
	img := image.NewGray(image.Rect(0, 0, 4096, 4096))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	scaled(t, img, View{Width: 2048, Height: 2048})
	runtime.ReadMemStats(&after)
	if took, most := after.TotalAlloc-before.TotalAlloc, uint64(2048*2048+1<<20); took > most {
		t.Errorf("took %d bytes, want at most %d", took, most)
	}
}

// TestWorkEndsWithItsContext: nobody decodes for a client that has gone.
func TestWorkEndsWithItsContext(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)

	frame := encodedJPEG(t, image.NewGray(image.Rect(0, 0, 64, 64)))
	if _, _, err := decodeJPEG(ctx, frame, grayOf(64)); err == nil {
		t.Error("a JPEG was decoded")
	}
	rle := rleFrames(t, 3, nil)
	f, err := Index(rle)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Decode(ctx, 1, uid.RLELossless); !errors.Is(err, gone) {
		t.Errorf("decoding: %v", err)
	}
	if _, err := Transcode(ctx, rle, uid.RLELossless, uid.ExplicitVRLittleEndian); !errors.Is(err, gone) {
		t.Errorf("converting: %v", err)
	}
	if _, err := Scale(ctx, image.NewGray(image.Rect(0, 0, 9, 9)), View{Width: 3, Height: 3}); !errors.Is(err, gone) {
		t.Errorf("scaling: %v", err)
	}
}

// TestOpenReservesWhatItDecodes: before the first frame, until it is closed.
func TestOpenReservesWhatItDecodes(t *testing.T) {
	t.Parallel()
	held, asked := int64(0), int64(0)
	o := stored(t, rleFrames(t, 3, nil), uid.RLELossless)
	o.Reserve = func(_ context.Context, n int64) (func(), error) {
		held, asked = n, n
		return func() { held = 0 }, nil
	}
	r, err := Open(t.Context(), o, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	if held < 4096 {
		t.Errorf("%d bytes are reserved", held)
	}
	if _, err := io.Copy(io.Discard, r); err != nil || r.Close() != nil || held != 0 {
		t.Errorf("%v; %d bytes are held behind the end", err, held)
	}

	busy := errors.New("no room")
	o.Reserve = func(context.Context, int64) (func(), error) { return nil, busy }
	if _, err := Open(t.Context(), o, uid.ExplicitVRLittleEndian); !errors.Is(err, busy) {
		t.Errorf("without room: %v", err)
	}
	asked = 0
	if r, err := Open(t.Context(), o, uid.RLELossless); err != nil || r.Close() != nil || asked != 0 {
		t.Errorf("as it is stored: %v, %d bytes were asked for", err, asked)
	}
}
