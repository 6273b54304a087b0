package iso_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"
	"testing/fstest"
	"time"

	"collimator/dicom/media/iso"
)

// spool is one in memory.
type spool struct{ bytes.Buffer }

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(s.Bytes()).ReadAt(p, off)
}

// made is an image of files, and what it has to hold.
func made(t *testing.T, files map[string][]byte, order []string) []byte {
	t.Helper()
	m, err := iso.New(&spool{}, iso.Options{Volume: "TEST", Time: time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range order {
		w, err := m.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	n, err := m.WriteTo(&out)
	if err != nil || n != int64(out.Len()) || n != m.Size() {
		t.Fatalf("%d of %d bytes, %d said: %v", n, out.Len(), m.Size(), err)
	}
	return out.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{"DICOMDIR": []byte("root"), "INDEX.HTM": {}, "PT000000/ST000000/SE000000/IM000000": bytes.Repeat([]byte("x"), 2048)}
	order := []string{"PT000000/ST000000/SE000000/IM000000", "DICOMDIR", "INDEX.HTM"}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 300 { // more than a block of records
		name := fmt.Sprintf("PT000001/ST%06d/SE000000/IM%06d", i%40, i)
		b := make([]byte, random.IntN(5000))
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		files[name] = b
		order = append(order, name)
	}

	image := made(t, files, order)
	fsys, err := iso.Open(bytes.NewReader(image), int64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got, err := fs.ReadFile(fsys, name); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %d bytes, want %d: %v", name, len(got), len(want), err)
		}
	}
	if err := fstest.TestFS(fsys, order...); err != nil {
		t.Error(err)
	}
}

func TestNamesThatAreNoneOfLevel1AreRefused(t *testing.T) {
	t.Parallel()
	m, err := iso.New(&spool{}, iso.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", "ABCDEFGHI", "A.HTML", "A.", "A/", "/A", "../A", "A.B.C", "1/2/3/4/5/6/7/8/9"} {
		if _, err := m.Create(name); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if _, err := iso.New(&spool{}, iso.Options{Volume: "small"}); err == nil {
		t.Error("a volume identifier in small letters is taken")
	}
}

func TestWhatStandsThereIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	m, err := iso.New(&spool{}, iso.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		name string
		ok   bool
	}{{"A", true}, {"A", false}, {"A/B", false}, {"D/E.TXT", true}, {"D/E.TXT", false}, {"D", false}} {
		w, err := m.Create(c.name)
		if (err == nil) != c.ok {
			t.Errorf("%d: %s: %v", i, c.name, err)
		}
		if err == nil {
			if _, err := io.WriteString(w, "x"); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Create("OTHER"); err == nil {
				t.Error("a second file is begun before the first is closed")
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// FuzzOpen reads images that are none: it neither panics nor reads without end.
func FuzzOpen(f *testing.F) {
	m, _ := iso.New(&spool{}, iso.Options{})
	w, _ := m.Create("A/B.TXT")
	io.WriteString(w, "text")
	w.Close()
	var b bytes.Buffer
	m.WriteTo(&b)
	f.Add(b.Bytes()[16*2048:])
	f.Fuzz(func(t *testing.T, tail []byte) {
		image := append(make([]byte, 16*2048), tail...)
		fsys, err := iso.Open(bytes.NewReader(image), int64(len(image)))
		if err != nil {
			return
		}
		n := 0
		_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if n++; n > 1000 {
				return fs.SkipAll
			}
			return nil
		})
	})
}
