package main

import (
	"net/http"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/policy"
)

// delete asks for a deletion with a reason.
func (w *webServer) delete(path, token, reason string) int {
	w.Helper()
	rq, err := http.NewRequestWithContext(w.Context(), http.MethodDelete, w.url+path, nil)
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
	w := newWebServer(t)
	const study = "/dicom-web/studies/2.25.70"
	read, all := []policy.Verb{policy.Query, policy.Retrieve}, policy.AllVerbs()
	for _, role := range []policy.Role{policy.Radiologist, policy.Technologist, policy.Referrer, policy.Researcher, policy.Auditor} {
		_, token := w.token(role, all)
		if got := w.delete(study, token, "a good reason"); got != http.StatusForbidden {
			t.Errorf("%s: status %d", role, got)
		}
	}
	_, reading := w.token(policy.Administrator, read)
	_, elsewhere := w.token(policy.Administrator, all, "2.25.71")
	_, admin := w.token(policy.Administrator, all)
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
		if got := w.delete(c.path, c.token, c.reason); got != c.want {
			t.Errorf("%s: status %d, want %d", c.what, got, c.want)
		}
	}
	if status, body := w.do("GET", "/dicom-web/studies", admin, nil, ""); status != http.StatusOK || strings.Contains(body, "2.25.70") || !strings.Contains(body, "2.25.71") {
		t.Errorf("status %d, %s", status, body)
	}
	wantDeletions(t, w)
	wantAlerts(t, w, 9) // five roles and the four tokens that were refused
	if p := verified(t, w.in); len(p) > 0 {
		t.Errorf("verify found %v", p)
	}
}

// wantAlerts counts the refused attempts to delete, each a security alert.
func wantAlerts(t *testing.T, w *webServer, want int) {
	t.Helper()
	n := 0
	for r, err := range w.in.Trail.After(t.Context(), -1) {
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
func wantDeletions(t *testing.T, w *webServer) {
	t.Helper()
	var found []audit.Event
	for r, err := range w.in.Trail.After(t.Context(), -1) {
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
