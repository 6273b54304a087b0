package pixel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// describeImage makes a data set with the attributes of an image.
func describeImage(t testing.TB, rows, columns, samples, bits, frames int, photometric string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for tg, v := range map[dicom.Tag]int{tag.Rows: rows, tag.Columns: columns, tag.SamplesPerPixel: samples,
		tag.BitsAllocated: bits, tag.BitsStored: bits, tag.HighBit: bits - 1, tag.PixelRepresentation: 0, tag.NumberOfFrames: frames} {
		if err := ds.SetInt(tg, int64(v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ds.SetText(tag.PhotometricInterpretation, photometric); err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestFramesAreFoundByTablesAndCounts(t *testing.T) {
	t.Parallel()
	frag := func(s string) []byte { return []byte(s) }
	table := func(offsets ...uint32) (b []byte) {
		for _, o := range offsets {
			b = binary.LittleEndian.AppendUint32(b, o)
		}
		return b
	}
	for name, c := range map[string]struct {
		table  []byte
		frags  [][]byte
		frames int
		want   []string
		err    error
	}{
		"table":                      {table(0, 20), [][]byte{frag("aa"), frag("bb"), frag("cc")}, 2, []string{"aabb", "cc"}, nil},
		"one fragment each":          {nil, [][]byte{frag("aa"), frag("bbbb")}, 2, []string{"aa", "bbbb"}, nil},
		"all for a single frame":     {nil, [][]byte{frag("aa"), frag("bb")}, 1, []string{"aabb"}, nil},
		"table that lies":            {table(0, 7), [][]byte{frag("aa"), frag("bb")}, 2, []string{"aa", "bb"}, nil},
		"table that runs backwards":  {table(0, 0), [][]byte{frag("aa"), frag("bb")}, 2, []string{"aa", "bb"}, nil},
		"table of another length":    {table(0), [][]byte{frag("aa"), frag("bb")}, 2, []string{"aa", "bb"}, nil},
		"nothing that fits":          {nil, [][]byte{frag("aa"), frag("bb"), frag("cc")}, 2, nil, ErrFrames},
		"no fragments":               {nil, nil, 1, nil, ErrFrames},
		"JPEG in parts, no table":    {nil, [][]byte{frag("\xFF\xD8aa"), frag("bb"), frag("\xFF\xD8cc"), frag("dd")}, 2, []string{"\xFF\xD8aabb", "\xFF\xD8ccdd"}, nil},
		"JPEG 2000 in parts":         {nil, [][]byte{frag("\xFF\x4F\xFF\x51"), frag("bb"), frag("\xFF\x4F\xFF\x51cc")}, 2, []string{"\xFF\x4F\xFF\x51bb", "\xFF\x4F\xFF\x51cc"}, nil},
		"parts and an empty end":     {nil, [][]byte{frag("\xFF\xD8"), frag("bb"), frag("\xFF\xD8"), frag("")}, 2, []string{"\xFF\xD8bb", "\xFF\xD8"}, nil},
		"marks for other frames":     {nil, [][]byte{frag("\xFF\xD8"), frag("\xFF\xD8"), frag("\xFF\xD8"), frag("dd")}, 2, nil, ErrFrames},
		"first fragment unmarked":    {nil, [][]byte{frag("aa"), frag("\xFF\xD8"), frag("\xFF\xD8")}, 2, nil, ErrFrames},
		"an empty fragment behind":   {nil, [][]byte{frag("aa"), frag("bbbb"), frag("")}, 2, []string{"aa", "bbbb"}, nil},
		"only empty fragments":       {nil, [][]byte{frag(""), frag("")}, 2, []string{"", ""}, nil},
		"more frames than fragments": {table(0, 10), [][]byte{frag("aa")}, 1 << 30, nil, ErrFrames},
	} {
		ds := describeImage(t, 1, 2, 1, 8, c.frames, "MONOCHROME2")
		ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, c.table, c.frags...))
		f, err := Index(ds)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v", name, err)
		}
		if err != nil {
			continue
		}
		if f.Len() != len(c.want) {
			t.Errorf("%s: %d frames", name, f.Len())
			continue
		}
		for i, want := range c.want {
			if b, err := f.Bytes(i + 1); err != nil || string(b) != want || f.Length(i+1) != int64(len(want)) {
				t.Errorf("%s: frame %d is %q, %v", name, i+1, b, err)
			}
		}
		if _, err := f.Open(len(c.want) + 1); !errors.Is(err, ErrNoFrame) {
			t.Errorf("%s: frame behind the last: %v", name, err)
		}
	}
}

func TestExtendedOffsetTableGivesLengths(t *testing.T) {
	t.Parallel()
	ds := describeImage(t, 1, 3, 1, 8, 2, "MONOCHROME2")
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("abc\x00"), []byte("def\x00")))
	for tg, v := range map[dicom.Tag][]uint64{tag.ExtendedOffsetTable: {0, 12}, tag.ExtendedOffsetTableLengths: {3, 3}} {
		var b []byte
		for _, n := range v {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		ds.Set(dicom.NewElement(tg, dicom.OV, b))
	}
	f, err := Index(ds)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.Bytes(2); err != nil || string(b) != "def" {
		t.Errorf("frame 2 is %q, %v", b, err)
	}
	out, err := Transcode(t.Context(), ds, uid.EncapsulatedUncompressed, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	if out.Has(tag.ExtendedOffsetTable) || out.Has(tag.ExtendedOffsetTableLengths) {
		t.Error("the extended offset table is still there in a native data set")
	}
	el, _ := out.Get(tag.PixelData)
	if b := content(t, el); string(b) != "abcdef" {
		t.Errorf("pixel data are %q", b)
	}
}

func TestFramesOfOneBitArePackedAnew(t *testing.T) {
	t.Parallel()
	ds := describeImage(t, 3, 3, 1, 1, 3, "MONOCHROME2") // 9 bits a frame
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, []byte{0xFF, 0x01, 0xFC, 0x07}))
	f, err := Index(ds)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]byte{{0xFF, 1}, {0, 0}, {0xFF, 1}} {
		if b, err := f.Bytes(i + 1); err != nil || !bytes.Equal(b, want) {
			t.Errorf("frame %d is % x, %v", i+1, b, err)
		}
	}
	var k packer
	var joined []byte
	for i := range 3 {
		b, _ := f.Bytes(i + 1)
		joined = append(joined, k.add(b, 9, i == 2)...)
	}
	if !bytes.Equal(joined, []byte{0xFF, 0x01, 0xFC, 0x07}) {
		t.Errorf("joined again they are % x", joined)
	}
}

