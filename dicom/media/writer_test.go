package media

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// memory is a target in memory, and what was written to it as a file system.
type memory fstest.MapFS

func (m memory) Create(name string) (io.WriteCloser, error) {
	if m[name] != nil {
		return nil, fs.ErrExist
	}
	return &memoryFile{m: m, name: name}, nil
}

type memoryFile struct {
	bytes.Buffer
	m    memory
	name string
}

func (f *memoryFile) Close() error {
	f.m[f.name] = &fstest.MapFile{Data: f.Bytes()}
	return nil
}

// value is an element of an object of a test.
type value struct {
	tag  dicom.Tag
	text string
}

// instance is an object of a test: a CT image of a patient, study and series, with
// elements on top; an empty text takes one away.
func instance(patient, study, series, n int, more ...value) *dicom.DataSet {
	ds := dicom.NewDataSet()
	for _, v := range append([]value{
		{tag.SOPClassUID, uid.CTImageStorage},
		{tag.SOPInstanceUID, fmt.Sprintf("2.25.9.%d.%d.%d.%d", patient, study, series, n)},
		{tag.StudyDate, "20260102"}, {tag.StudyTime, "101112"}, {tag.AccessionNumber, "A1"}, {tag.Modality, "CT"},
		{tag.PatientName, fmt.Sprintf("ZZPHI^P%d", patient)}, {tag.PatientID, fmt.Sprintf("ZZPHI%d", patient)},
		{tag.StudyInstanceUID, fmt.Sprintf("2.25.9.%d.%d", patient, study)},
		{tag.SeriesInstanceUID, fmt.Sprintf("2.25.9.%d.%d.%d", patient, study, series)},
		{tag.StudyID, "S1"}, {tag.SeriesNumber, fmt.Sprint(series)}, {tag.InstanceNumber, fmt.Sprint(n)},
	}, more...) {
		ds.Delete(v.tag)
		if v.text != "" {
			ds.Set(dicom.NewElement(v.tag, dicom.VRFor(v.tag), []byte(v.text)))
		}
	}
	return ds
}

// part10 is an object as a file.
func part10(t testing.TB, ds *dicom.DataSet, syntax string) []byte {
	t.Helper()
	b := bytes.NewBuffer(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: syntax,
		ImplementationClassUID: dicom.ImplementationClassUID,
	}))
	if err := dicom.Encode(b, ds, syntax); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// from is a source of bytes.
