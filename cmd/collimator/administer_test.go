package main

import (
	"net/netip"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/identity"
)

func TestARefusedDeviceIsApprovedByTheAPI(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.signIn("administrator")
	issued, err := x.in.Authority.IssueDevice("CT9", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.in.Registry.Remember(t.Context(), identity.Pending{CallingAETitle: "CT9", CalledAETitle: "COLLIMATOR", Address: "192.0.2.9", Certificate: issued.Certificate, Reason: "not registered"}, 100); err != nil {
		t.Fatal(err)
	}
	a := b.must(200, "GET", "/api/v1/devices/pending", nil)
	entry := a.json["items"].([]any)[0].(map[string]any)
	print := entry["fingerprint"].(string)
	path := "/api/v1/devices/pending/1/approve"
	b.must(409, "POST", path, map[string]any{"allow": []string{"echo"}, "fingerprint": strings.Repeat("0", 64)})
	b.must(400, "POST", path, map[string]any{"allow": []string{"everything"}, "fingerprint": print})
	b.must(400, "POST", path, map[string]any{"allow": []string{"echo"}, "fingerprint": print, "address": "CT9.example"})
	b.must(404, "POST", "/api/v1/devices/pending/2/approve", map[string]any{"allow": []string{"echo"}, "fingerprint": print})
	b.must(200, "POST", path, map[string]any{"allow": []string{"echo", "store"}, "fingerprint": print})
	b.must(404, "POST", path, map[string]any{"allow": []string{"echo"}, "fingerprint": print})
	if a := b.must(200, "GET", "/api/v1/devices", nil); !strings.Contains(a.text, `"CT9"`) || !strings.Contains(a.text, print) {
		t.Errorf("devices: %s", a.text)
	}
	caller := identity.Caller{CallingAETitle: "CT9", Address: netip.MustParseAddr("192.0.2.9"), Certificate: issued.Certificate}
	if d, err := x.in.Registry.Authenticate(t.Context(), caller); err != nil || len(d.Verbs) != 2 {
		t.Errorf("the device is not let in: %v", err)
	}
	if x.recorded(audit.DeviceChanged, "administrator", "") != 1 {
		t.Error("the approval is not recorded once")
	}
}

func TestTokensBelongToWhoMadeThem(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	one, two := x.signIn("radiologist"), x.signIn("technologist")
	made := one.must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1, "studies": []string{"2.25.70"}})
	id, bearer := made.json["id"].(string), "Bearer "+made.json["secret"].(string)
	for _, body := range []map[string]any{{"scope": "all", "hours": 1}, {"scope": "read"}, {"scope": "read", "hours": 10000}, {"scope": "read", "hours": 1, "studies": []string{"x"}}} {
		one.must(400, "POST", "/api/v1/tokens", body)
	}
	if a := one.must(200, "GET", "/api/v1/tokens", nil); !strings.Contains(a.text, id) || strings.Contains(a.text, "clmt_") {
		t.Errorf("tokens: %s", a.text)
	}
	if a := two.must(200, "GET", "/api/v1/tokens", nil); strings.Contains(a.text, id) {
		t.Error("somebody sees the tokens of others")
	}
	x.browser().must(200, "GET", "/dicom-web/studies/2.25.70/metadata", nil, "Authorization", bearer)
	x.browser().must(403, "GET", "/dicom-web/studies/2.25.71/metadata", nil, "Authorization", bearer)
	x.browser().must(403, "GET", "/api/v1/people", nil, "Authorization", bearer)
	two.must(404, "DELETE", "/api/v1/tokens/"+id, nil)
	one.must(204, "DELETE", "/api/v1/tokens/"+id, nil)
	x.browser().must(401, "GET", "/dicom-web/studies", nil, "Authorization", bearer)
}

func TestATokenOfAnAdministratorReachesTheAPIWithinItsScope(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.signIn("administrator")
	for scope, want := range map[string]int{"admin": 200, "read": 403} {
		secret := b.must(200, "POST", "/api/v1/tokens", map[string]any{"scope": scope, "hours": 1}).json["secret"].(string)
		for _, path := range []string{"/api/v1/people", "/api/v1/devices", "/api/v1/audit", "/api/v1/quarantine"} {
			x.browser().must(want, "GET", path, nil, "Authorization", "Bearer "+secret)
		}
	}
}
