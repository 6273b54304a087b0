package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); err != nil || string(b) != want {
		t.Errorf("the file holds %q (%v), want %q", b, err, want)
	}
}

func TestOnceNeverReplaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := Once(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Once(path, []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want that it exists", err)
	}

	// Also where the name is taken after the file was begun.
	f, err := Create(filepath.Dir(path), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Once(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want that it exists", err)
	}
	holds(t, path, "first")
	if n := names(t, filepath.Dir(path)); len(n) != 1 {
		t.Errorf("left: %v", n)
	}
}

func TestWholeReplacesAndSetsTheMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cert")
	for _, content := range []string{"old", "new"} {
		if err := Whole(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	holds(t, path, "new")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFailureLeavesNothingUnderTheNameOrBesideIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Whole(taken, []byte("x"), 0o600); err == nil {
		t.Error("a file took the place of a directory")
	}
	f, err := Create(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.f.Close() // so that the content cannot be synced
	if err := f.Once(filepath.Join(dir, "new")); err == nil {
		t.Error("a file that cannot be synced got its name")
	}
	if n := names(t, dir); len(n) != 1 {
		t.Errorf("left: %v", n)
	}
}

func TestDirectoryMakesEveryParent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 {
		if err := Directory(dir); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	file := filepath.Join(dir, "file")
	if err := Whole(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Directory(file); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestSweepTakesOnlyWhatIsOldAndBegun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{".new-1", "ca.key.pem"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".new-2"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	Sweep(dir, time.Minute)
	if n := names(t, dir); len(n) != 2 || n[0] != ".new-2" {
		t.Errorf("left: %v", n)
	}
}

func TestAgeOfADirectoryWithoutLockDecides(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	if err := os.Mkdir(filepath.Join(parent, "A"), 0o700); err != nil {
		t.Fatal(err)
	}
	SweepScratch(parent, time.Now().Add(settle/2))
	if files, _ := os.ReadDir(parent); len(files) != 1 {
		t.Error("a young directory was removed")
	}
	SweepScratch(parent, time.Now().Add(2*settle))
	if files, _ := os.ReadDir(parent); len(files) != 0 {
		t.Error("an old directory stayed")
	}
}

func TestErrorsSpeakOfTheNameThatWasGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	none, taken, below := filepath.Join(dir, "none"), filepath.Join(dir, "taken"), filepath.Join(dir, "below")
	if err := errors.Join(Once(taken, nil, 0o600), os.MkdirAll(filepath.Join(below, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	late, err := Create(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		kind error
		path string
	}{
		{Once(filepath.Join(none, "key"), nil, 0o600), fs.ErrNotExist, none},
		{late.Once(taken), fs.ErrExist, taken},
		{Whole(below, nil, 0o600), fs.ErrExist, below},
	} {
		if !errors.Is(c.err, c.kind) || !strings.Contains(c.err.Error(), c.path) || strings.Contains(c.err.Error(), ".new-") {
			t.Errorf("got %v, want %v of %s", c.err, c.kind, c.path)
		}
	}
}
