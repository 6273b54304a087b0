package api_test

import (
	"net/http"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/guard"
	"collimator/internal/house/sitetest"
	"collimator/internal/httpsec"
	"collimator/internal/signin"
)

const emergencyText = "ZZPHI^PATIENT is unconscious, prior CT needed"

func TestEmergencyAccessReachesEveryStudyAndRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("referrer")
	path := "/dicom-web/studies/2.25.71/metadata"
	b.Must(403, "GET", path, nil)
	if a := b.Must(200, "GET", "/dicom-web/studies", nil); strings.Contains(a.Text, "2.25.71") {
		t.Error("a referrer sees a study that was not granted")
	}
	if a := b.Must(200, "GET", path, nil, guard.EmergencyHeader, emergencyText); !strings.Contains(a.Text, "2.25.71") {
		t.Errorf("answer: %.200s", a.Text)
	}
	if a := b.Must(200, "GET", "/dicom-web/studies", nil, guard.EmergencyHeader, emergencyText); !strings.Contains(a.Text, "2.25.71") {
		t.Error("emergency access does not find the other study")
	}
	if n := x.Recorded(audit.EmergencyAccess, "referrer", emergencyText); n != 2 {
		t.Errorf("%d alarms in the trail, want 2", n)
	}
	if !strings.Contains(x.Log.String(), "ALARM") { // and the site's clean-up looks for ZZPHI
		t.Error("no alarm in the log")
	}
	// Where it is not needed it raises none, and it widens nothing but images.
	b.Must(200, "GET", "/dicom-web/studies/2.25.70/metadata", nil, guard.EmergencyHeader, emergencyText)
	x.SignIn("radiologist").Must(200, "GET", path, nil, guard.EmergencyHeader, emergencyText)
	x.SignIn("auditor").Must(403, "GET", path, nil, guard.EmergencyHeader, emergencyText)
	x.SignIn("researcher").Must(404, "GET", path, nil, guard.EmergencyHeader, emergencyText) // knows no real UID
	b.Must(403, "POST", "/dicom-web/studies", nil, guard.EmergencyHeader, emergencyText)
	b.Must(403, "GET", "/api/v1/people", nil, guard.EmergencyHeader, emergencyText)
	if n := x.Recorded(audit.EmergencyAccess, "referrer", ""); n != 2 {
		t.Errorf("%d alarms in the trail, want 2 still", n)
	}
}

func TestEmergencyAccessNeedsAReasonAndAPerson(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b, path := x.SignIn("referrer"), "/dicom-web/studies/2.25.71/metadata"
	for _, reason := range []string{"", "x", "1234", strings.Repeat("a", 201), "reason\twith a tab"} {
		b.Must(400, "GET", path, nil, guard.EmergencyHeader, reason)
	}
	b.Must(200, "GET", path, nil, guard.EmergencyHeader, "Notfall \xfcber Nacht")
	if x.Recorded(audit.EmergencyAccess, "referrer", "Notfall über Nacht") != 1 {
		t.Error("the reason is not recorded as it was typed")
	}
	secret := b.Must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1}).JSON["secret"].(string)
	x.Browser().Must(400, "GET", path, nil, "Authorization", "Bearer "+secret, guard.EmergencyHeader, "a good reason")
}

// TestEveryRouteNeedsCredentialsAndHasTheHeaders walks over all routes.
func TestEveryRouteNeedsCredentialsAndHasTheHeaders(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.Browser()
	api := x.Server.SignIn.NewAPI()
	x.Server.Services().Register(api)
	routes := append(api.Routes(), "GET /", "GET /index.html", "GET /api", "GET /api/v1/nonsense", "DELETE /api/v1/people", "GET /dicom-web/studies",
		"GET /dicom-web/studies/2.25.70/metadata", "POST /dicom-web/studies", "OPTIONS /dicom-web/", "POST /healthz",
		// To sign in, where a session is needed first.
		"GET /api/v1/session", "DELETE /api/v1/session", "POST /api/v1/session/totp", "POST /api/v1/session/recovery",
		"POST /api/v1/session/enrol/totp", "POST /api/v1/session/enrol/totp/confirm", "POST /api/v1/session/enrol/passkey/begin", "POST /api/v1/session/enrol/passkey/finish")
	if len(routes) < 30 {
		t.Fatalf("%d routes", len(routes))
	}
	for _, r := range routes {
		method, path, _ := strings.Cut(r, " ")
		a := b.Must(401, method, sitetest.At(path), nil)
		if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: the refusal is %s", r, a.Header.Get("Content-Type"))
		}
	}
	in := x.SignIn("administrator")
	open := []string{"POST /api/v1/session/password", "POST /api/v1/session/passkey/begin", "POST /api/v1/session/passkey/finish", "POST /api/v1/session/oidc",
		"GET " + signin.CallbackPath, "POST /api/v1/setup", "POST /api/v1/setup/look", "GET /healthz"}
	for _, r := range append(open, routes...) {
		if strings.HasPrefix(r, "DELETE /api/v1/session") {
			continue // it would sign us out
		}
		method, path, _ := strings.Cut(r, " ")
		a := in.Send(method, sitetest.At(path), nil)
		if a.StatusCode == 401 && !strings.Contains(r, "finish") || a.StatusCode >= 500 && a.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s with a session: status %d %s", r, a.StatusCode, a.Text)
		}
		want := httpsec.API
		if strings.HasPrefix(path, "/dicom-web") {
			want = httpsec.Images
		}
		if path == signin.CallbackPath {
			want = httpsec.Page
		}
		for _, h := range want {
			if got := a.Header.Get(h.Name); got != h.Value && !(h.Name == "Cache-Control" && got == "no-store") {
				t.Errorf("%s: %s is %q, want %q", r, h.Name, got, h.Value)
			}
		}
	}
}
