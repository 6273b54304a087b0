package pacs_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/deid"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/db/dbtest"
	"collimator/internal/disclosure"
	"collimator/internal/pacs"
)

const root = "/dicom-web"

// web is an archive behind a handler on loopback.
type web struct {
	t       testing.TB
	archive *archive.Archive
	server  *httptest.Server
	client  *dicomweb.Client
}

// everything is a door at which everybody sees everything.
func everything(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
	call.Restriction = archive.Everything()

	return next(ctx)
}

func openWeb(t testing.TB, guard dicomweb.Interceptor, change ...func(*archive.Options)) *web {
	t.Helper()
	dir := t.TempDir()
	d, err := dbtest.Open(context.Background(), filepath.Join(dir, "collimator.db"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := blob.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	o := archive.Options{DB: d, Blobs: b}
	for _, f := range change {
		f(&o)
	}
	a, err := archive.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	h := dicomweb.NewHandler(&pacs.Web{Archive: a, Projects: disclosure.NewProjects(&pacs.Web{Archive: a}, bytes.Repeat([]byte{7}, deid.KeySize), deid.Profile{Dates: deid.ShiftDates})}, guard, dicomweb.Options{Root: root, TempDir: dir})
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(func() {
		s.Close()
		d.Close()
		b.Close()
	})
	return &web{t, a, s, &dicomweb.Client{Base: s.URL + root, HTTP: s.Client()}}
}

// file makes a Part 10 file of a data set.
func file(t testing.TB, ds *dicom.DataSet, ts string) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write(dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID),
		TransferSyntaxUID: ts, ImplementationClassUID: "1.2.3.4"}))
	if err := dicom.Encode(&b, ds, ts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// put stores files in one request and wants all of them taken.
func (w *web) put(files ...[]byte) {
	w.t.Helper()
	report, err := w.client.Store(context.Background(), "", each(files))
	if err != nil {
		w.t.Fatal(err)
	}
	if report.Status != http.StatusOK || len(report.Stored) != len(files) || len(report.Failed) > 0 {
		w.t.Fatalf("stored %d of %d, status %d, failed %+v", len(report.Stored), len(files), report.Status, report.Failed)
	}
}

func each(files [][]byte) func(func(io.Reader, error) bool) {
	return func(yield func(io.Reader, error) bool) {
		for _, f := range files {
			if !yield(bytes.NewReader(f), nil) {
				return
			}
		}
	}
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request as it is written, without what a client would add.
func (w *web) ask(method, path, accept string, more ...string) answer {
	w.t.Helper()
	rq, err := http.NewRequest(method, w.server.URL+root+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	rq.Header.Set("Accept", accept)
	if accept == "" {
		rq.Header.Del("Accept")
	}
	for i := 0; i+1 < len(more); i += 2 {
		rq.Header.Set(more[i], more[i+1])
	}
	return w.do(rq)
}

func (w *web) do(rq *http.Request) answer {
	w.t.Helper()
	rs, err := w.server.Client().Do(rq)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rs.Body.Close()
	b, err := io.ReadAll(rs.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{rs.StatusCode, rs.Header, b}
}

// want fails the test unless the status is this one.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %.300s", a.status, status, a.body)
	}
	if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cross-Origin-Resource-Policy") != "same-origin" ||
		a.header.Get("Content-Security-Policy") == "" || !strings.Contains(a.header.Get("Cache-Control"), "private") && status < 400 {
		t.Errorf("security headers are missing: %v", a.header)
	}
	return a
}

// spec says what an image holds.
type spec struct {
	study, series, instance int
	class                   string
	set                     map[dicom.Tag]string
	ints                    map[dicom.Tag]int64
	pixels                  dicom.Element
}

func (s spec) resource() dicomweb.Resource {
	return dicomweb.Resource{StudyUID: fmt.Sprintf("1.2.3.%d", s.study), SeriesUID: fmt.Sprintf("1.2.3.%d.%d", s.study, s.series),
		SOPInstanceUID: fmt.Sprintf("1.2.3.%d.%d.%d", s.study, s.series, s.instance)}
}

func (s spec) dataSet(t testing.TB) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	r := s.resource()
	values := map[dicom.Tag]string{
		tag.SpecificCharacterSet: "ISO_IR 192", tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: r.SOPInstanceUID,
		tag.StudyInstanceUID: r.StudyUID, tag.SeriesInstanceUID: r.SeriesUID, tag.PatientName: "ZZPHI^Schmidt", tag.PatientID: fmt.Sprintf("COL%d", s.study),
		tag.StudyDate: "20240506", tag.StudyTime: "101112", tag.AccessionNumber: fmt.Sprintf("A%d", s.study), tag.StudyDescription: "MR kopf nativ",
		tag.Modality: "CT", tag.SeriesNumber: fmt.Sprint(s.series), tag.InstanceNumber: fmt.Sprint(s.instance), tag.PhotometricInterpretation: "MONOCHROME2",
		tag.SeriesDescription: "axial",
	}
	if s.class != "" {
		values[tag.SOPClassUID] = s.class
	}
	for k, v := range s.set {
		values[k] = v
	}
	if err := ds.SetText(tag.SpecificCharacterSet, values[tag.SpecificCharacterSet]); err != nil {
		t.Fatal(err)
	}
	for k, v := range values {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ints := map[dicom.Tag]int64{tag.SamplesPerPixel: 1, tag.Rows: 64, tag.Columns: 64, tag.BitsAllocated: 16, tag.BitsStored: 12, tag.HighBit: 11, tag.PixelRepresentation: 0}
	for k, v := range s.ints {
		ints[k] = v
	}
	for k, v := range ints {
		if err := ds.SetInt(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if s.pixels.Tag == 0 {
		s.pixels = dicom.NewElement(tag.PixelData, dicom.OW, ramp(64*64*int(max(ints[tag.NumberOfFrames], 1))))
	}
	ds.Set(s.pixels)
	return ds
}

// ramp is n pixels of 12 bits.
func ramp(n int) []byte {
	b := make([]byte, 0, 2*n)
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(i%4096))
	}
	return b
}

// photo is a baseline JPEG of one shade.
func photo(t testing.TB, c color.Gray) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = c.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	if b.Len()%2 == 1 {
		b.WriteByte(0)
	}
	return b.Bytes()
}