// countingAt counts the bytes that are asked for.
type countingAt struct {
	b    []byte
	read int
}

func (c *countingAt) ReadAt(p []byte, off int64) (int, error) {
	c.read += len(p)
	return bytes.NewReader(c.b).ReadAt(p, off)
}

func TestFrameIsReadWithoutTheOthers(t *testing.T) {
	t.Parallel()
	const frame, frames = 64 << 10, 16
	ds := describeImage(t, 256, 256, 1, 8, frames, "MONOCHROME2")
	raw := make([]byte, frame*frames)
	for i := range raw {
		raw[i] = byte(i / frame)
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, raw))
	for _, ts := range []string{uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
		var buf bytes.Buffer
		if err := dicom.WriteFile(&buf, &dicom.File{Meta: dicom.NewDataSet(), DataSet: ds, TransferSyntax: ts}); err != nil {
			t.Fatal(err)
		}
		src := &countingAt{b: buf.Bytes()}
		file, err := dicom.OpenFile(src, int64(buf.Len()), dicom.DecodeOptions{TransferSyntax: ts})
		if err != nil {
			t.Fatal(err)
		}
		f, err := Index(file.DataSet)
		if err != nil {
			t.Fatal(err)
		}
		src.read = 0
		b, err := f.Bytes(9)
		if err != nil || len(b) != frame || b[0] != 8 || b[frame-1] != 8 {
			t.Errorf("%s: frame 9 has %d bytes, %v", ts, len(b), err)
		}
		if src.read > 2*frame {
			t.Errorf("%s: %d bytes were read for a frame of %d", ts, src.read, frame)
		}
	}
}

