package archive

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/blob"
	"collimator/internal/budget/budgettest"
)

// large is a data set with n bytes of pixel data that are made as they are
// read.
func large(t testing.TB, i int, n int64) io.Reader {
	t.Helper()
	ds := image(t, 1, 1, i)
	ds.Delete(tag.PixelData)
	ds.Set(dicom.NewBulk(tag.PixelData, dicom.OW, zeros{}, 0, n))
	r, w := io.Pipe()
	go func() { w.CloseWithError(dicom.Encode(w, ds, uid.ExplicitVRLittleEndian)) }() // ends with the reader
	return r
}

type zeros struct{}

// ReadAt implements io.ReaderAt.
func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// TestMemoryDoesNotGrowWithTheImage stores four images of 134 MB at the same
// time and holds the heap to what it was.
func TestMemoryDoesNotGrowWithTheImage(t *testing.T) {
	const most = 8 << 20
	a := openTest(t, func(o *Options) { o.Blobs = &forgetful{Store: o.Blobs} })
	store(t, a, image(t, 1, 1, 1)) // statements are prepared, pools filled
	for _, n := range []int{1, 4} {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		peak := budgettest.WatchHeap(func() {
			done := make(chan error)
			for i := range n {
				go func() {
					_, err := a.Ingest(t.Context(), Incoming{TransferSyntaxUID: uid.ExplicitVRLittleEndian, Data: large(t, 10*n+i, 134_000_000)})
					done <- err
				}()
			}
			for range n {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		})
		grown := int64(peak) - int64(before.HeapAlloc)
		t.Logf("%d at a time: heap %d KiB, %d KiB more at the peak", n, before.HeapAlloc>>10, grown>>10)
		if grown > most {
			t.Errorf("%d at a time: the heap grew by %d bytes, more than %d", n, grown, most)
		}
	}
}

// forgetful is a store that keeps lengths and no bytes, so that the test
// measures memory and not the disk.
type forgetful struct {
	blob.Store
	sizes sync.Map // of keys
}

// Create implements blob.Store.
func (f *forgetful) Create(context.Context) (blob.Writer, error) { return &nowhere{f: f}, nil }

// Stat implements blob.Store.
func (f *forgetful) Stat(_ context.Context, key string) (blob.Info, error) {
	n, ok := f.sizes.Load(key)
	if !ok {
		return blob.Info{}, blob.ErrNotFound
	}
	return blob.Info{Key: key, Size: n.(int64)}, nil
}

type nowhere struct {
	f *forgetful
	n int64
}

func (w *nowhere) Write(p []byte) (int, error) { w.n += int64(len(p)); return len(p), nil }
func (w *nowhere) Commit(_ context.Context, key string) error {
	w.f.sizes.Store(key, w.n)
	return nil
}
func (*nowhere) Abort() error { return nil }

func TestHoleAtTheEndIsReadBack(t *testing.T) {
	t.Parallel()
	// The decompressor may say EOF together with the last bytes.
	r := &holeReader{r: &oneByte{iotest.DataErrReader(bytes.NewReader([]byte("abc")))}, holes: []hole{{1, 2}, {2, 3}}}
	got, err := io.ReadAll(r)
	if err != nil || string(got) != "a\x00\x00bc\x00\x00\x00" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestInstanceWithoutPatientIsStored(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := dicom.NewDataSet()
	for _, p := range []struct {
		t dicom.Tag
		s string
	}{{tag.SOPClassUID, uid.CTImageStorage}, {tag.SOPInstanceUID, "1.2.3"}, {tag.StudyInstanceUID, "1.2"}, {tag.SeriesInstanceUID, "1.2.1"}} {
		text(t, ds, p.t, p.s)
	}
	store(t, a, ds)
	if got := findAll(t, a, Query{Scope: Everything(), Root: PatientRoot, Level: PatientLevel, Keys: keys(t, tag.PatientID, "")}); len(got) != 1 {
		t.Errorf("%d patients", len(got))
	}
}
