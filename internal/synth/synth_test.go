package synth_test

import (
	"bytes"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/synth"
)

func small(k synth.Kind) synth.Options {
	return synth.Options{Seed: 7, Images: 3, Frames: 3, Rows: 48, Columns: 40}
}

func read(t *testing.T, b []byte) *dicom.File {
	t.Helper()
	f, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSameSeedMakesTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, k := range synth.Kinds() {
		var a, b, other bytes.Buffer
		for f := range synth.Study(k, small(k)) {
			a.Write(synth.Bytes(f))
		}
		for f := range synth.Study(k, small(k)) {
			b.Write(synth.Bytes(f))
		}
		o := small(k)
		o.Seed++
		for f := range synth.Study(k, o) {
			other.Write(synth.Bytes(f))
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: two runs differ", k)
		}
		if bytes.Equal(a.Bytes(), other.Bytes()) {
			t.Errorf("%s: another seed makes the same", k)
		}
	}
}

func TestStudyHangsTogether(t *testing.T) {
	t.Parallel()
	for _, k := range synth.Kinds() {
		studies, series, instances := map[string]int{}, map[string]int{}, map[string]int{}
		for f := range synth.Study(k, small(k)) {
			f = read(t, synth.Bytes(f))
			for _, el := range []struct {
				t    dicom.Tag
				into map[string]int
			}{{tag.StudyInstanceUID, studies}, {tag.SeriesInstanceUID, series}, {tag.SOPInstanceUID, instances}} {
				id := f.DataSet.Text(el.t)
				if !uid.Valid(id) {
					t.Errorf("%s: %s is no UID", k, el.t.Keyword())
				}
				el.into[id]++
			}
			if f.Meta.Text(tag.MediaStorageSOPInstanceUID) != f.DataSet.Text(tag.SOPInstanceUID) || !uid.Storage(f.DataSet.Text(tag.SOPClassUID)) {
				t.Errorf("%s: meta information does not fit", k)
			}
			if len(f.Notes)+len(f.DataSet.Notes()) > 0 {
				t.Errorf("%s: %v %v", k, f.Notes, f.DataSet.Notes())
			}
		}
		wantSeries := 1
		if k == synth.CT || k == synth.MR || k == synth.SEG { // a segmentation, with as many slices as it has frames
			wantSeries = 2
		}
		if len(studies) != 1 || len(series) != wantSeries || len(instances) != 3*wantSeries {
			t.Errorf("%s: %d studies, %d series, %d instances", k, len(studies), len(series), len(instances))
		}
	}
}

func TestNamesSurviveTheirCharacterSets(t *testing.T) {
	t.Parallel()
	for _, p := range synth.Patients() {
		f := read(t, synth.Bytes(synth.First(synth.CT, synth.Options{Patient: p, Rows: 16, Columns: 16})))
		if got := f.DataSet.PersonName(tag.PatientName).Reveal(); got != p.Name {
			t.Errorf("%s: the name comes back as %q", p.Script, got)
		}
		if !strings.HasPrefix(p.Name, synth.Marker) || !strings.HasPrefix(p.ID, synth.Marker) {
			t.Errorf("%s: no marker", p.Script)
		}
	}
}

func TestEveryTransferSyntaxHoldsTheSamePixels(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind     synth.Kind
		syntaxes []string
	}{
		{synth.CT, []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian, uid.RLELossless}},
		{synth.US, []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian, uid.RLELossless}},
		{synth.SEG, []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian}},
	} {
		native := frames(t, synth.First(tc.kind, small(tc.kind)), uid.ExplicitVRLittleEndian)
		for _, ts := range tc.syntaxes {
			for _, table := range []synth.OffsetTable{synth.BasicTable, synth.ExtendedTable, synth.NoTable} {
				o := small(tc.kind)
				o.TransferSyntax, o.OffsetTable = ts, table
				got := frames(t, read(t, synth.Bytes(synth.First(tc.kind, o))), ts)
				if len(got) != len(native) {
					t.Fatalf("%s in %s: %d frames", tc.kind, uid.Name(ts), len(got))
				}
				for i := range got {
					if !bytes.Equal(got[i], native[i]) {
						t.Errorf("%s in %s: frame %d differs", tc.kind, uid.Name(ts), i+1)
					}
				}
			}
		}
	}
}

func frames(t *testing.T, f *dicom.File, ts string) (out [][]byte) {
	t.Helper()
	x, err := pixel.Index(f.DataSet)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= x.Len(); n++ {
		b, _, err := x.Decode(t.Context(), n, ts)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func TestJPEGClipsCanBeDecoded(t *testing.T) {
	t.Parallel()
	for _, table := range []synth.OffsetTable{synth.BasicTable, synth.ExtendedTable, synth.NoTable} {
		o := small(synth.US)
		o.TransferSyntax, o.OffsetTable = uid.JPEGBaseline8Bit, table
		f := read(t, synth.Bytes(synth.First(synth.US, o)))
		if got := frames(t, f, uid.JPEGBaseline8Bit); len(got) != 3 || len(got[0]) != 3*48*40 {
			t.Errorf("table %d: %d frames", table, len(got))
		}
		if f.DataSet.Text(tag.LossyImageCompression) != "01" {
			t.Error("lossy compression is not declared")
		}
	}
}

func BenchmarkCT(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(512 * 512 * 2)
	for b.Loop() {
		synth.First(synth.CT, synth.Options{})
	}
}
