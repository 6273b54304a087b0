package dicomweb

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/uid"
)

func TestMetadataAndMatchesComeAsXML(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	const several = `multipart/related; type="application/dicom+xml"`
	for _, n := range []string{"1", "2"} {
		s.keep(t, made(t, "1.2.3.1."+n), uid.ExplicitVRLittleEndian)
		s.answers = append(s.answers, made(t, "1.2.3.1."+n))
	}
	for path, want := range map[string]int{"/studies/1.2.3/metadata": 2, "/studies/1.2.3/series/1.2.3.1/metadata": 2, "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/metadata": 1, "/instances": 2} {
		rec := serve(t, h, http.MethodGet, "/dicom-web"+path, nil, "Accept", several)
		m, _ := parseMediaRange(rec.Header().Get("Content-Type"))
		bodies, err := readParts(rec.Body, m.boundary, 1<<10, 10)
		if rec.Code != http.StatusOK || m.mediaType != typeXML || err != nil || len(bodies) != want {
			t.Errorf("%s: %d, %s, %d parts, %v", path, rec.Code, rec.Header().Get("Content-Type"), len(bodies), err)
		}
		for _, b := range bodies {
			if err := xml.Unmarshal([]byte(b), new(struct{ XMLName xml.Name })); err != nil || !strings.Contains(b, `keyword="PatientName"`) {
				t.Errorf("%s: %v in %s", path, err, b)
			}
		}
	}

	one := serve(t, h, http.MethodGet, "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/metadata", nil, "Accept", typeXML)
	if one.Code != http.StatusOK || one.Header().Get("Content-Type") != typeXML || !strings.Contains(one.Body.String(), `<BulkData uri="/dicom-web/studies/`) {
		t.Errorf("one instance: %d %s", one.Code, one.Body)
	}
	if rec := serve(t, h, http.MethodGet, "/dicom-web/studies/1.2.3/metadata", nil, "Accept", typeXML); rec.Code != http.StatusNotAcceptable {
		t.Errorf("several data sets in one XML document: %d", rec.Code)
	}
	s.answers = nil
	if rec := serve(t, h, http.MethodGet, "/dicom-web/studies", nil, "Accept", several, "Accept-Encoding", "gzip"); rec.Code != http.StatusNoContent || rec.Header().Get("Content-Encoding") != "" {
		t.Errorf("nothing was found: %d %v", rec.Code, rec.Header())
	}
	body := strings.NewReader(string(part10(t, made(t, "1.2.3.1.9"), uid.ExplicitVRLittleEndian)))
	rec := serve(t, h, http.MethodPost, "/dicom-web/studies", body, "Content-Type", typeDICOM, "Accept", typeXML)
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `keyword="ReferencedSOPSequence"`) {
		t.Errorf("store: %d %s", rec.Code, rec.Body)
	}
}

func TestRenderedStudiesAndFramesComeWhole(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	for _, n := range []string{"1", "2"} {
		s.keep(t, made(t, "1.2.3.1."+n), uid.ExplicitVRLittleEndian)
	}
	film := made(t, "1.2.3.1.3")
	if err := film.SetInt(0x00280008, 3); err != nil {
		t.Fatal(err)
	}
	film.Set(dicom.NewElement(0x7FE00010, dicom.OB, make([]byte, 24)))
	s.keep(t, film, uid.ExplicitVRLittleEndian)
	report := made(t, "1.2.3.1.4")
	report.Delete(0x7FE00010)
	s.keep(t, report, uid.ExplicitVRLittleEndian)
	const instance = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.3"
	for _, c := range []struct {
		path, accept string
		status       int
		parts        int // 0: a single one
	}{
		{"/studies/1.2.3/rendered", "multipart/related; type=image/jpeg", 200, 5}, {"/studies/1.2.3/rendered", "*/*", 200, 5},
		{"/studies/1.2.3/series/1.2.3.1/rendered", "multipart/related; type=image/png", 200, 5}, {"/studies/1.2.3/rendered", "image/jpeg", 406, 0},
		{"/studies/1.2.3/thumbnail", "image/jpeg", 200, 0}, {"/studies/1.2.3/thumbnail", "multipart/related; type=image/jpeg", 200, 1},
		{instance + "/rendered", "multipart/related; type=image/png", 200, 3}, {instance + "/rendered", "image/png", 200, 0}, {instance + "/rendered", "*/*", 200, 0},
		{instance + "/thumbnail", "multipart/related; type=image/png", 200, 1}, {instance + "/frames/1,2/rendered", "multipart/related; type=image/png", 200, 2},
	} {
		rec := serve(t, h, http.MethodGet, "/dicom-web"+c.path, nil, "Accept", c.accept)
		m, _ := parseMediaRange(rec.Header().Get("Content-Type"))
		parts := 0
		if m.multipart {
			bodies, err := readParts(rec.Body, m.boundary, 1<<10, 100)
			if parts = len(bodies); err != nil {
				t.Error(err)
			}
		}
		if rec.Code != c.status || parts != c.parts {
			t.Errorf("%s as %s: %d with %d parts, want %d with %d", c.path, c.accept, rec.Code, parts, c.status, c.parts)
		}
	}
}
