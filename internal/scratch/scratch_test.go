package scratch

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"
)

func TestWhatIsWrittenIsReadFromAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if list, _ := os.ReadDir(dir); len(list) != 0 {
		t.Error("the file has a name")
	}

	r := rand.New(rand.NewPCG(1, 2))
	var all []byte
	for range 200 {
		piece := bytes.Repeat([]byte{byte(r.Uint32())}, r.IntN(70))
		all = append(all, piece...)
		if n, err := f.Write(piece); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if f.Size() != int64(len(all)) {
		t.Error("size", f.Size(), len(all))
	}
	for range 500 {
		from := r.IntN(len(all))
		got := make([]byte, 1+r.IntN(len(all)-from))
		if _, err := f.ReadAt(got, int64(from)); err != nil || !bytes.Equal(got, all[from:from+len(got)]) {
			t.Fatalf("from %d, %d bytes: %v", from, len(got), err)
		}
	}
	if _, err := f.ReadAt(make([]byte, 1), f.Size()); err != io.EOF {
		t.Error("behind the end:", err)
	}
}

func TestNothingOfItCanBeReadFromTheDisk(t *testing.T) {
	t.Parallel()
	f, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 100 {
		if _, err := f.Write([]byte("ZZPHI^SCRATCH")); err != nil {
			t.Fatal(err)
		}
	}
	raw := make([]byte, f.Size())
	if _, err := f.file.ReadAt(raw, 0); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("ZZPHI")) {
		t.Error("a patient on the disk")
	}
}
