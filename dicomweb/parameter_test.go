package dicomweb

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// warnings is the Warning headers of an answer in one text.
func warnings(rec *httptest.ResponseRecorder) string {
	return strings.Join(rec.Header().Values("Warning"), "\n")
}

func TestUnknownParametersAreIgnoredWithAWarning(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	s.answers = []*dicom.DataSet{made(t, "1.2.3.1.1")}
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	const one = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
	const uri = "/dicom-web/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.1&contentType=image/png"
	for path, says := range map[string]string{
		"/dicom-web/studies?foo=1":                            "ignored: foo",
		"/dicom-web/studies?emptyvaluematching=true":          "ignored: emptyvaluematching",
		"/dicom-web/studies?orderby=-StudyDate&_=123":         "ignored: _, orderby",
		"/dicom-web/studies?patientname=ZZPHI":                "ignored: patientname",
		"/dicom-web/studies?includefield=nonsense,00080020":   "ignored: nonsense",
		"/dicom-web/studies?ZZPHI%5EDoe=1":                    "ignored: 1 whose names are not keywords",
		"/dicom-web/studies?00100=1&00000002=1&foo=1":         "ignored: foo and 2 more",
		one + "/metadata?foo=1":                               "ignored: foo",
		one + "/rendered?foo=1&quality=50":                    "ignored: foo",
		one + "?foo=1":                                        "ignored: foo",
		uri + "&foo=1":                                        "ignored: foo",
		"/dicom-web/studies?PatientID=*&fuzzymatching=true":   "",
		one + "/metadata?accept=application/dicom%2Bjson":     "",
		one + "/rendered?accept=image/png&viewport=8,8":       "",
		"/dicom-web/studies?limit=1&offset=0&StudyDate=2024-": "keys are not matched at this level: StudyDate",
	} {
		rec := serve(t, h, http.MethodGet, path, nil)
		if got := warnings(rec); rec.Code != http.StatusOK || !strings.Contains(got, says) || says == "" && got != "" || strings.Contains(got, "ZZPHI") {
			t.Errorf("%s: %d with the Warning %q, want %q", path, rec.Code, got, says)
		}
	}
}

func TestKeysThatWereNotMatchedAreNamedInAWarning(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	ds := made(t, "1.2.3.1.1")
	ds.Set(dicom.NewElement(tag.InstitutionName, dicom.LO, nil))
	s.answers = []*dicom.DataSet{ds}
	for query, want := range map[string]string{
		"InstitutionName=Nowhere&Modality=CT": "InstitutionName", "SeriesDescription=x&Rows=5": "SeriesDescription", "SeriesNumber=1": "SeriesNumber",
		"RequestAttributesSequence.ScheduledProcedureStepID=X": "RequestAttributesSequence",
		"Modality=CT": "", "InstitutionName=*": "", "InstitutionName=": "", "includefield=InstitutionName": "",
	} {
		rec := serve(t, h, http.MethodGet, "/dicom-web/studies?"+query, nil)
		got := warnings(rec)
		if rec.Code != http.StatusOK || want == "" && got != "" || want != "" && !strings.HasSuffix(got, "level: "+want+`"`) {
			t.Errorf("%s: %d with the Warning %q, want %q", query, rec.Code, got, want)
		}
	}
	s.answers = nil
	if got := warnings(serve(t, h, http.MethodGet, "/dicom-web/studies?InstitutionName=Nowhere", nil)); got != "" {
		t.Errorf("nothing was found, and the Warning is %q", got)
	}
}

func TestMediaTypesInTheQueryNeedNoEncoding(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	const one = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
	const uri = "/dicom-web/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.1"
	for path, want := range map[string]string{
		one + "/metadata?accept=application/dicom+json":                                             typeJSON,
		one + "/metadata?accept=application%2Fdicom%2Bjson":                                         typeJSON,
		one + "/metadata?accept=application/json;q=0.5,+application/dicom+json":                     typeJSON,
		one + "?accept=multipart/related;type=application/dicom;transfer-syntax=*":                  "multipart/related",
		one + "?accept=multipart/related;type=%22application/dicom%22;+transfer-syntax=*":           "multipart/related",
		one + "?accept=multipart%2Frelated%3B+type%3D%22application%2Fdicom%22":                     "multipart/related",
		uri + "&contentType=application/dicom;q=1&transferSyntax=*":                                 typeDICOM,
		uri + "&contentType=image/png;q=0.9":                                                        typePNG,
		"/dicom-web/studies?accept=application/dicom+json&PatientName=a;b&StudyDescription=a+b;c,d": typeJSON,
	} {
		rec := serve(t, h, http.MethodGet, path, nil, "Accept", "text/plain")
		if got := rec.Header().Get("Content-Type"); rec.Code != http.StatusOK || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %d as %s, want %s", path, rec.Code, got, want)
		}
	}
	if got := s.searched[len(s.searched)-1].Keys; got.Text(tag.PatientName) != "a;b" || got.Text(tag.StudyDescription) != "a b;c,d" {
		t.Error("a semicolon in a value was cut, or a plus sign is no blank there")
	}
}