// encodeRLE makes a frame of literal runs and repeats (PS3.5 G).
func encodeRLE(planes ...[]byte) []byte {
	out := make([]byte, rleHeader)
	binary.LittleEndian.PutUint32(out, uint32(len(planes)))
	for s, p := range planes {
		binary.LittleEndian.PutUint32(out[4+4*s:], uint32(len(out)))
		for len(p) > 0 {
			run := 1
			for run < len(p) && run < 128 && p[run] == p[0] {
				run++
			}
			if run > 1 {
				out = append(out, byte(1-run), p[0])
			} else {
				out = append(out, 0, p[0])
			}
			p = p[run:]
		}
		if len(out)&1 == 1 {
			out = append(out, 0x80)
		}
	}
	return out
}

func TestRLEFormsDecode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a      Attributes
		planes [][]byte
		want   []byte
	}{
		"8 bits":          {Attributes{Rows: 1, Columns: 4, SamplesPerPixel: 1, BitsAllocated: 8}, [][]byte{{7, 7, 7, 1}}, []byte{7, 7, 7, 1}},
		"16 bits":         {Attributes{Rows: 1, Columns: 2, SamplesPerPixel: 1, BitsAllocated: 16}, [][]byte{{1, 2}, {3, 4}}, []byte{3, 1, 4, 2}},
		"32 bits":         {Attributes{Rows: 1, Columns: 1, SamplesPerPixel: 1, BitsAllocated: 32}, [][]byte{{1}, {2}, {3}, {4}}, []byte{4, 3, 2, 1}},
		"colour by pixel": {Attributes{Rows: 1, Columns: 2, SamplesPerPixel: 3, BitsAllocated: 8}, [][]byte{{1, 2}, {3, 4}, {5, 6}}, []byte{1, 3, 5, 2, 4, 6}},
		"colour by plane": {Attributes{Rows: 1, Columns: 2, SamplesPerPixel: 3, BitsAllocated: 8, PlanarConfiguration: 1}, [][]byte{{1, 2}, {3, 4}, {5, 6}}, []byte{1, 2, 3, 4, 5, 6}},
		"colour of 16":    {Attributes{Rows: 1, Columns: 1, SamplesPerPixel: 3, BitsAllocated: 16}, [][]byte{{1}, {2}, {3}, {4}, {5}, {6}}, []byte{2, 1, 4, 3, 6, 5}},
		"one bit":         {Attributes{Rows: 3, Columns: 3, SamplesPerPixel: 1, BitsAllocated: 1}, [][]byte{{0xFF, 1}}, []byte{0xFF, 1}},
	} {
		got, err := DecodeRLE(encodeRLE(c.planes...), c.a)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, %v; want % x", name, got, err, c.want)
		}
	}
}

