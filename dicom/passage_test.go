package dicom

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// passed lets a data set pass, or says why it does not.
func passed(raw io.Reader, ts string) ([]byte, error) {
	p, err := ReadPassage(raw, DecodeOptions{TransferSyntax: ts})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	n, err := p.WriteTo(&out)
	if err == nil && n != int64(out.Len()) {
		err = errors.New("WriteTo counts wrong")
	}
	return out.Bytes(), err
}

func TestTheCorpusPassesWithTheSameElements(t *testing.T) {
	t.Parallel()
	refused := 0
	for _, c := range corpus(t, shared(t, "letting some 900 real files pass")) {
		raw, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ReadFile(bytes.NewReader(raw), DecodeOptions{})
		if err != nil || !c.readable {
			continue
		}

		got, err := passed(bytes.NewReader(raw[f.DataSetOffset:]), f.TransferSyntax)
		if err != nil {
			t.Logf("%s: %v", c.path, err)
			refused++
			continue
		}
		if len(got)&1 == 1 {
			t.Errorf("%s: of odd length", c.path)
		}

		want, err := f.DataSet.Evened()
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		back, err := Decode(bytes.NewReader(got), DecodeOptions{TransferSyntax: f.TransferSyntax})
		if err != nil || !back.Equal(want) {
			t.Errorf("%s: other elements, %v", filepath.Base(c.path), err)
		}
	}
	if refused > 8 {
		t.Errorf("%d files do not pass", refused)
	}
}

func TestWhatPassesIsWhatWasSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ds := drawn(t, 2)
		ds.Set(NewElement(tag.PixelData, OW, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "pixels")))
		if rapid.Bool().Draw(t, "behind") {
			ds.SetItems(tag.DigitalSignaturesSequence, drawn(t, 1), NewDataSet())
			ds.Set(NewElement(tag.DataSetTrailingPadding, OB, []byte{0, 0}))
		}
		o := EncodeOptions{TransferSyntax: rapid.SampledFrom(nativeSyntaxes).Draw(t, "syntax"), UndefinedLengths: rapid.Bool().Draw(t, "undefined")}

		sent := encoded(t, ds, o)
		want, err := Decode(bytes.NewReader(sent), DecodeOptions{TransferSyntax: o.TransferSyntax})
		if err != nil {
			t.Fatal(err)
		}
		got, err := passed(bytes.NewReader(sent), o.TransferSyntax)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(bytes.NewReader(got), DecodeOptions{TransferSyntax: o.TransferSyntax})
		if even, _ := want.Evened(); err != nil || !back.Equal(even) {
			t.Fatalf("other elements: %v", err)
		}
	})
}

