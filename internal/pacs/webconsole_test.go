package pacs_test

import (
	"bytes"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// objects are the kinds of objects a viewer asks for.
func viewed(t *testing.T) (w *web, ct, jls, seg, pdf, ecg spec) {
	t.Helper()
	w = openWeb(t, everything)
	ct = spec{study: 1, series: 1, instance: 1, ints: map[dicom.Tag]int64{tag.NumberOfFrames: 2}}
	jls = spec{study: 1, series: 2, instance: 1, set: map[dicom.Tag]string{tag.Modality: "MR"},
		pixels: dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("\xff\xd8\xff\xf7 not decoded here"))}
	seg = spec{study: 1, series: 3, instance: 1, class: uid.SegmentationStorage, set: map[dicom.Tag]string{tag.Modality: "SEG"}}
	pdf = spec{study: 2, series: 1, instance: 1, class: uid.EncapsulatedPDFStorage, set: map[dicom.Tag]string{tag.Modality: "DOC", tag.MIMETypeOfEncapsulatedDocument: "application/pdf"},
		pixels: dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 9000)...))}
	ecg = spec{study: 3, series: 1, instance: 1, set: map[dicom.Tag]string{tag.Modality: "ECG"}}
	wave := ecg.dataSet(t)
	item := wave.NewItem()
	item.Set(dicom.NewElement(tag.WaveformData, dicom.OW, ramp(5000)))
	wave.SetItems(tag.WaveformSequence, item)
	w.put(file(t, ct.dataSet(t), uid.ExplicitVRLittleEndian), file(t, jls.dataSet(t), uid.JPEGLSLossless), file(t, seg.dataSet(t), uid.ExplicitVRLittleEndian),
		file(t, pdf.dataSet(t), uid.ExplicitVRLittleEndian), file(t, wave, uid.ExplicitVRLittleEndian))
	return w, ct, jls, seg, pdf, ecg
}

// TestSearchesOfTheViewerAreAnswered sends the searches of the viewer byte for
// byte as it writes them.
func TestSearchesOfTheViewerAreAnswered(t *testing.T) {
	t.Parallel()
	w, ct, _, _, _, _ := viewed(t)
	for _, c := range []struct {
		path string
		want int
		has  []string
	}{
		{"/studies?limit=101&offset=0&fuzzymatching=true&includefield=00081030%2C00080060%2C00080090%2C00100030", 3, []string{"00081030", "00100030", "00080090"}},
		{"/studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060%2C00080090%2C00100030&PatientName=*sch*&00100020=*COL*&AccessionNumber=A1&StudyDescription=*kopf*&ModalitiesInStudy=CT%2CMR&StudyDate=20240101-20241231", 1, nil},
		{"/studies?StudyInstanceUID=1.2.3.1%5C1.2.3.3", 2, nil},
		{"/studies?StudyInstanceUID=1.2.3.1\\1.2.3.3", 2, nil},
		{"/studies?00100020=COL2", 1, nil},
		{"/studies?00100020=COL9", 0, nil},
		{"/studies/" + ct.resource().StudyUID + "/series?includefield=00080021%2C00080031%2C0008103E%2C00200011", 3, []string{"0008103E", "00200011"}},
	} {
		a := w.ask(http.MethodGet, c.path, "application/dicom+json").want(t, http.StatusOK)
		var got []map[string]struct {
			VR    string
			Value []any
		}
		if err := json.Unmarshal(a.body, &got); err != nil {
			t.Fatalf("%s: %v in %s", c.path, err, a.body)
		}
		if len(got) != c.want || a.header.Get("Content-Type") != "application/dicom+json" {
			t.Errorf("%s: %d answers of %s, want %d", c.path, len(got), a.header.Get("Content-Type"), c.want)
		}
		for _, m := range got {
			for _, k := range c.has {
				if _, ok := m[k]; !ok {
					t.Errorf("%s: %s is missing", c.path, k)
				}
			}
			if v, ok := m["00080061"]; ok && len(v.Value) == 0 || strings.Contains(string(a.body), `CT\\`) {
				t.Errorf("%s: modalities are %v", c.path, v.Value)
			}
		}
	}
}

