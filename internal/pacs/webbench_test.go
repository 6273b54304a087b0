package pacs_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// filled is an archive with 100 studies of one image, and one of 100 images.
func filled(b *testing.B) *web {
	b.Helper()
	w := openWeb(b, everything)
	var files [][]byte
	for i := range 100 {
		files = append(files, file(b, spec{study: 100 + i, series: 1, instance: 1}.dataSet(b), uid.ExplicitVRLittleEndian))
		s := spec{study: 1, series: 1, instance: 1 + i, ints: map[dicom.Tag]int64{tag.Rows: 512, tag.Columns: 512},
			pixels: dicom.NewElement(tag.PixelData, dicom.OW, ramp(512*512))}
		files = append(files, file(b, s.dataSet(b), uid.ExplicitVRLittleEndian))
	}
	w.put(files...)
	return w
}

func BenchmarkSearchOf100Studies(b *testing.B) {
	w := filled(b)
	b.ReportAllocs()
	for b.Loop() {
		w.get(b, "/studies?limit=100&includefield=00081030%2C00080060", "application/dicom+json")
	}
}

func BenchmarkMetadataOf100Instances(b *testing.B) {
	w := filled(b)
	b.ReportAllocs()
	for b.Loop() {
		w.get(b, "/studies/1.2.3.1/series/1.2.3.1.1/metadata", "application/dicom+json")
	}
}

func BenchmarkFrame(b *testing.B) {
	w := filled(b)
	b.ReportAllocs()
	b.SetBytes(512 * 512 * 2)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			w.get(b, fmt.Sprintf("/studies/1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.%d/frames/1", 1+i%100), "multipart/related; type=application/octet-stream; transfer-syntax=*")
		}
	})
}

func BenchmarkThumbnail(b *testing.B) {
	w := filled(b)
	b.ReportAllocs()
	for b.Loop() {
		w.get(b, "/studies/1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.1/thumbnail?viewport=256,256", "image/jpeg")
	}
}

func BenchmarkRetrieveStudy(b *testing.B) {
	w := filled(b)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(w.get(b, "/studies/1.2.3.1", `multipart/related; type="application/dicom"; transfer-syntax=*`))
	}
}

func BenchmarkStore(b *testing.B) {
	w := openWeb(b, everything)
	n := 0
	b.ReportAllocs()
	b.SetBytes(512 * 512 * 2)
	for b.Loop() {
		n++
		s := spec{study: 1, series: 1, instance: n, ints: map[dicom.Tag]int64{tag.Rows: 512, tag.Columns: 512},
			pixels: dicom.NewElement(tag.PixelData, dicom.OW, ramp(512*512))}
		w.put(file(b, s.dataSet(b), uid.ExplicitVRLittleEndian))
	}
}

// get reads an answer and throws it away.
func (w *web) get(b *testing.B, path, accept string) int64 {
	rq, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.server.URL+root+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	rq.Header.Set("Accept", accept)
	rs, err := w.server.Client().Do(rq)
	if err != nil {
		b.Fatal(err)
	}
	defer rs.Body.Close()
	n, err := io.Copy(io.Discard, rs.Body)
	if err != nil || rs.StatusCode != http.StatusOK {
		b.Fatalf("status %d, %v", rs.StatusCode, err)
	}
	return n
}