func from(b []byte) Source {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

func newWriter(t testing.TB, to Target) *Writer {
	t.Helper()
	w, err := NewWriter(to, WriterOptions{FileSetID: "ZZ_TEST"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func add(t testing.TB, w *Writer, ds *dicom.DataSet) Added {
	t.Helper()
	added, err := w.Add(context.Background(), from(part10(t, ds, uid.ExplicitVRLittleEndian)))
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func finish(t testing.TB, w *Writer) Written {
	t.Helper()
	written, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func open(t testing.TB, fsys fs.FS) *FileSet {
	t.Helper()
	s, err := Open(fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// told is everything that is wrong with a file-set.
func told(s *FileSet) []Problem {
	list, _ := s.Directory.Problems()
	for p := range s.Directory.Check() {
		list = append(list, p)
	}
	for o := range s.Check() {
		list = append(list, o.Problems...)
	}
	return list
}

// outline is what stands where in a tree: types and identities from the root down, and
// files, a line for each record, sorted.
func outline(t testing.TB, d *Directory) string {
	t.Helper()
	var lines []string
	above := map[Record]string{}
	for r := range d.All() {
		ds, err := r.Load()
		if err != nil {
			t.Fatal(err)
		}
		ref := ReferenceOf(ds)
		above[r] = fmt.Sprintf("%s > %s %s%s%s%s %s", above[r.Parent()], r.Type(), ds.Text(tag.PatientID), ds.Text(tag.StudyInstanceUID),
			ds.Text(tag.SeriesInstanceUID), ref.SOPInstanceUID, strings.Join(ref.FileID, "/"))
		lines = append(lines, above[r])
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestWhatIsWrittenIsReadAsTheSameTree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := memory{}
		w := newWriter(t, m)
		objects := map[string]*dicom.DataSet{}
		for n := range r.IntN(60) {
			ds := instance(r.IntN(3), r.IntN(3), r.IntN(3), n)
			objects[add(t, w, ds).Path()] = ds
		}
		written := finish(t, w)

		s := open(t, fstest.MapFS(m))
		if list := told(s); len(list) > 0 {
			t.Fatalf("seed %d: %v", seed, list)
		}
		if written.Records != s.Directory.Len() || written.Objects != len(objects) || s.Directory.UID() != written.UID {
			t.Fatalf("seed %d: %+v, %d records, %d objects", seed, written, s.Directory.Len(), len(objects))
		}
		for o := range s.Check() {
			ds := objects[o.Path]
			if ds == nil || ds.Text(tag.SOPInstanceUID) != o.SOPInstanceUID {
				t.Fatalf("seed %d: %s is another object", seed, o.Path)
			}
			delete(objects, o.Path)
		}
		if len(objects) > 0 {
			t.Fatalf("seed %d: %d objects are not in the directory", seed, len(objects))
		}
	}
}

func TestTheSameObjectsMakeTheSameBytes(t *testing.T) {
	t.Parallel()
	sums := map[[32]byte]bool{}
	for range 3 {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w := newWriter(t, Zip(z))
		for n := range 5 {
			add(t, w, instance(n%2, 1, n%3, n))
		}
		finish(t, w)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		sums[sha256.Sum256(b.Bytes())] = true

		in, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if list := told(open(t, in)); len(list) > 0 {
			t.Fatal(list)
		}
	}
	if len(sums) != 1 {
		t.Errorf("%d different zips", len(sums))
	}
}

func TestAFolderIsWrittenAndNoFileOverwritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	w := newWriter(t, Folder(root))
	add(t, w, instance(1, 1, 1, 1))
	finish(t, w)
	if list := told(open(t, root.FS())); len(list) > 0 {
		t.Fatal(list)
	}

	before, err := os.ReadFile(filepath.Join(dir, "DICOMDIR"))
	if err != nil {
		t.Fatal(err)
	}
	again := newWriter(t, Folder(root))
	if _, err := again.Add(context.Background(), from(part10(t, instance(2, 1, 1, 1), uid.ExplicitVRLittleEndian))); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over a file: %v", err)
	}
	if _, err := again.Close(); err == nil {
		t.Error("finished all the same")
	}
	if after, err := os.ReadFile(filepath.Join(dir, "DICOMDIR")); err != nil || !bytes.Equal(before, after) {
		t.Error("the directory was changed")
	}
}

func TestWhatARecordNeedsIsMadeOrTheObjectIsLeftOut(t *testing.T) {
	t.Parallel()
	class := func(c string) value { return value{tag.SOPClassUID, c} }
	for _, c := range []struct {
		name string
		ds   *dicom.DataSet
		made string // keys, or what is said of an object that is left out
	}{
		{"whole", instance(1, 1, 1, 1), "[]"},
		{"no study date, but one of the content", instance(1, 1, 1, 1, value{tag.StudyDate, ""}, value{tag.ContentDate, "20260102"}), "[(0008,0020)]"},
		{"no date at all", instance(1, 1, 1, 1, value{tag.StudyDate, ""}), "StudyDate"},
		{"no time", instance(1, 1, 1, 1, value{tag.StudyTime, ""}), "[(0008,0030)]"},
		{"no patient ID", instance(1, 1, 1, 1, value{tag.PatientID, ""}), "[(0010,0020)]"},
		{"no name, which may be empty", instance(1, 1, 1, 1, value{tag.PatientName, ""}), "[]"},
		{"no numbers", instance(1, 1, 1, 1, value{tag.StudyID, ""}, value{tag.SeriesNumber, ""}, value{tag.InstanceNumber, ""}), "[(0020,0010) (0020,0011) (0020,0013)]"},
		{"blank modality", instance(1, 1, 1, 1, value{tag.Modality, "  "}), "[(0008,0060)]"},
		{"no study", instance(1, 1, 1, 1, value{tag.StudyInstanceUID, ""}), "StudyInstanceUID"},
		{"malformed series", instance(1, 1, 1, 1, value{tag.SeriesInstanceUID, "1.x"}), "SeriesInstanceUID"},
		{"leading zeros in UIDs, as equipment writes them", instance(1, 1, 1, 1, value{tag.StudyInstanceUID, "2.25.01.2"}, value{tag.SOPInstanceUID, "2.25.01.3"}), "[]"},
		{"no class", instance(1, 1, 1, 1, value{tag.SOPClassUID, ""}), "no DICOM object"},
		{"a directory", instance(1, 1, 1, 1, class(uid.MediaStorageDirectory)), "DICOMDIR"},
		{"dose", instance(1, 1, 1, 1, class(uid.RTDoseStorage)), "DoseSummationType"},
		{"dose with its type", instance(1, 1, 1, 1, class(uid.RTDoseStorage), value{tag.DoseSummationType, "PLAN"}), "[]"},
		{"report", instance(1, 1, 1, 1, class(uid.BasicTextSRStorage)), "CompletionFlag"},
		{"document", instance(1, 1, 1, 1, class(uid.EncapsulatedPDFStorage)), "[(0042,0012)]"},
		{"plan", instance(1, 1, 1, 1, class(uid.RTPlanStorage)), "[(300A,0002)]"},
		{"palette, of no patient", instance(1, 1, 1, 1, class(uid.ColorPaletteStorage), value{tag.StudyInstanceUID, ""}), "[(0070,0080)]"},
	} {
		m := memory{}
		w := newWriter(t, m)
		added, err := w.Add(context.Background(), from(part10(t, c.ds, uid.ExplicitVRLittleEndian)))
		got := fmt.Sprint(added.Made)
		if err != nil {
			var left *LeftOutError
			if !errors.As(err, &left) {
				t.Errorf("%s: %v is no LeftOutError", c.name, err)
			}
			got = err.Error()
		}
		if err == nil && got != c.made || err != nil && !strings.Contains(got, c.made) {
			t.Errorf("%s: %s, want %s", c.name, got, c.made)
		}
		if strings.Contains(got, "ZZPHI") {
			t.Errorf("%s: %s has a value", c.name, got)
		}

		finish(t, w)
		s := open(t, fstest.MapFS(m))
		if list := told(s); len(list) > 0 {
			t.Errorf("%s: %v", c.name, list)
		}
	}
}

func TestTwoPatientsOfOneIDStayApart(t *testing.T) {
	t.Parallel()
	m := memory{}
	w := newWriter(t, m)
	add(t, w, instance(1, 1, 1, 1))
	add(t, w, instance(1, 2, 1, 2, value{tag.PatientName, "ZZPHI^OTHER"}))
	add(t, w, instance(1, 3, 1, 3, value{tag.IssuerOfPatientID, "ELSEWHERE"}))
	add(t, w, instance(1, 4, 1, 4, value{tag.PatientName, "zzphi^p1^^"}))
	finish(t, w)
	if got := shape(open(t, fstest.MapFS(m)).Directory); got != "3/4/4/4, 0 astray" {
		t.Error(got)
	}
}

func TestAStudyOfTwoPatientsAndAnObjectTwiceAreLeftOut(t *testing.T) {
	t.Parallel()
	w := newWriter(t, memory{})
	add(t, w, instance(1, 1, 1, 1))
	for name, ds := range map[string]*dicom.DataSet{
		"the same object":       instance(1, 1, 1, 1),
		"another patient":       instance(1, 1, 1, 2, value{tag.PatientID, "ZZPHI7"}),
		"series of two studies": instance(1, 2, 1, 3, value{tag.SeriesInstanceUID, "2.25.9.1.1.1"}),
	} {
		var left *LeftOutError
		if _, err := w.Add(context.Background(), from(part10(t, ds, uid.ExplicitVRLittleEndian))); !errors.As(err, &left) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := finish(t, w); got.Objects != 1 || got.Records != 4 {
		t.Errorf("%+v", got)
	}
}

func TestADataSetAloneBecomesAPart10File(t *testing.T) {
	t.Parallel()
	ds := instance(1, 1, 1, 1)
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ImplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	wrong := instance(1, 1, 1, 2)
	other := part10(t, instance(1, 1, 1, 3), uid.ExplicitVRLittleEndian)
	f, err := dicom.ReadFile(bytes.NewReader(other), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mixed := bytes.NewBuffer(bytes.Clone(other[:f.DataSetOffset]))
	if err := dicom.Encode(mixed, wrong, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}

	m := memory{}
	w := newWriter(t, m)
	for _, src := range [][]byte{b.Bytes(), mixed.Bytes()} {
		if _, err := w.Add(context.Background(), from(src)); err != nil {
			t.Fatal(err)
		}
	}
	if got := finish(t, w); got.Profile != "" {
		t.Errorf("implicit VR is in profile %s", got.Profile)
	}
	if list := told(open(t, fstest.MapFS(m))); len(list) > 0 {
		t.Error(list)
	}
}

func TestNamesKeepTheirCharacterSet(t *testing.T) {
	t.Parallel()
	ds := instance(1, 1, 1, 1)
	if err := ds.SetCharacterSet("ISO_IR 144"); err != nil {
		t.Fatal(err)
	}
	if err := ds.SetText(tag.PatientName, "ZZPHI^Люкceмбypг"); err != nil {
		t.Fatal(err)
	}
	raw, _ := ds.Get(tag.PatientName)

	m := memory{}
	w := newWriter(t, m)
	add(t, w, ds)
	finish(t, w)
	for r := range open(t, fstest.MapFS(m)).Directory.Roots() {
		got, err := r.Load()
		if err != nil {
			t.Fatal(err)
		}
		name, _ := got.Get(tag.PatientName)
		if !bytes.Equal(name.Bytes(), raw.Bytes()) || got.Text(tag.PatientName) != "ZZPHI^Люкceмбypг" {
			t.Error("the name was changed")
		}
	}
}

func TestAReportKeepsTheModifiersOfItsTitleAlone(t *testing.T) {
	t.Parallel()
	code := dicom.NewDataSet()
	code.Set(dicom.NewText(tag.CodeMeaning, dicom.LO, "Report"))
	item := func(relationship string) *dicom.DataSet {
		ds := dicom.NewDataSet()
		ds.Set(dicom.NewText(tag.RelationshipType, dicom.CS, relationship))
		ds.Set(dicom.NewText(tag.TextValue, dicom.UT, relationship))
		return ds
	}
	ds := instance(1, 1, 1, 1, value{tag.SOPClassUID, uid.BasicTextSRStorage}, value{tag.ContentDate, "20260102"}, value{tag.ContentTime, "10"},
		value{tag.CompletionFlag, "COMPLETE"}, value{tag.VerificationFlag, "UNVERIFIED"})
	ds.SetItems(tag.ConceptNameCodeSequence, code)
	ds.SetItems(tag.ContentSequence, item("CONTAINS"), item("HAS CONCEPT MOD"))

	m := memory{}
	w := newWriter(t, m)
	add(t, w, ds)
	finish(t, w)
	s := open(t, fstest.MapFS(m))
	if list := told(s); len(list) > 0 {
		t.Fatal(list)
	}
	for o := range s.Objects() {
		record, err := o.Record.Load()
		if err != nil {
			t.Fatal(err)
		}
		if items := record.Items(tag.ContentSequence); o.Record.Type() != SRDocument || len(items) != 1 || items[0].Text(tag.TextValue) != "HAS CONCEPT MOD" {
			t.Errorf("%s with %d items", o.Record.Type(), len(items))
		}
	}
}

func TestFileSetIDsAreThoseOfTheStandard(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{"": true, "A_1": true, "A B": false, "lower": false, "ÄRZTE": false, "12345678901234567": false} {
		if _, err := NewWriter(memory{}, WriterOptions{FileSetID: id}); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// failing is a target that is full after some files.
type failing struct{ left int }

func (f *failing) Create(string) (io.WriteCloser, error) {
	if f.left--; f.left < 0 {
		return nil, errors.New("no space left")
	}
	return &memoryFile{m: memory{}}, nil
}

func TestAFullMediumEndsTheFileSet(t *testing.T) {
	t.Parallel()
	w := newWriter(t, &failing{left: 1})
	add(t, w, instance(1, 1, 1, 1))
	var left *LeftOutError
	if _, err := w.Add(context.Background(), from(part10(t, instance(1, 1, 1, 2), uid.ExplicitVRLittleEndian))); err == nil || errors.As(err, &left) {
		t.Errorf("%v", err)
	}
	if _, err := w.Add(context.Background(), from(nil)); err == nil {
		t.Error("an object is taken after a failure")
	}
	if _, err := w.Close(); err == nil {
		t.Error("finished all the same")
	}
}
