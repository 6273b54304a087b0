package media

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
)

// shared finds the corpus of real files, or skips.
func shared(t testing.TB, left string) string {
	t.Helper()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for root != "/" && !there(filepath.Join(root, "go.mod")) {
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared")
	}
	if !there(filepath.Join(dir, "corpus", "MANIFEST.tsv")) {
		t.Skip("no shared corpus (COLLIMATOR_SHARED): left out " + left)
	}
	return filepath.Join(dir, "corpus")
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// shape counts what is in a directory: records of each type that the tree has, and
// those that stand where they belong.
func shape(d *Directory) string {
	types := map[Type]int{}
	astray := 0
	for r := range d.All() {
		types[r.Type()]++
		above := Type("")
		if r.Parent().Valid() {
			above = r.Parent().Type()
		}
		if want := map[Type]Type{Study: Patient, Series: Study, Image: Series}; want[r.Type()] != above {
			astray++
		}
	}
	return fmt.Sprintf("%d/%d/%d/%d, %d astray", types[Patient], types[Study], types[Series], types[Image], astray)
}

// kinds are the kinds of problems and how many there are of each.
func kinds(list []Problem) string {
	counts := map[Kind]int{}
	for _, p := range list {
		counts[p.Kind]++
	}
	var out []string
	for k, n := range counts {
		out = append(out, fmt.Sprintf("%s:%d", k, n))
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

func readFile(t testing.TB, path string) *Directory {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	d, err := ReadDirectory(f, info.Size(), Options{})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return d
}

func TestDirectoriesOfTheFieldAreReadWhateverIsWrongWithThem(t *testing.T) {
	t.Parallel()
	corpus := shared(t, "reading twelve DICOMDIRs of other people's software")
	const pydicom = "pydicom+pydicom/src/pydicom/data/test_files/dicomdirtests/"
	for _, c := range []struct{ path, shape, problems string }{
		{pydicom + "DICOMDIR", "2/6/13/31, 0 astray", "[]"},
		{pydicom + "DICOMDIR-bigEnd", "2/6/13/31, 0 astray", "[irregular:1]"},
		{pydicom + "DICOMDIR-empty.dcm", "0/0/0/0, 0 astray", "[]"},
		{pydicom + "DICOMDIR-implicit", "2/6/13/31, 0 astray", "[irregular:1]"},
		{pydicom + "DICOMDIR-nooffset", "2/6/13/31, 0 astray", "[irregular:2]"},
		{pydicom + "DICOMDIR-nopatient", "0/6/13/31, 6 astray", "[bad-offset:1 unknown-type:2 unreached:2]"},
		{pydicom + "DICOMDIR-reordered", "2/6/13/31, 0 astray", "[]"},
		{pydicom + "TINY_ALPHA/DICOMDIR", "1/1/1/50, 0 astray", "[]"},
		{"ivmartel+dwv/tests/data/DICOMDIR", "1/2/3/44, 0 astray", "[]"},
		{"ivmartel+dwv/tests/data/bbmri.dcmdir", "0/1/1/4, 1 astray", "[irregular:9 out-of-place:1 unreached:6]"},
		{"fo-dicom+fo-dicom/Tests/FO-DICOM.Benchmark/Data/DICOMDIR", "20/20/20/20, 0 astray", "[]"},
		{"dcm4che+dcm4che/dcm4che-test-data/src/main/resources/DICOMDIR", "11/11/11/11, 0 astray", "[bad-offset:1]"},
	} {
		d := readFile(t, filepath.Join(corpus, c.path))
		problems, _ := d.Problems()
		if got := shape(d); got != c.shape {
			t.Errorf("%s: %s, want %s", c.path, got, c.shape)
		}
		if got := kinds(problems); got != c.problems {
			t.Errorf("%s: %s, want %s", c.path, got, c.problems)
		}
	}
}

func TestFilesOfTheFieldAreFoundAndHeldToTheirRecords(t *testing.T) {
	t.Parallel()
	corpus := shared(t, "finding the files of two file-sets of other people's software")
	const pydicom = "pydicom+pydicom/src/pydicom/data/test_files/dicomdirtests"
	for _, c := range []struct {
		path           string
		records, found int
		problems       string
	}{
		{pydicom, 31, 31, "[]"},
		{pydicom + "/TINY_ALPHA", 50, 50, "[]"},
		{"dcm4che+dcm4che/dcm4che-test-data/src/main/resources", 11, 0, "[missing-file:11]"}, // the directory alone
	} {
		root, err := os.OpenRoot(filepath.Join(corpus, c.path))
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		s, err := Open(root.FS(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()

		records, found := 0, 0
		var problems []Problem
		for o := range s.Check() {
			records++
			if o.Path != "" {
				found++
			}
			problems = append(problems, o.Problems...)
		}
		if got := kinds(problems); records != c.records || found != c.found || got != c.problems {
			t.Errorf("%s: %d records, %d found, %s", c.path, records, found, got)
		}
	}
}

func TestAFileSetOfTheWholeCorpusIsSound(t *testing.T) {
	t.Parallel()
	corpus := shared(t, "a file-set of some 900 real files")
	root, err := os.OpenRoot(corpus)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	m := memory{}
	w := newWriter(t, m)
	added, left := 0, map[string]int{}
	for o := range Scan(root.FS(), Options{}) {
		if o.Head == nil || o.Size > 4<<20 {
			continue
		}
		_, err := w.Add(t.Context(), func() (io.ReadCloser, error) { return root.FS().Open(o.Path) })
		var out *LeftOutError
		switch {
		case err == nil:
			added++
		case errors.As(err, &out):
			left[err.Error()]++
		default:
			t.Fatalf("%s: %v", o.Path, err)
		}
	}
	finish(t, w)

	s := open(t, fstest.MapFS(m))
	if list := told(s); len(list) > 0 {
		t.Errorf("%d problems, first %v", len(list), list[0])
	}
	if added < 500 {
		t.Errorf("%d added, left out: %v", added, left)
	}
	t.Logf("%d added, left out: %v", added, left)
}
