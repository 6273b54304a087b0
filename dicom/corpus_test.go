package dicom

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom/uid"
)

// shared finds the directory of shared test data, or skips.
func shared(t testing.TB, left string) string {
	t.Helper()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(root, "go.mod")) && root != "/" {
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared")
	}
	if !exists(filepath.Join(dir, "corpus", "MANIFEST.tsv")) {
		t.Skip("no shared corpus (COLLIMATOR_SHARED): left out " + left)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// corpusFile is a row of the manifest.
type corpusFile struct {
	path     string
	readable bool // by dcmdump
}

func corpus(t testing.TB, dir string) []corpusFile {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "corpus", "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []corpusFile
	for sc := bufio.NewScanner(f); sc.Scan(); {
		cols := strings.Split(sc.Text(), "\t")
		if ok := cols[len(cols)-1]; ok == "yes" || ok == "no" {
			out = append(out, corpusFile{filepath.Join(dir, "corpus", cols[0]), ok == "yes"})
		}
	}
	return out
}

func TestCorpusIsWrittenBackBitForBit(t *testing.T) {
	t.Parallel()
	for _, c := range corpus(t, shared(t, "reading and writing back some 900 real files")) {
		raw, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(c.path)
		f, err := ReadFile(bytes.NewReader(raw), DecodeOptions{})
		if !c.readable {
			var syntax *SyntaxError
			if err != nil && !errors.As(err, &syntax) {
				t.Errorf("%s: %v is no SyntaxError", name, err)
			}
			t.Logf("%s: broken: %v", name, err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		want := raw[f.DataSetOffset:]
		var buf bytes.Buffer
		if err := Encode(&buf, f.DataSet, f.TransferSyntax); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := buf.Bytes()
		if f.TransferSyntax == uid.DeflatedExplicitVRLittleEndian {
			want, got = inflated(t, want), inflated(t, got)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: written back differently: %d bytes, %d before, from %d", name, len(got), len(want), mismatch(got, want))
		}
	}
}

func inflated(t *testing.T, b []byte) []byte {
	t.Helper()
	out, err := io.ReadAll(flate.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mismatch(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
