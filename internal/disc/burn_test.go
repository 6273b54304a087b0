package disc

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/media"
	"collimator/dicom/media/iso"
	"collimator/internal/fault"
	"collimator/internal/scratch"
	"collimator/internal/synth"
)

// pieces are small studies of kinds, of one patient.
func pieces(t *testing.T, kinds ...synth.Kind) iter.Seq2[Piece, error] {
	t.Helper()
	return func(yield func(Piece, error) bool) {
		for _, k := range kinds {
			for f := range synth.Study(k, synth.Options{Series: 1, Images: 3, Rows: 16, Columns: 16}) {
				b := synth.Bytes(f)
				read, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
				if !yield(Piece{File: open, DataSet: read.DataSet, Syntax: read.TransferSyntax}, nil) {
					return
				}
			}
		}
	}
}

// images writes the same medium as a zip and as the image of a disc.
func images(t *testing.T, of iter.Seq2[Piece, error], o BurnOptions) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := Burn(t.Context(), media.Zip(z), of, o); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}

	spool, err := scratch.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	m, err := iso.New(spool, iso.Options{Volume: "DICOM"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Burn(t.Context(), m, of, o); err != nil {
		t.Fatal(err)
	}
	var i bytes.Buffer
	if _, err := m.WriteTo(&i); err != nil {
		t.Fatal(err)
	}

	for name, content := range map[string][]byte{"study.zip": b.Bytes(), "study.iso": i.Bytes()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestAMediumIsWholeAndShowsWhatIsOnIt(t *testing.T) {
	t.Parallel()
	for _, path := range images(t, pieces(t, synth.CT, synth.US, synth.SR, synth.PDF, synth.ECG), BurnOptions{Language: "de"}) {
		checked, err := Check(t.Context(), path, nil)
		if err != nil || checked.Verdict() != nil || checked.Objects < 7 {
			t.Fatalf("%s: %+v: %v", filepath.Base(path), checked, err)
		}
		m, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()

		// Every address on every page leads to a file that is there, and no page has a script.
		pages, pictures := 0, 0
		var visit func(name string)
		seen := map[string]bool{}
		visit = func(name string) {
			if seen[name] {
				return
			}
			seen[name] = true
			b, err := readAll(m, name)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if bytes.HasPrefix(b, []byte("\xff\xd8")) {
				pictures++
			}
			if filepath.Ext(name) != ".HTM" {
				return
			}
			pages++
			if bytes.Contains(bytes.ToLower(b), []byte("<script")) {
				t.Errorf("%s has a script", name)
			}
			for _, part := range strings.Split(string(b), `="`)[1:] {
				to, _, _ := strings.Cut(part, `"`)
				if strings.ContainsAny(to, "/.") && !strings.Contains(to, "=") {
					visit(filepath.Join(filepath.Dir(name), to))
				}
			}
		}
		visit("INDEX.HTM")
		if pages < 6 || pictures < 4 || !seen["PT000000/ST000000/SE000000/IM000000"] {
			t.Errorf("%d pages, %d pictures, of %v", pages, pictures, seen)
		}
	}
}

func readAll(m *medium, name string) ([]byte, error) {
	f, err := m.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func TestAPictureForWhichThereIsNoMemoryIsLeftOut(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	o := BurnOptions{Take: func(context.Context, int64) (func(), error) { return nil, fault.New(fault.TooLarge, "no") }}
	made, err := Burn(t.Context(), media.Zip(z), pieces(t, synth.CT), o)
	if err != nil || made.Objects != 3 || bytes.Contains(b.Bytes(), []byte("\xff\xd8\xff")) {
		t.Errorf("%+v: %v", made, err)
	}
}

func TestAMediumOfNothingIsNone(t *testing.T) {
	t.Parallel()
	for _, of := range []iter.Seq2[Piece, error]{
		func(func(Piece, error) bool) {},
		func(yield func(Piece, error) bool) { yield(Piece{}, fmt.Errorf("not read")) },
	} {
		if made, err := Burn(t.Context(), media.Zip(zip.NewWriter(io.Discard)), of, BurnOptions{}); err == nil {
			t.Errorf("%+v", made)
		}
	}
}