// Of an element that stands twice, one reader takes the first and another the
// last; so neither gets it.
func TestWhatTwoReadersWouldReadDifferentlyDoesNotPass(t *testing.T) {
	t.Parallel()
	id := func(s string) []byte {
		ds := NewDataSet()
		ds.Set(NewElement(tag.PatientID, LO, []byte(s)))
		return encoded(t, ds, EncodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	}
	pixels := NewDataSet()
	pixels.Set(NewElement(tag.PixelData, OW, []byte{1, 2}))
	image := encoded(t, pixels, EncodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	odd := []byte("\xE0\x7F\x10\x00OB\x00\x00\xFF\xFF\xFF\xFF" + "\xFE\xFF\x00\xE0\x00\x00\x00\x00" + // no offset table
		"\xFE\xFF\x00\xE0\x01\x00\x00\x00a" + "\xFE\xFF\x00\xE0\x02\x00\x00\x00bc" + "\xFE\xFF\xDD\xE0\x00\x00\x00\x00")

	for name, c := range map[string]struct {
		sent []byte
		ts   string
		want error
	}{
		"twice in the head":        {append(id("ZZPHI1"), id("ZZPHI2")...), uid.ExplicitVRLittleEndian, nil},
		"behind the pixel data":    {append(bytes.Clone(image), id("ZZPHI2")...), uid.ExplicitVRLittleEndian, nil},
		"pixel data twice":         {append(bytes.Clone(image), image...), uid.ExplicitVRLittleEndian, nil},
		"a fragment of odd length": {odd, uid.JPEGBaseline8Bit, ErrEncapsulated},
		"cut off":                  {image[:len(image)-1], uid.ExplicitVRLittleEndian, io.ErrUnexpectedEOF},
	} {
		_, err := passed(bytes.NewReader(c.sent), c.ts)
		if _, syntax := errors.AsType[*SyntaxError](err); !syntax && !errors.Is(err, ErrEncapsulated) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// endless gives zeros without an end, and counts them.
type endless struct{ given int64 }

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.given += int64(len(p))
	return len(p), nil
}

// The head is judged before the pixel data have come, and what is not let pass is
// not read.
func TestNothingOfThePixelDataIsReadForTheHead(t *testing.T) {
	ds := NewDataSet()
	ds.Set(NewElement(tag.PatientID, LO, []byte("ZZPHI1")))
	head := encoded(t, ds, EncodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	const gigabyte = 1 << 30
	head = append(head, 0xE0, 0x7F, 0x10, 0x00, 'O', 'W', 0, 0, 0, 0, 0, 0x40) // of 1 GiB
	rest := &endless{}

	p, err := ReadPassage(io.MultiReader(bytes.NewReader(head), io.LimitReader(rest, gigabyte)), DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil || p.Head.Text(tag.PatientID) != "ZZPHI1" || p.Head.Has(tag.PixelData) {
		t.Fatal(err)
	}
	if rest.given > bufferSize {
		t.Errorf("%d bytes of pixel data were read", rest.given)
	}

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = p.WriteTo(io.Discard)
	runtime.ReadMemStats(&after)
	if err != nil || rest.given < gigabyte {
		t.Errorf("%d bytes came, %v", rest.given, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated for the pixel data", grown)
	}
}

func FuzzPassage(f *testing.F) {
	ds := NewDataSet()
	ds.Set(NewElement(tag.Rows, US, []byte{1, 2}))
	ds.SetItems(tag.ContentSequence, NewDataSet(), ds.Clone())
	ds.Set(NewFragments(tag.PixelData, OB, nil, []byte{1, 2}))
	ds.SetItems(tag.DigitalSignaturesSequence, ds.Clone())
	for i := range 3 {
		var b bytes.Buffer
		if encode(&b, ds, [...]form{0, formExplicit, formExplicit | formBig}[i], EncodeOptions{UndefinedLengths: true}) == nil {
			f.Add(b.Bytes(), byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, syntax byte) {
		ts := nativeSyntaxes[syntax%3]
		got, err := passed(bytes.NewReader(raw), ts)
		if err != nil {
			return
		}
		sent, err := Decode(bytes.NewReader(raw), DecodeOptions{TransferSyntax: ts})
		if err != nil {
			t.Fatalf("passes and cannot be read: %v", err)
		}
		back, err := Decode(bytes.NewReader(got), DecodeOptions{TransferSyntax: ts})
		if err != nil {
			t.Fatalf("cannot be read any more: %v", err)
		}
		if even, err := sent.Evened(); err != nil || !back.Equal(even) {
			t.Fatalf("other elements: %v", err)
		}
	})
}

func TestValuesBehindTheHeadAreShownBeforeTheyAreWritten(t *testing.T) {
	t.Parallel()
	item := NewDataSet()
	item.Set(NewElement(tag.New(0x7FE1, 0x1001), OB, []byte("inside")))
	ds := NewDataSet()
	ds.Set(NewElement(tag.New(0x0009, 0x1001), OB, []byte("head")))
	ds.Set(NewFragments(tag.PixelData, OB, nil, []byte("one "), []byte("two "), []byte("3   "), []byte("4   "), []byte("five")))
	ds.SetItems(tag.New(0x7FE1, 0x1000), item)
	ds.Set(NewElement(tag.DataSetTrailingPadding, OB, append([]byte("padding!"), make([]byte, 100_000)...)))
	var raw bytes.Buffer
	if err := Encode(&raw, ds, uid.RLELossless); err != nil {
		t.Fatal(err)
	}

	stop := errors.New("stop")
	for end, want := range map[string]string{"": "one |two |3   |4   |inside|padding!", "inside": "one |two |3   |4   |inside"} {
		p, err := ReadPassage(bytes.NewReader(raw.Bytes()), DecodeOptions{TransferSyntax: uid.RLELossless})
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		p.Look = func(el Element) error {
			b := el.Bytes()
			if len(b) > LookSize {
				t.Errorf("%s: shown %d bytes", el.Tag, len(b))
			}
			seen = append(seen, string(b[:min(len(b), 8)]))
			if end != "" && string(b) == end {
				return stop
			}
			return nil
		}
		var out bytes.Buffer
		_, err = p.WriteTo(&out)
		if got := strings.Join(seen, "|"); got != want {
			t.Errorf("shown %q, want %q", got, want)
		}
		if end == "" && err != nil || end != "" && (!errors.Is(err, stop) || bytes.Contains(out.Bytes(), []byte("inside"))) {
			t.Errorf("%q: %v", end, err)
		}
	}
}

func TestFragmentsAreShownWhole(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), 3*LookSize)
	ds := NewDataSet()
	ds.Set(NewFragments(tag.PixelData, OB, []byte{0, 0, 0, 0}, []byte("1 "), nil, []byte("3 "), []byte("4 "), []byte("5 "), []byte("6 "), long))
	var raw bytes.Buffer
	if err := Encode(&raw, ds, uid.RLELossless); err != nil {
		t.Fatal(err)
	}

	stop := errors.New("stop")
	for _, refuses := range []bool{false, true} {
		p, err := ReadPassage(bytes.NewReader(raw.Bytes()), DecodeOptions{TransferSyntax: uid.RLELossless})
		if err != nil {
			t.Fatal(err)
		}
		var shown []*bytes.Buffer
		p.Fragments = func(of Tag) io.Writer {
			if of != tag.PixelData {
				t.Errorf("a fragment of %s", of)
			}
			shown = append(shown, &bytes.Buffer{})
			if refuses && len(shown) == 7 {
				return refusing{stop}
			}
			return shown[len(shown)-1]
		}
		n, err := p.WriteTo(io.Discard)
		if refuses {
			if !errors.Is(err, stop) || n >= int64(raw.Len()) {
				t.Errorf("%d bytes, %v", n, err)
			}
			continue
		}
		var got []string
		for _, b := range shown {
			got = append(got, b.String())
		}
		if want := []string{"1 ", "", "3 ", "4 ", "5 ", "6 ", string(long)}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%d fragments, %v", len(got), err)
		}
	}
}

type refusing struct{ err error }

// Write implements io.Writer.
func (r refusing) Write([]byte) (int, error) { return 0, r.err }
