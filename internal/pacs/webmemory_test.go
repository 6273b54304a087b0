package pacs_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"runtime"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/budget/budgettest"
)

const large = 134_000_000

// zeros are pixel data that are nowhere.
type zeros struct{}

// ReadAt implements io.ReaderAt.
func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// streamed is a file of 134 MB that is made as it is read.
func streamed(t *testing.T, s spec) io.ReadCloser {
	t.Helper()
	s.pixels = dicom.NewBulk(tag.PixelData, dicom.OW, zeros{}, 0, large)
	s.ints = map[dicom.Tag]int64{tag.Rows: 8000, tag.Columns: 8375}
	ds := s.dataSet(t)
	r, w := io.Pipe()
	go func() { // ends with the reader
		_, err := w.Write(dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: uid.ExplicitVRLittleEndian}))
		w.CloseWithError(errors.Join(err, dicom.Encode(w, ds, uid.ExplicitVRLittleEndian)))
	}()
	return r
}

// TestMemoryDoesNotGrowWithTheObject stores and retrieves 134 MB over HTTP and
// holds the heap, of client and server together, to 8 MiB more. It speaks
// HTTP/1.1: a client of HTTP/2 holds up to 4 MiB of a stream ready.
func TestMemoryDoesNotGrowWithTheObject(t *testing.T) {
	const most = 8 << 20
	w := openWeb(t, everything)
	s := httptest.NewServer(w.server.Config.Handler)
	defer s.Close()
	w.client = &dicomweb.Client{Base: s.URL + root}
	warm := spec{study: 1, series: 1, instance: 1}
	w.put(file(t, warm.dataSet(t), uid.ExplicitVRLittleEndian))
	drain(t, w, warm)
	big := spec{study: 1, series: 1, instance: 2}
	steps := []struct {
		name string
		do   func() int64
	}{
		{"store", func() int64 {
			r := streamed(t, big)
			defer r.Close()
			report, err := w.client.Store(context.Background(), "", func(yield func(io.Reader, error) bool) { yield(r, nil) })
			if err != nil || len(report.Stored) != 1 {
				t.Errorf("%+v, %v", report, err)
			}
			return large
		}},
		{"retrieve as stored", func() int64 { return drain(t, w, big) }},
		{"retrieve converted", func() int64 {
			drain(t, w, big, uid.DeflatedExplicitVRLittleEndian)
			return large // of which hardly anything is sent
		}},
		{"frame", func() (n int64) {
			for p, err := range w.client.Frames(t.Context(), big.resource(), []int{1}) {
				k, err2 := io.Copy(io.Discard, p.Data)
				if n += k; err != nil || err2 != nil {
					t.Error(err, err2)
				}
			}
			return n
		}},
	}
	for _, step := range steps {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		var n int64
		grown := int64(budgettest.WatchHeap(func() { n = step.do() })) - int64(before.HeapAlloc)
		t.Logf("%s: %d bytes, the heap grew by %d KiB", step.name, n, grown>>10)
		if grown > most || n < large {
			t.Errorf("%s: %d bytes; the heap grew by %d, more than %d", step.name, n, grown, most)
		}
	}
}

// drain retrieves an instance and counts its bytes.
func drain(t testing.TB, w *web, s spec, syntaxes ...string) (n int64) {
	t.Helper()
	for p, err := range w.client.Retrieve(context.Background(), s.resource(), syntaxes...) {
		if err != nil {
			t.Fatal(err)
		}
		k, err := io.Copy(io.Discard, p.Data)
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	return n
}
