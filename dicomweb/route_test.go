package dicomweb

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"collimator/dicom/uid"
)

func TestFrameListsAreRead(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][]int{"1": {1}, "3,1,2": {3, 1, 2}, "": nil, "0": nil, "-1": nil, "1,": nil, "1-3": nil, "1,2,3,4,5": nil, "99999999999999999999": nil} {
		got, err := parseFrames(s, 4)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, c := range everything {
		f.Add(c.method, c.path)
	}
	h := NewHandler(&shelf{}, Unguarded, Options{})
	f.Fuzz(func(t *testing.T, method, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		call, act, err := h.decode(&http.Request{Method: method, URL: u, Header: http.Header{}})
		if call == nil || act == nil && err == nil {
			t.Fatal("neither an action nor an error")
		}
		for _, s := range []string{call.StudyUID, call.SeriesUID, call.SOPInstanceUID} {
			if s != "" && !uid.Tolerable(s) {
				t.Errorf("%q is taken for a UID", s)
			}
		}
		if err != nil && asError(err).Status >= 500 {
			t.Error(err)
		}
	})
}

func TestCapabilitiesAreDescribedInWADL(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t)
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		rec := serve(t, h, method, "/dicom-web/", nil)
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != typeWADL {
			t.Errorf("%s: %d %v", method, rec.Code, rec.Header())
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodOptions, "/dicom-web/studies/1.2", nil))
	if rec.Code != http.StatusNoContent || rec.Header().Get("Allow") != "GET, HEAD, OPTIONS, POST, DELETE" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}
