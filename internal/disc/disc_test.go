package disc

import (
	"archive/zip"
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/fault"
	"collimator/internal/synth"
)

// study writes a study of three files below a folder, and gives the folder.
func study(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "study")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	n := 0
	for f := range synth.Study(synth.CT, synth.Options{Series: 1, Images: 3, Rows: 16, Columns: 16}) {
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+n))), synth.Bytes(f), 0o600); err != nil {
			t.Fatal(err)
		}
		n++
	}
	return dir
}

// made makes a file-set of paths, and gives its folder.
func made(t *testing.T, paths ...string) (string, *Made) {
	t.Helper()
	s, err := Find(context.Background(), paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := filepath.Join(t.TempDir(), "cd")
	m, err := Make(context.Background(), s, MakeOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}

// zipped is a folder as a compressed zip.
func zipped(t *testing.T, dir string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := z.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cd.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFolderADirectoryAndAZipAreTheSameMedium(t *testing.T) {
	t.Parallel()
	dir, _ := made(t, study(t))
	for _, path := range []string{dir, filepath.Join(dir, "DICOMDIR"), zipped(t, dir)} {
		l, err := List(context.Background(), path, ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Series) != 1 || l.Objects != 3 || l.Missing != 0 || !l.Directory || l.All != 0 {
			t.Errorf("%s: %+v", path, l)
		}
		c, err := Check(context.Background(), path, nil)
		if err != nil || c.All != 0 || c.Objects != 3 || c.Verdict() != nil {
			t.Errorf("%s: %+v, %v", path, c, err)
		}
	}
}

func TestPatientsAreRevealedOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	from := study(t)
	dir, _ := made(t, from)
	for _, path := range []string{dir, from} {
		for _, reveal := range []bool{false, true} {
			l, err := List(context.Background(), path, ListOptions{Reveal: reveal})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := l.Print(&b, reveal); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), synth.Marker) != reveal {
				t.Errorf("reveal %v:\n%s", reveal, b.String())
			}
			if row := *l.Series[0]; !reveal && row != (Row{Patient: 1, Study: 1, Series: 1, What: "CT", Objects: 3}) {
				t.Errorf("%+v", row)
			}
		}
	}
}

func TestWhoeverStopsIsToldThatItIsNotAll(t *testing.T) {
	t.Parallel()
	from := study(t)
	dir, _ := made(t, from)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, path := range []string{dir, from} {
		if _, err := List(ctx, path, ListOptions{}); fault.Of(err) != fault.Canceled {
			t.Errorf("list: %v", err)
		}
		if _, err := Check(ctx, path, nil); fault.Of(err) != fault.Canceled {
			t.Errorf("check: %v", err)
		}
	}
	if _, err := Find(ctx, []string{from}, nil); fault.Of(err) != fault.Canceled {
		t.Errorf("find: %v", err)
	}

	s, err := Find(context.Background(), []string{from}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := filepath.Join(t.TempDir(), "cd")
	if _, err := Make(ctx, s, MakeOptions{Dir: out}); err == nil || !strings.Contains(err.Error(), "no file-set") {
		t.Errorf("make: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "DICOMDIR")); err == nil {
		t.Error("a directory was written all the same")
	}
}

func TestAnEmptyFolderIsTakenAndAFullOneIsNot(t *testing.T) {
	t.Parallel()
	from := study(t)
	s, err := Find(context.Background(), []string{from}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Make(context.Background(), s, MakeOptions{Dir: from}); fault.EndingOf(err) != fault.Misused {
		t.Errorf("%v", err)
	}
	var names []string
	empty := t.TempDir()
	m, err := Make(context.Background(), s, MakeOptions{Dir: empty})
	if err != nil || m.Objects != 3 {
		t.Fatalf("%+v, %v", m, err)
	}
	err = fs.WalkDir(os.DirFS(empty), ".", func(path string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil || len(names) != 4 {
		t.Errorf("%q, %v", names, err)
	}
}
