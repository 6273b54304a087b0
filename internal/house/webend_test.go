package house_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

// get makes a request with a header and gives the answer without its body.
func get(w *sitetest.Web, method, path, token, header, value string) *http.Response {
	w.Helper()
	rq, err := http.NewRequestWithContext(w.Context(), method, w.URL+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	rq.Header.Set("Authorization", "Bearer "+token)
	if header != "" {
		rq.Header.Set(header, value)
	}
	rsp, err := http.DefaultClient.Do(rq)
	if err != nil {
		w.Fatal(err)
	}
	defer rsp.Body.Close()
	if _, err := io.Copy(io.Discard, rsp.Body); err != nil {
		w.Fatal(err)
	}
	return rsp
}

// lastRecord is the newest record of the trail.
func lastRecord(w *sitetest.Web) (last audit.Record) {
	w.Helper()
	for r, err := range w.In.Trail.After(w.Context(), -1) {
		if err != nil {
			w.Fatal(err)
		}
		last = r
	}
	return last
}

func TestWhatDoesNotLeaveIsRecordedAsThatAndNamesThePatient(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	_, token := w.Token(policy.Radiologist, policy.AllVerbs())
	for _, path := range []string{"", "/metadata"} {
		path = "/dicom-web/studies/2.25.70" + path
		whole := get(w, "GET", path, token, "", "")
		tag := whole.Header.Get("ETag")
		if whole.StatusCode != http.StatusOK || tag == "" {
			t.Fatalf("%s: %d", path, whole.StatusCode)
		}
		for _, c := range []struct {
			method, header, value string
			status                int
			detail                string
		}{
			{"HEAD", "", "", 200, "nothing left: its headers were asked for"},
			{"GET", "If-None-Match", tag, 304, "nothing left: it is unchanged"},
			{"HEAD", "If-None-Match", tag, 304, "nothing left: it is unchanged"},
			{"GET", "Accept", "application/x-none", 406, ""},
		} {
			if rsp := get(w, c.method, path, token, c.header, c.value); rsp.StatusCode != c.status {
				t.Errorf("%s %s: status %d, want %d", c.method, path, rsp.StatusCode, c.status)
				continue
			}
			r := lastRecord(w)
			o := r.Objects[len(r.Objects)-1]
			failed := c.status >= 400
			if r.Event != audit.Transferred || (r.Outcome != audit.Success) != failed || o.Instances != 0 || o.Study != "2.25.70" {
				t.Errorf("%s %s %d: %+v", c.method, path, c.status, r)
			}
			if !failed && (!strings.HasPrefix(o.Patient, "ZZPHI") || !strings.HasSuffix(o.Detail, c.detail)) {
				t.Errorf("%s %s %d: patient or detail missing: %+v", c.method, path, c.status, o)
			}
		}
	}
}