func TestRLEThatIsDamagedIsAnError(t *testing.T) {
	t.Parallel()
	a := Attributes{Rows: 4, Columns: 4, SamplesPerPixel: 1, BitsAllocated: 8}
	whole := encodeRLE(bytes.Repeat([]byte{9}, 16))
	lying := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(lying[4:], 0xFFFFFFF0)
	huge := a
	huge.Rows, huge.Columns = 65535, 65535
	for name, c := range map[string]struct {
		frame []byte
		a     Attributes
	}{
		"empty": {nil, a}, "header only": {whole[:64], a}, "offset outside": {lying, a}, "too short for its pixels": {whole, huge},
		"other segments": {encodeRLE([]byte{1}, []byte{2}), a},
	} {
		if _, err := DecodeRLE(c.frame, c.a); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJPEGColoursFollowThePhotometricInterpretation(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range img.Bounds().Dx() * img.Bounds().Dy() {
		img.Set(i%16, i/16, color.RGBA{200, 40, 90, 255})
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	a := Attributes{Rows: 16, Columns: 16, SamplesPerPixel: 3, BitsAllocated: 8, PhotometricInterpretation: "YBR_FULL_422"}
	got, after, err := DecodeJPEG(buf.Bytes(), a)
	if err != nil || after.PhotometricInterpretation != "RGB" || len(got) != 768 {
		t.Fatalf("%d bytes of %s, %v", len(got), after.PhotometricInterpretation, err)
	}
	if far, _ := distance(got[:3], []byte{200, 40, 90}, 4); far > 0 {
		t.Errorf("the first pixel is %v", got[:3])
	}
	a.PhotometricInterpretation = "RGB"
	raw, after, err := DecodeJPEG(buf.Bytes(), a)
	y, cb, cr := color.RGBToYCbCr(200, 40, 90)
	if far, _ := distance(raw[:3], []byte{y, cb, cr}, 4); err != nil || far > 0 || after.PhotometricInterpretation != "RGB" {
		t.Errorf("declared RGB, the components come as %v, %v", raw[:3], err)
	}
	a.Rows = 17
	if _, _, err := DecodeJPEG(buf.Bytes(), a); !errors.Is(err, ErrDamaged) {
		t.Errorf("another size: %v", err)
	}
}

func TestConvertAllocatesAFrameAtATime(t *testing.T) {
	const frames, length = 100, 256 * 256
	all := make([][]byte, frames)
	for i := range all {
		all[i] = encodeRLE(bytes.Repeat([]byte{5}, length))
	}
	ds := describeImage(t, 256, 256, 1, 8, frames, "MONOCHROME2")
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, all...))
	f := &dicom.File{DataSet: ds, TransferSyntax: uid.RLELossless, Meta: dicom.NewDataSet()}
	var largest largestWrite
	if err := Convert(t.Context(), &largest, f, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	if largest > length {
		t.Errorf("%d bytes were held for a frame of %d", largest, length)
	}
}

// largestWrite is the most bytes that came in one piece.
type largestWrite int

func (l *largestWrite) Write(p []byte) (int, error) {
	*l = max(*l, largestWrite(len(p)))
	return len(p), nil
}

func FuzzDecodeRLE(f *testing.F) {
	f.Add(encodeRLE([]byte{1, 2, 3, 4}), 2, 2, 1, 8)
	f.Add(encodeRLE([]byte{1, 2}, []byte{3, 4}), 1, 2, 1, 16)
	f.Fuzz(func(t *testing.T, b []byte, rows, columns, samples, bits int) {
		a := Attributes{Rows: rows & 0xFF, Columns: columns & 0xFF, SamplesPerPixel: 1 + samples&3, BitsAllocated: 8 * (1 + bits&3)}
		if out, err := DecodeRLE(b, a); err == nil && int64(len(out)) != a.FrameLength() {
			t.Errorf("%d bytes for a frame of %d", len(out), a.FrameLength())
		}
	})
}

func FuzzOffsetTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 10, 0, 0, 0}, []byte{}, []byte{}, 2, 3)
	f.Add([]byte{}, make([]byte, 16), make([]byte, 16), 2, 2)
	f.Fuzz(func(t *testing.T, table, offsets, lengths []byte, frames, fragments int) {
		ds := describeImage(t, 1, 2, 1, 8, max(frames&0xFFFF, 1), "MONOCHROME2")
		var frags [][]byte
		for range fragments & 0xFF {
			frags = append(frags, []byte{1, 2})
		}
		ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, table, frags...))
		ds.Set(dicom.NewElement(tag.ExtendedOffsetTable, dicom.OV, offsets))
		ds.Set(dicom.NewElement(tag.ExtendedOffsetTableLengths, dicom.OV, lengths))
		index, err := Index(ds)
		if err != nil {
			return
		}
		for n := 1; n <= index.Len(); n++ {
			b, err := index.Bytes(n)
			if err != nil || int64(len(b)) != index.Length(n) {
				t.Fatalf("frame %d: %d bytes of %d, %v", n, len(b), index.Length(n), err)
			}
		}
	})
}
