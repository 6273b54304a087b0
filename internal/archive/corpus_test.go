package archive

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
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

// TestCorpusComesOutAsItWentIn stores eight files at a time, so that they share
// their flushes: one after the other they wait for the disk most of the time.
func TestCorpusComesOutAsItWentIn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out: the corpus takes some seconds")
	}
	root := corpus(t)
	c := corpusRun{t: t, archive: openTest(t)}
	paths := make(chan string)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for path := range paths {
				if err := c.file(path); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		})
	}

	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths <- path
		}
		return err
	})
	close(paths)
	workers.Wait()
	if err != nil {
		t.Fatal(err)
	}

	for p, err := range c.archive.Verify(t.Context(), VerifyOptions{}) {
		t.Errorf("verify: %+v, %v", p, err)
	}
	t.Logf("%d files of a storage SOP Class: %d stored (%d of them again), %d in quarantine, %d headers",
		c.tried.Load(), c.stored.Load(), c.duplicates.Load(), c.conflicts.Load(), c.headers.Load())
	if c.stored.Load() < 100 {
		t.Errorf("only %d of %d files were stored", c.stored.Load(), c.tried.Load())
	}
}

// corpusRun stores files and counts what became of them.
type corpusRun struct {
	t       *testing.T
	archive *opened

	tried, stored, duplicates, conflicts, headers atomic.Int64
}

// file stores one file and wants its bytes and its header back.
func (c *corpusRun) file(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{BulkThreshold: 1 << 10})
	if err != nil || !uid.Storage(f.DataSet.Text(tag.SOPClassUID)) {
		return nil
	}

	c.tried.Add(1)
	data := b[f.DataSetOffset:]
	r, err := c.archive.Ingest(c.t.Context(), Incoming{TransferSyntaxUID: f.TransferSyntax, Data: bytes.NewReader(data)})
	if _, ok := errors.AsType[*ConflictError](err); ok {
		c.conflicts.Add(1)
		return nil
	}
	if errors.Is(err, ErrUID) {
		return nil // files with UIDs that are none
	}
	if err != nil {
		return err
	}
	c.stored.Add(1)
	if r.Duplicate {
		c.duplicates.Add(1)
		return nil // the bytes of the first stay, in whatever encoding this one came
	}

	o, err := c.archive.Open(c.t.Context(), r.Instance)
	if err != nil {
		return err
	}
	defer o.Close()
	got, err := io.ReadAll(o.DataSet())
	if err != nil || !bytes.Equal(got, data) {
		c.t.Errorf("%s: the bytes changed: %v", path, err)
	}

	return c.header(r.Instance, data)
}

// header wants the stored header, with the values of the file, to be the data set.
func (c *corpusRun) header(ref InstanceRef, data []byte) error {
	ts, _ := dicom.LookupTransferSyntax(ref.TransferSyntaxUID)
	for h, err := range c.archive.Headers(c.t.Context(), RetrieveQuery{Scope: Everything(), SOPInstanceUIDs: []string{ref.SOPInstanceUID}}) {
		if err != nil {
			return err
		}
		var again bytes.Buffer
		if err := dicom.Encode(&again, h.DataSet, ref.TransferSyntaxUID); err != nil {
			return err
		}
		if !ts.Deflated && !bytes.Equal(again.Bytes(), data) {
			return errors.New("the header with the values of the file is not the data set")
		}
		c.headers.Add(1)
	}

	return nil
}
