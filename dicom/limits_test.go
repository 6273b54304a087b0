package dicom

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// short is an element header of explicit VR little endian with 16-bit length.
func short(t Tag, vr string, n uint16, value string) string {
	b := binary.LittleEndian.AppendUint16(nil, t.Group())
	b = binary.LittleEndian.AppendUint16(b, t.Element())
	b = append(b, vr...)
	return string(binary.LittleEndian.AppendUint16(b, n)) + value
}

// long is one with 32-bit length.
func long(t Tag, vr string, n uint32, value string) string {
	return short(t, vr, 0, "") + string(binary.LittleEndian.AppendUint32(nil, n)) + value
}

// item is an item or delimitation item.
func item(t Tag, n uint32, value string) string {
	b := binary.LittleEndian.AppendUint16(nil, t.Group())
	b = binary.LittleEndian.AppendUint16(b, t.Element())
	return string(binary.LittleEndian.AppendUint32(b, n)) + value
}

const open = UndefinedLength

func TestBrokenDataSetsSayWhereAndWhy(t *testing.T) {
	t.Parallel()
	sq := tag.ContentSequence
	for name, c := range map[string]struct {
		raw    string
		tag    Tag
		offset int64
		path   string
		is     error
	}{
		"header cut short":          {"\x10\x00\x10\x00P", 0, 0, "", io.ErrUnexpectedEOF},
		"value cut short":           {short(tag.PatientID, "LO", 8, "abc"), tag.PatientID, 0, "", io.ErrUnexpectedEOF},
		"length of 4 GiB":           {short(tag.PatientID, "LO", 2, "ab") + long(tag.PixelData, "OW", 0xFFFFFFF0, "abc"), tag.PixelData, 10, "", ErrLimit},
		"length of 1 GB":            {long(tag.PixelData, "OW", 1_000_000_000, "abc"), tag.PixelData, 0, "", io.ErrUnexpectedEOF},
		"delimiter at the top":      {item(tag.SequenceDelimitationItem, 0, ""), tag.SequenceDelimitationItem, 0, "", nil},
		"item at the top":           {item(tag.Item, 0, ""), tag.Item, 0, "", nil},
		"element in a sequence":     {long(sq, "SQ", open, short(tag.PatientID, "LO", 0, "")), tag.PatientID, 12, "(0040,A730)", nil},
		"sequence without end":      {long(sq, "SQ", open, ""), sq, 12, "(0040,A730)", io.ErrUnexpectedEOF},
		"item without end":          {long(sq, "SQ", open, item(tag.Item, open, "")), 0, 20, "(0040,A730)[1]", io.ErrUnexpectedEOF},
		"sequence end in an item":   {long(sq, "SQ", open, item(tag.Item, open, item(tag.SequenceDelimitationItem, 0, ""))), tag.SequenceDelimitationItem, 20, "(0040,A730)[1]", nil},
		"value beyond its item":     {long(sq, "SQ", open, item(tag.Item, 0, "")+item(tag.Item, 10, short(tag.PatientID, "LO", 8, "abcdefgh"))), tag.PatientID, 28, "(0040,A730)[2]", nil},
		"LO of undefined length":    {long(tag.New(0x10, 0x10), "UT", open, ""), tag.PatientName, 0, "", nil},
		"fragment of no length":     {long(tag.PixelData, "OB", open, item(tag.Item, open, "")), tag.Item, 12, "(7FE0,0010)", nil},
		"fragments without the end": {long(tag.PixelData, "OB", open, item(tag.Item, 0, "")), tag.PixelData, 20, "(7FE0,0010)", io.ErrUnexpectedEOF},
	} {
		_, err := Decode(strings.NewReader(c.raw), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Tag != c.tag || e.Offset != c.offset || e.Path != c.path || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNestingOfAHundredThousandIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	raw := strings.Repeat(long(tag.ContentSequence, "SQ", open, item(tag.Item, open, "")), 100_000)
	start := time.Now()
	_, err := Decode(strings.NewReader(raw), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if !errors.Is(err, ErrLimit) || time.Since(start) > time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	deep := strings.Repeat(`{"0040A730":{"vr":"SQ","Value":[`, 100_000)
	if _, err := UnmarshalJSON([]byte(deep), JSONOptions{}); !errors.Is(err, ErrLimit) {
		t.Errorf("JSON: %v", err)
	}
}

func deflate(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDeflatedBombIsRefused(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	raw := deflate(t, append([]byte(long(tag.PixelData, "OW", size, "")), make([]byte, size)...))
	for _, threshold := range []int64{0, 1 << 10} {
		o := DecodeOptions{TransferSyntax: uid.DeflatedExplicitVRLittleEndian, BulkThreshold: threshold}
		if _, err := Decode(bytes.NewReader(raw), o); !errors.Is(err, ErrLimit) {
			t.Errorf("ratio, threshold %d: %v", threshold, err)
		}
		o.Limits = Limits{InflateRatio: 1 << 20, Inflated: size / 2}
		if _, err := Decode(bytes.NewReader(raw), o); !errors.Is(err, ErrLimit) {
			t.Errorf("absolute, threshold %d: %v", threshold, err)
		}
		o.Limits.Inflated = 2 * size
		if _, err := Decode(bytes.NewReader(raw), o); err != nil {
			t.Errorf("allowed, threshold %d: %v", threshold, err)
		}
	}
}

func TestDeflatedDataSetWithZlibHeaderIsRead(t *testing.T) {
	t.Parallel()
	body := deflate(t, []byte(short(tag.PatientID, "LO", 4, "1234")))
	for name, raw := range map[string][]byte{"raw": body, "zlib": append([]byte{0x78, 0x9C}, body...), "padded": append(bytes.Clone(body), 0)} {
		var seen bytes.Buffer
		ds, err := Decode(io.TeeReader(bytes.NewReader(raw), &seen), DecodeOptions{TransferSyntax: uid.DeflatedExplicitVRLittleEndian})
		if err != nil || ds.Text(tag.PatientID) != "1234" {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(seen.Bytes(), raw) {
			t.Errorf("%s: the tee saw %d of %d bytes", name, seen.Len(), len(raw))
		}
	}
}

func TestLimitsOfElementsHeaderAndFragments(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(short(tag.PatientID, "LO", 0, ""), 101)
	frags := long(tag.PixelData, "OB", open, strings.Repeat(item(tag.Item, 0, ""), 12)+item(tag.SequenceDelimitationItem, 0, ""))
	for name, c := range map[string]struct {
		raw string
		l   Limits
	}{
		"elements": {many, Limits{Elements: 100}}, "fragments": {frags, Limits{Fragments: 10}},
		"header": {short(tag.PatientID, "LO", 8, "12345678"), Limits{Header: 7}}, "value": {long(tag.PixelData, "OW", 8, "12345678"), Limits{Value: 7}},
	} {
		o := DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian}
		if _, err := Decode(strings.NewReader(c.raw), o); err != nil {
			t.Errorf("%s without limit: %v", name, err)
		}
		o.Limits = c.l
		if _, err := Decode(strings.NewReader(c.raw), o); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// zeros is a stream that never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestLargeValueIsPassedInConstantMemory(t *testing.T) {
	const size = 256 << 20
	r := io.MultiReader(strings.NewReader(short(tag.PatientID, "LO", 2, "ab")+long(tag.PixelData, "OW", size, "")), io.LimitReader(zeros{}, size))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ds, err := Decode(r, DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian, BulkThreshold: 1 << 10})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 512<<10 {
		t.Errorf("%d bytes were allocated for a value left in the stream", got)
	}
	el, _ := ds.Get(tag.PixelData)
	if b, ok := el.Bulk(); !ok || b.Offset != 22 || b.Length != size {
		t.Errorf("bulk at %d, %d bytes", b.Offset, b.Length)
	}
	if _, err := el.Open(); !errors.Is(err, ErrNoSource) {
		t.Errorf("opened without a source: %v", err)
	}
}

func TestLengthThatLiesAllocatesLittle(t *testing.T) {
	raw := long(tag.PixelData, "OW", 1<<30, "abc")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Decode(strings.NewReader(raw), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err == nil || got > 1<<20 {
		t.Errorf("%d bytes allocated, %v", got, err)
	}
}

func TestDecoderReadsTheStreamToItsEnd(t *testing.T) {
	t.Parallel()
	raw := short(tag.PatientID, "LO", 2, "ab") + long(tag.PixelData, "OB", open,
		item(tag.Item, 0, "")+item(tag.Item, 4, "abcd")+item(tag.SequenceDelimitationItem, 0, ""))
	for _, threshold := range []int64{0, 1} {
		var seen bytes.Buffer
		o := DecodeOptions{TransferSyntax: uid.JPEGBaseline8Bit, BulkThreshold: threshold, Source: strings.NewReader(raw)}
		ds, err := Decode(io.TeeReader(strings.NewReader(raw), &seen), o)
		if err != nil || seen.String() != raw {
			t.Fatalf("%d of %d bytes, %v", seen.Len(), len(raw), err)
		}
		el, _ := ds.Get(tag.PixelData)
		r, err := el.OpenFragment(0)
		if err != nil || el.FragmentCount() != 1 {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(r); string(b) != "abcd" {
			t.Errorf("fragment is %q", b)
		}
		var back bytes.Buffer
		if err := Encode(&back, ds, uid.JPEGBaseline8Bit); err != nil || back.String() != raw {
			t.Errorf("threshold %d: written back differently, %v", threshold, err)
		}
	}
}

// TestSegmentationOfAWholeBodyIsWithinTheLimits: 200,000 frames of 27 elements
// and items each.
func TestSegmentationOfAWholeBodyIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	frame := item(tag.Item, 26*8, strings.Repeat(short(tag.PatientID, "LO", 0, ""), 26))
	frames := strings.NewReader(strings.Repeat(frame, 1000))
	source := []io.Reader{strings.NewReader(long(tag.PerFrameFunctionalGroupsSequence, "SQ", open, ""))}
	for range 200 {
		source = append(source, io.NewSectionReader(frames, 0, frames.Size()))
	}
	source = append(source, strings.NewReader(item(tag.SequenceDelimitationItem, 0, "")))

	d := NewDecoder(io.MultiReader(source...), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	for {
		if _, err := d.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
