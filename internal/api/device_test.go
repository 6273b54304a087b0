package api_test

import (
	"strings"
	"testing"

	"collimator/internal/house/sitetest"
)

func TestTokensOfOthersAreListedAndRevokedByWhoAdministratesPeople(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	one, admin := x.SignIn("radiologist"), x.SignIn("administrator")
	made := one.Must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1})
	id, bearer := made.JSON["id"].(string), "Bearer "+made.JSON["secret"].(string)

	if a := admin.Must(200, "GET", "/api/v1/access-tokens", nil); !strings.Contains(a.Text, id) || strings.Contains(a.Text, "clmt_") {
		t.Errorf("tokens: %s", a.Text)
	}
	admin.Must(404, "DELETE", "/api/v1/access-tokens/0000000000", nil)
	admin.Must(204, "DELETE", "/api/v1/access-tokens/"+id, nil)
	x.Browser().Must(401, "GET", "/dicom-web/studies", nil, "Authorization", bearer)
}

func TestATokenRevokesNoTokenOfAnAdministrator(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	made := x.SignIn("administrator").Must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "admin", "hours": 1})
	bearer := "Bearer " + made.JSON["secret"].(string)
	x.Browser().Must(403, "DELETE", "/api/v1/access-tokens/"+made.JSON["id"].(string), nil, "Authorization", bearer)
}

func TestADeviceIsShownWithWhatItStored(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	b.Must(404, "GET", "/api/v1/devices/CT9", nil)
	b.Must(200, "POST", "/api/v1/devices", map[string]any{"aeTitle": "CT9"})
	a := b.Must(200, "GET", "/api/v1/devices/CT9", nil)
	if s := a.JSON["stored"].(map[string]any); s["studies"] != 0.0 || a.JSON["lastSeen"] != nil {
		t.Errorf("a new device: %s", a.Text)
	}
}

func TestALinkIsDrawnAsAQRCode(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("radiologist")
	b.Must(400, "POST", "/api/v1/qr", map[string]any{"text": ""})
	b.Must(400, "POST", "/api/v1/qr", map[string]any{"text": strings.Repeat("x", 1025)})
	rows := b.Must(200, "POST", "/api/v1/qr", map[string]any{"text": "https://localhost/share/open#clms_0"}).JSON["rows"].([]any)
	if len(rows) < 21 || len(rows[0].(string)) != len(rows) || !strings.HasPrefix(rows[0].(string), "1111111") {
		t.Errorf("%d rows, the first %v", len(rows), rows[0])
	}
}
