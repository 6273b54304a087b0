package house_test

import (
	"net/http"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

// remove asks for a deletion with a reason.
func remove(w *sitetest.Web, path, token, reason string) int {
	w.Helper()
	rq, err := http.NewRequestWithContext(w.Context(), http.MethodDelete, w.URL+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	rq.Header.Set("Authorization", "Bearer "+token)
	if reason != "" {
		rq.Header.Set("Collimator-Reason", reason)
	}
	rsp, err := http.DefaultClient.Do(rq)
	if err != nil {
		w.Fatal(err)
	}
	defer rsp.Body.Close()
	return rsp.StatusCode
}

func TestDeletionByWebNeedsTheRoleTheScopeAndAReason(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	const study = "/dicom-web/studies/2.25.70"
	read, all := []policy.Verb{policy.Query, policy.Retrieve}, policy.AllVerbs()
	for _, role := range []policy.Role{policy.Radiologist, policy.Technologist, policy.Referrer, policy.Researcher, policy.Auditor} {
		_, token := w.Token(role, all)
		if got := remove(w, study, token, "a good reason"); got != http.StatusForbidden {
			t.Errorf("%s: status %d", role, got)
		}
	}
	_, reading := w.Token(policy.Administrator, read)
	_, elsewhere := w.Token(policy.Administrator, all, "2.25.71")
	_, admin := w.Token(policy.Administrator, all)
	for _, c := range []struct {
		what, path, token, reason string
		want                      int
	}{
		{"a token that may only read", study, reading, "a good reason", http.StatusForbidden},
		{"a token for another study", study, elsewhere, "a good reason", http.StatusForbidden},
		{"no reason", study, admin, "", http.StatusBadRequest},
		{"one instance", study + "/series/2.25.810/instances/2.25.90", admin, "ZZPHI was not the patient", http.StatusNoContent},
		{"the same again", study + "/series/2.25.810/instances/2.25.90", admin, "a good reason", http.StatusNotFound},
		{"the rest of the study", study, admin, "a good reason", http.StatusNoContent},
		{"the whole archive", "/dicom-web/studies", admin, "a good reason", http.StatusMethodNotAllowed},
		{"the whole archive, by a token that may only read", "/dicom-web/studies", reading, "a good reason", http.StatusForbidden},
		{"no UID, by a token that may only read", "/dicom-web/studies/x", reading, "a good reason", http.StatusForbidden},
	} {
		if got := remove(w, c.path, c.token, c.reason); got != c.want {
			t.Errorf("%s: status %d, want %d", c.what, got, c.want)
		}
	}
	if status, body := w.Do("GET", "/dicom-web/studies", admin, nil, ""); status != http.StatusOK || strings.Contains(body, "2.25.70") || !strings.Contains(body, "2.25.71") {
		t.Errorf("status %d, %s", status, body)
	}
	wantDeletions(t, w)
	wantAlerts(t, w, 9) // five roles and the four tokens that were refused
	if p := sitetest.Verified(t, w.In); len(p) > 0 {
		t.Errorf("verify found %v", p)
	}
}

// wantAlerts counts the refused attempts to delete, each a security alert.
func wantAlerts(t *testing.T, w *sitetest.Web, want int) {
	t.Helper()
	n := 0
	for r, err := range w.In.Trail.After(t.Context(), -1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Action == audit.Delete && r.Event == audit.SecurityAlert {
			n++
		}
	}
	if n != want {
		t.Errorf("%d refused deletions are alerts, want %d", n, want)
	}
}

// wantDeletions looks for both deletions in the trail, each written once.
func wantDeletions(t *testing.T, w *sitetest.Web) {
	t.Helper()
	var found []audit.Event
	for r, err := range w.In.Trail.After(t.Context(), -1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Action == audit.Delete && r.Outcome == audit.Success {
			found = append(found, r.Event)
			if r.Door != "dicomweb" || r.Reason == "" || len(r.Objects) != 2 || !strings.HasPrefix(r.Objects[0].Person, "administrator") || r.Objects[1].Study != "2.25.70" || r.Objects[1].Patient != "ZZPHI-0" || !strings.HasPrefix(r.Principal, "token ") {
				t.Errorf("got %+v", r)
			}
		}
	}
	if len(found) != 2 || found[0] != audit.InstancesDeleted || found[1] != audit.StudyDeleted {
		t.Errorf("got %v", found)
	}
}
