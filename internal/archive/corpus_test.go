package archive

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// corpus is the directory of real files; the test is skipped where it is not.
func corpus(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("COLLIMATOR_SHARED")
	if shared == "" {
		dir, err := os.Getwd()
		for err == nil {
			if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
				break
			}
			if dir == filepath.Dir(dir) {
				break
			}
			dir = filepath.Dir(dir)
		}
		shared = filepath.Join(filepath.Dir(dir), "shared")
	}
	path := filepath.Join(shared, "corpus")
	if _, err := os.Stat(path); err != nil {
		t.Skip("left out: no corpus of files; set COLLIMATOR_SHARED to the directory that holds it")
	}
	return path
}

func TestCorpusComesOutAsItWentIn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out: the corpus takes some seconds")
	}
	root := corpus(t)
	a := openTest(t)
	var tried, stored, duplicates, conflicts, headers int
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{BulkThreshold: 1 << 10})
		if err != nil || !uid.Storage(f.DataSet.Text(tag.SOPClassUID)) {
			return nil
		}
		tried++
		data := b[f.DataSetOffset:]
		r, err := a.Ingest(t.Context(), Incoming{TransferSyntaxUID: f.TransferSyntax, Data: bytes.NewReader(data)})
		if _, ok := errors.AsType[*ConflictError](err); ok {
			conflicts++
			return nil
		}
		if errors.Is(err, ErrUID) {
			return nil // files with UIDs that are none
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		stored++
		if r.Duplicate {
			duplicates++
			return nil // the bytes of the first stay, in whatever encoding this one came
		}
		o, err := a.Open(t.Context(), r.Instance)
		if err != nil {
			return err
		}
		defer o.Close()
		got, err := io.ReadAll(o.DataSet())
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: the bytes changed: %v", path, err)
		}
		ts, _ := dicom.LookupTransferSyntax(f.TransferSyntax)
		for h, err := range a.Headers(t.Context(), RetrieveQuery{Scope: Everything(), SOPInstanceUIDs: []string{r.Instance.SOPInstanceUID}}) {
			if err != nil {
				t.Errorf("%s: header: %v", path, err)
				return nil
			}
			var again bytes.Buffer
			if err := dicom.Encode(&again, h.DataSet, f.TransferSyntax); err != nil {
				t.Errorf("%s: header: %v", path, err)
			} else if !ts.Deflated && !bytes.Equal(again.Bytes(), data) {
				t.Errorf("%s: the header with the values of the file is not the data set", path)
			} else {
				headers++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for p, err := range a.Verify(t.Context(), VerifyOptions{}) {
		t.Errorf("verify: %+v, %v", p, err)
	}
	t.Logf("%d files of a storage SOP Class: %d stored (%d of them again), %d in quarantine, %d headers", tried, stored, duplicates, conflicts, headers)
	if stored < 100 {
		t.Errorf("only %d of %d files were stored", stored, tried)
	}
}