// parts reads a multipart answer with another reader than ours.
func parts(t *testing.T, a answer) (types []string, bodies [][]byte) {
	t.Helper()
	media, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || media != "multipart/related" {
		t.Fatalf("content type %q, %v", a.header.Get("Content-Type"), err)
	}
	r := multipart.NewReader(bytes.NewReader(a.body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return types, bodies
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(p); err != nil {
			t.Fatal(err)
		}
		types, bodies = append(types, p.Header.Get("Content-Type")), append(bodies, b.Bytes())
	}
}

// TestRetrievalsOfTheViewerAreAnswered does the same for what it loads.
func TestRetrievalsOfTheViewerAreAnswered(t *testing.T) {
	t.Parallel()
	w, ct, jls, seg, pdf, ecg := viewed(t)
	path := func(s spec) string {
		r := s.resource()
		return "/studies/" + r.StudyUID + "/series/" + r.SeriesUID + "/instances/" + r.SOPInstanceUID
	}
	types, bodies := parts(t, w.ask(http.MethodGet, path(jls)+"/frames/1", "multipart/related; type=application/octet-stream; transfer-syntax=*").want(t, http.StatusOK))
	if !slices.Equal(types, []string{"image/jls; transfer-syntax=1.2.840.10008.1.2.4.80"}) || !bytes.HasPrefix(bodies[0], []byte("\xff\xd8\xff\xf7")) {
		t.Errorf("JPEG-LS frame came as %q", types)
	}
	types, bodies = parts(t, w.ask(http.MethodGet, path(ct)+"/frames/2", "multipart/related; type=application/octet-stream; transfer-syntax=*").want(t, http.StatusOK))
	if !slices.Equal(types, []string{"application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"}) || !bytes.Equal(bodies[0], ramp(2 * 64 * 64)[2*64*64:]) {
		t.Errorf("native frame came as %q, %d bytes", types, len(bodies[0]))
	}
	types, _ = parts(t, w.ask(http.MethodGet, path(jls)+"/frames/1", `multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.4.80`).want(t, http.StatusOK))
	if len(types) != 1 {
		t.Errorf("named transfer syntax: %q", types)
	}
	types, bodies = parts(t, w.ask(http.MethodGet, path(seg), `multipart/related; type="application/dicom"`).want(t, http.StatusOK))
	f, err := dicom.ReadFile(bytes.NewReader(bodies[0]), dicom.DecodeOptions{})
	if err != nil || !f.DataSet.Equal(seg.dataSet(t)) || types[0] != "application/dicom; transfer-syntax=1.2.840.10008.1.2.1" {
		t.Errorf("segmentation came as %q, %v", types, err)
	}
	a := w.ask(http.MethodGet, path(pdf)+"/rendered", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8").want(t, http.StatusOK)
	if a.header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(a.body, []byte("%PDF")) || strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("document came as %v", a.header)
	}
	a = w.ask(http.MethodGet, path(ct)+"/thumbnail?viewport=256,256", "image/jpeg").want(t, http.StatusOK)
	if a.header.Get("Content-Type") != "image/jpeg" || !bytes.HasPrefix(a.body, []byte("\xff\xd8")) {
		t.Errorf("thumbnail came as %v", a.header)
	}
	for _, level := range []string{"/studies/1.2.3.1", "/studies/1.2.3.1/series/1.2.3.1.1"} {
		w.ask(http.MethodGet, level+"/thumbnail?viewport=256,256", "image/jpeg").want(t, http.StatusOK)
	}
	a = w.ask(http.MethodGet, "/studies/1.2.3.3/series/1.2.3.3.1/metadata", "application/dicom+json", "Accept-Encoding", "gzip").want(t, http.StatusOK)
	if a.header.Get("Content-Encoding") != "gzip" || a.header.Get("ETag") == "" {
		t.Errorf("metadata came as %v", a.header)
	}
	w.ask(http.MethodGet, "/studies/1.2.3.3/series/1.2.3.3.1/metadata", "application/dicom+json", "If-None-Match", a.header.Get("ETag")).want(t, http.StatusNotModified)
	for ds, err := range w.client.Metadata(t.Context(), ecg.resource()) {
		if err != nil {
			t.Fatal(err)
		}
		el, _ := ds.Items(tag.WaveformSequence)[0].Get(tag.WaveformData)
		uri := el.BulkDataURI()
		if !strings.HasPrefix(uri, root+"/studies/") {
			t.Fatalf("bulk data URI is %q", uri)
		}
		a := w.ask(http.MethodGet, strings.TrimPrefix(uri, root), "application/octet-stream").want(t, http.StatusOK)
		if !bytes.Equal(a.body, ramp(5000)) || a.header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("bulk data: %d bytes of %s", len(a.body), a.header.Get("Content-Type"))
		}
		a = w.ask(http.MethodGet, strings.TrimPrefix(uri, root), "*/*", "Range", "bytes=10-19").want(t, http.StatusPartialContent)
		if !bytes.Equal(a.body, ramp(5000)[10:20]) || a.header.Get("Content-Range") != "bytes 10-19/10000" {
			t.Errorf("range: %v", a.header)
		}
	}
}

// TestStoreOfTheViewerIsTaken posts one object as the viewer does: by XHR, with
// any answer accepted.
func TestStoreOfTheViewerIsTaken(t *testing.T) {
	t.Parallel()
	w := openWeb(t, everything)
	s := spec{study: 1, series: 1, instance: 1, class: uid.SegmentationStorage}
	for _, form := range []string{`multipart/related; type="application/dicom"; boundary=xYz`, `multipart/related; type=application/dicom; boundary="xYz"`} {
		body := "--xYz\r\nContent-Type: application/dicom\r\n\r\n" + string(file(t, s.dataSet(t), uid.ExplicitVRLittleEndian)) + "\r\n--xYz--"
		rq, err := http.NewRequest(http.MethodPost, w.server.URL+root+"/studies", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		rq.Header.Set("Accept", "*/*")
		rq.Header.Set("Content-Type", form)
		a := w.do(rq).want(t, http.StatusOK)
		if !strings.Contains(string(a.body), `"00081190":{"vr":"UR","Value":["/dicom-web/studies/1.2.3.1"]}`) {
			t.Errorf("answer is %s", a.body)
		}
		s.instance++
	}
}
