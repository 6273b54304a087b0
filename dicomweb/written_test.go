package dicomweb

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/report"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/synth"
)

func TestReportsAndCurvesAreRendered(t *testing.T) {
	t.Parallel()
	const letter = "<ClinicalDocument><title>Letter</title><section><text>said<script>x</script></text></section></ClinicalDocument>"
	cda := synth.First(synth.PDF, synth.Options{}).DataSet
	for k, v := range map[dicom.Tag]string{tag.SOPClassUID: uid.EncapsulatedCDAStorage, tag.MIMETypeOfEncapsulatedDocument: "text/XML"} {
		if err := cda.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	cda.Delete(tag.EncapsulatedDocumentLength)
	cda.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte(letter)))

	objects := map[string]*dicom.DataSet{
		"sr": synth.First(synth.SR, synth.Options{}).DataSet, "ecg": synth.First(synth.ECG, synth.Options{}).DataSet,
		"pdf": synth.First(synth.PDF, synth.Options{}).DataSet, "cda": cda,
	}
	for _, c := range []struct {
		object, accept string
		status         int
		contentType    string
		holds          string
	}{
		{"sr", "*/*", 200, "text/html; charset=utf-8", "Solitary nodule"},
		{"sr", "text/html", 200, "text/html; charset=utf-8", "12.5 mm"},
		{"sr", TypeLines, 200, TypeLines, "Solitary nodule"},
		{"sr", "image/jpeg", 406, "application/problem+json", `"code":"no-picture"`},
		{"ecg", "*/*", 200, "image/svg+xml", "25 mm/s, 10 mm/mV"},
		{"ecg", "text/html", 406, "application/problem+json", `"possible":["image/svg+xml"]`},
		{"pdf", "text/html,*/*;q=0.8", 200, "application/pdf", "%PDF-"},
		{"pdf", "image/jpeg", 406, "application/problem+json", `"code":"document"`},
		{"cda", "*/*", 200, "text/xml", "<title>"},
		{"cda", "text/html", 200, "text/html; charset=utf-8", "Letter"},
	} {
		ds := objects[c.object]
		w := renderedOf(t, ds, c.accept)
		body, _ := io.ReadAll(w.Result().Body)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.contentType || !strings.Contains(string(body), c.holds) {
			t.Errorf("%s as %s: %d %s %.200s", c.object, c.accept, w.Code, w.Header().Get("Content-Type"), body)
		}
		if strings.HasPrefix(c.contentType, "text/html") && strings.Contains(string(body), "<script") {
			t.Errorf("%s as %s has a script", c.object, c.accept)
		}
		if policy := w.Header().Get("Content-Security-Policy"); c.contentType != "application/pdf" && !strings.Contains(policy, "sandbox") {
			t.Errorf("%s as %s: policy %q", c.object, c.accept, policy)
		}
	}

	var r report.Report
	if err := json.Unmarshal(renderedOf(t, objects["sr"], TypeLines).Body.Bytes(), &r); err != nil || len(r.Lines) != 9 {
		t.Errorf("%d lines, %v", len(r.Lines), err)
	}
}

// renderedOf asks for the rendered form of an object.
func renderedOf(t *testing.T, ds *dicom.DataSet, accept string) *httptest.ResponseRecorder {
	t.Helper()
	h, b := newTest(t)
	b.keep(t, ds, uid.ExplicitVRLittleEndian)
	path := "/dicom-web/studies/" + ds.Text(tag.StudyInstanceUID) + "/series/" + ds.Text(tag.SeriesInstanceUID) + "/instances/" + ds.Text(tag.SOPInstanceUID)
	return serve(t, h, http.MethodGet, path+"/rendered", nil, "Accept", accept)
}
