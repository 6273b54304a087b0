package pixel

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// corpus finds the readable files of the shared corpus, or skips.
func corpus(t *testing.T, left string) []string {
	t.Helper()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(dir, "corpus", "MANIFEST.tsv"))
	if err != nil {
		t.Skip("no shared corpus (COLLIMATOR_SHARED): left out " + left)
	}
	defer f.Close()
	var out []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		cols := strings.Split(sc.Text(), "\t")
		if cols[len(cols)-1] == "yes" {
			out = append(out, filepath.Join(dir, "corpus", cols[0]))
		}
	}
	return out
}

func open(t *testing.T, path string) *dicom.File {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := dicom.OpenFile(bytes.NewReader(raw), int64(len(raw)), dicom.DecodeOptions{BulkThreshold: 1024})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

func convert(t *testing.T, f *dicom.File, ts string) (*dicom.File, []byte, error) {
	t.Helper()
	var buf bytes.Buffer
	if err := Convert(t.Context(), &buf, f, ts); err != nil {
		return nil, nil, err
	}
	got, err := dicom.ReadFile(bytes.NewReader(buf.Bytes()), dicom.DecodeOptions{})
	if err != nil {
		t.Fatalf("the converted file cannot be read: %v", err)
	}
	return got, buf.Bytes(), nil
}

func TestNativeSyntaxesOfTheCorpusConvertThereAndBack(t *testing.T) {
	t.Parallel()
	targets := []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian}
	for i, path := range corpus(t, "converting native files") {
		if i%9 != 0 {
			continue
		}
		f := open(t, path)
		if ts, known := dicom.LookupTransferSyntax(f.TransferSyntax); ts.Encapsulated || !known {
			continue
		}
		for _, ts := range targets {
			got, raw, err := convert(t, f, ts)
			if err != nil {
				t.Errorf("%s to %s: %v", filepath.Base(path), uid.Name(ts), err)
				continue
			}
			if got.TransferSyntax != ts {
				t.Errorf("%s: labelled %s", filepath.Base(path), got.TransferSyntax)
			}
			same(t, filepath.Base(path)+" to "+uid.Name(ts), f.DataSet, got.DataSet)
			var again bytes.Buffer
			if err := Convert(t.Context(), &again, got, ts); err != nil || ts != uid.DeflatedExplicitVRLittleEndian && !bytes.Equal(again.Bytes(), raw) {
				t.Errorf("%s: written differently once more: %v", filepath.Base(path), err)
			}
		}
	}
}

// same compares what two data sets say, not how.
func same(t *testing.T, name string, want, got *dicom.DataSet) {
	t.Helper()
	if want.Len() != got.Len() {
		t.Errorf("%s: %d elements, %d before", name, got.Len(), want.Len())
		return
	}
	for el := range want.All() {
		other, _ := got.Get(el.Tag)
		if items := el.Items(); len(items) > 0 {
			if len(other.Items()) != len(items) {
				t.Errorf("%s: %v has %d items, %d before", name, el.Tag, len(other.Items()), len(items))
				continue
			}
			for i := range items {
				same(t, name, items[i], other.Items()[i])
			}
			continue
		}
		if el.Tag.GroupLength() || el.Empty() {
			continue
		}
		if a, b := content(t, el), content(t, other); !bytes.Equal(a, b) {
			t.Errorf("%s: %v became %v", name, el, other)
		}
	}
}

// content is the value in little endian, padded, whatever VR it is under.
func content(t *testing.T, el dicom.Element) []byte {
	t.Helper()
	if el.Encapsulated() {
		return bytes.Join(el.Fragments(), nil)
	}
	r, err := el.Open()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	if b.Len()&1 == 1 {
		b.WriteByte(0)
	}
	return bytes.TrimRight(b.Bytes(), " \x00")
}

func TestDecodingAgreesWithDCMTK(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	decoder := map[string]string{uid.RLELossless: "dcmdrle", uid.JPEGBaseline8Bit: "dcmdjpeg"}
	compared := map[string]int{}
	for _, path := range corpus(t, "comparing decoded frames with DCMTK") {
		f := open(t, path)
		program := decoder[f.TransferSyntax]
		if program == "" || compared[program] >= 14 {
			continue
		}
		got, _, err := convert(t, f, uid.ExplicitVRLittleEndian)
		expected := filepath.Join(dir, "out.dcm")
		if said, fails := dcmtktest.Run(t, program, path, expected); fails != nil {
			t.Logf("%s: %v, we: %v; %s", filepath.Base(path), fails, err, said)
			continue
		}
		if filepath.Base(path) == "multiframe.dcm" && errors.Is(err, ErrDamaged) {
			continue // its frame 14 is smaller than the image
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		compared[program]++
		want := open(t, expected)
		for _, el := range []dicom.Tag{tag.PhotometricInterpretation, tag.SamplesPerPixel, tag.PlanarConfiguration, tag.LossyImageCompression} {
			if a, b := want.DataSet.Text(el), got.DataSet.Text(el); a != b {
				t.Errorf("%s: %v is %q, %s has %q", filepath.Base(path), el, b, program, a)
			}
			if a, b := want.DataSet.Ints(el), got.DataSet.Ints(el); len(a) == 1 && (len(b) != 1 || a[0] != b[0]) {
				t.Errorf("%s: %v is %v, %s has %v", filepath.Base(path), el, b, program, a)
			}
		}
		a, _ := want.DataSet.Get(tag.PixelData)
		b, _ := got.DataSet.Get(tag.PixelData)
		tolerance := 0
		if program == "dcmdjpeg" {
			tolerance = 3
		}
		far, n := distance(content(t, a), content(t, b), tolerance)
		if far*8 > n || // libjpeg smoothes subsampled chrominance, which shows at edges
			program == "dcmdrle" && far > 0 || a.ValueLength() != b.ValueLength() {
			t.Errorf("%s: %d of %d bytes differ by more than %d; %v, %v", filepath.Base(path), far, n, tolerance, a, b)
		}
	}
	t.Log(compared)
}

// distance counts the bytes that differ by more than allowed.
func distance(a, b []byte, allowed int) (far, n int) {
	n = min(len(a), len(b))
	for i := range n {
		if d := int(a[i]) - int(b[i]); d > allowed || -d > allowed {
			far++
		}
	}
	return far + max(len(a), len(b)) - n, n
}

func TestConvertRefusesWhatNeedsAnotherCodec(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte{1, 2}))
	native := dicom.NewDataSet()
	native.Set(dicom.NewElement(tag.PixelData, dicom.OW, []byte{1, 2}))
	for _, c := range []struct {
		ds       *dicom.DataSet
		from, to string
	}{
		{ds, uid.JPEG2000, uid.ExplicitVRLittleEndian},
		{ds, uid.JPEG2000, uid.JPEGBaseline8Bit},
		{native, uid.ExplicitVRLittleEndian, uid.JPEGBaseline8Bit},
		{native, uid.ExplicitVRLittleEndian, "1.2.3.4"},
	} {
		var buf bytes.Buffer
		err := Convert(t.Context(), &buf, &dicom.File{DataSet: c.ds, TransferSyntax: c.from}, c.to)
		if !errors.Is(err, ErrNotConvertible) || buf.Len() > 0 {
			t.Errorf("%s to %s: %v, %d bytes written", c.from, c.to, err, buf.Len())
		}
	}
}
