package api_test

import (
	"net/netip"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
	"collimator/internal/identity"
)

func TestARefusedDeviceIsApprovedByTheAPI(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	issued, err := x.In.Authority.IssueDevice("CT9", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.In.Registry.Remember(t.Context(), identity.Pending{CallingAETitle: "CT9", CalledAETitle: "COLLIMATOR", Address: "192.0.2.9", Certificate: issued.Certificate, Reason: "not registered"}, 100); err != nil {
		t.Fatal(err)
	}
	a := b.Must(200, "GET", "/api/v1/devices/pending", nil)
	entry := a.JSON["items"].([]any)[0].(map[string]any)
	print := entry["fingerprint"].(string)
	path := "/api/v1/devices/pending/1/approve"
	b.Must(409, "POST", path, map[string]any{"allow": []string{"echo"}, "fingerprint": strings.Repeat("0", 64)})
	b.Must(400, "POST", path, map[string]any{"allow": []string{"everything"}, "fingerprint": print})
	b.Must(400, "POST", path, map[string]any{"allow": []string{"echo"}, "fingerprint": print, "address": "CT9.example"})
	b.Must(404, "POST", "/api/v1/devices/pending/2/approve", map[string]any{"allow": []string{"echo"}, "fingerprint": print})
	b.Must(200, "POST", path, map[string]any{"allow": []string{"echo", "store"}, "fingerprint": print})
	b.Must(404, "POST", path, map[string]any{"allow": []string{"echo"}, "fingerprint": print})
	if a := b.Must(200, "GET", "/api/v1/devices", nil); !strings.Contains(a.Text, `"CT9"`) || !strings.Contains(a.Text, print) {
		t.Errorf("devices: %s", a.Text)
	}
	caller := identity.Caller{CallingAETitle: "CT9", Address: netip.MustParseAddr("192.0.2.9"), Certificate: issued.Certificate}
	if d, err := x.In.Registry.Authenticate(t.Context(), caller); err != nil || len(d.Verbs) != 2 {
		t.Errorf("the device is not let in: %v", err)
	}
	if x.Recorded(audit.DeviceChanged, "administrator", "") != 1 {
		t.Error("the approval is not recorded once")
	}
}

func TestTokensBelongToWhoMadeThem(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	one, two := x.SignIn("radiologist"), x.SignIn("technologist")
	made := one.Must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1, "studies": []string{"2.25.70"}})
	id, bearer := made.JSON["id"].(string), "Bearer "+made.JSON["secret"].(string)
	for _, body := range []map[string]any{{"scope": "all", "hours": 1}, {"scope": "read"}, {"scope": "read", "hours": 10000}, {"scope": "read", "hours": 1, "studies": []string{"x"}}} {
		one.Must(400, "POST", "/api/v1/tokens", body)
	}
	if a := one.Must(200, "GET", "/api/v1/tokens", nil); !strings.Contains(a.Text, id) || strings.Contains(a.Text, "clmt_") {
		t.Errorf("tokens: %s", a.Text)
	}
	if a := two.Must(200, "GET", "/api/v1/tokens", nil); strings.Contains(a.Text, id) {
		t.Error("somebody sees the tokens of others")
	}
	x.Browser().Must(200, "GET", "/dicom-web/studies/2.25.70/metadata", nil, "Authorization", bearer)
	x.Browser().Must(403, "GET", "/dicom-web/studies/2.25.71/metadata", nil, "Authorization", bearer)
	x.Browser().Must(403, "GET", "/api/v1/people", nil, "Authorization", bearer)
	two.Must(404, "DELETE", "/api/v1/tokens/"+id, nil)
	one.Must(204, "DELETE", "/api/v1/tokens/"+id, nil)
	x.Browser().Must(401, "GET", "/dicom-web/studies", nil, "Authorization", bearer)
}

func TestATokenOfAnAdministratorReachesTheAPIWithinItsScope(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	for scope, want := range map[string]int{"admin": 200, "read": 403} {
		secret := b.Must(200, "POST", "/api/v1/tokens", map[string]any{"scope": scope, "hours": 1}).JSON["secret"].(string)
		for _, path := range []string{"/api/v1/people", "/api/v1/devices", "/api/v1/audit", "/api/v1/quarantine"} {
			x.Browser().Must(want, "GET", path, nil, "Authorization", "Bearer "+secret)
		}
	}
}
