package sender

import (
	"os"
	"path/filepath"
	"testing"
)

func TestJournalRemembersAcrossRunsAndTornLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	a, b, c := &File{Path: "a", Size: 1}, &File{Path: "b", Size: 2}, &File{Path: "c", Size: 3}
	write := func(files ...*File) {
		t.Helper()
		j, err := OpenJournal(path, "PEER")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := j.add(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(a, b)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-7); err != nil {
		t.Fatal(err)
	}
	write(c) // must not stick to the torn line
	j, err := OpenJournal(path, "PEER")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for f, want := range map[*File]bool{a: true, b: false, c: true, {Path: "a", Size: 9}: false} {
		if j.has(f) != want {
			t.Errorf("%s of %d bytes is in the journal: want %v", f.Path, f.Size, want)
		}
	}
	other, err := OpenJournal(path, "OTHER")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.has(a) {
		t.Error("what one peer acknowledged counts for another")
	}
}

func TestJournalIsNotWrittenIntoAnotherFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("my notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(path, "PEER"); err == nil {
		t.Error("a text file was taken for a journal")
	}
	if b, _ := os.ReadFile(path); string(b) != "my notes" {
		t.Errorf("the file was changed to %q", b)
	}
}
