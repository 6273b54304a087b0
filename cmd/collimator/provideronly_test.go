package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/house/sitetest"
)

func newProviderOnlySite(t *testing.T, p *sitetest.Provider) *sitetest.Site {
	return sitetest.NewPeopledSite(t, func(c *config.Config) {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte("client-secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.SignIn.OIDC = config.OIDC{Issuer: p.URL, ClientID: "collimator", ClientSecretFile: file}
		c.SignIn.Local, c.SignIn.BreakGlass = false, []string{"administrator"}
	})
}

func TestOnlyTheProviderLetsPeopleInButForBreakGlassAccounts(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := newProviderOnlySite(t, p)
	b := x.Browser()
	a := b.Must(401, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": sitetest.Password})
	wrong := b.Must(401, "POST", "/api/v1/session/password", map[string]string{"name": "administrator", "password": "wrong horse battery"})
	if a.Text != wrong.Text {
		t.Errorf("the refusal tells who is a break-glass account: %s, %s", a.Text, wrong.Text)
	}
	if x.Recorded(audit.UserAuthenticated, "radiologist", "signin.local") != 1 {
		t.Error("why a right password did not count is not recorded")
	}
	x.SignIn("administrator")
	if !slices.ContainsFunc(x.Records(), func(r audit.Record) bool { return r.Code == audit.GlassBroken && r.Principal == "administrator" }) {
		t.Error("a break-glass account signed in and nobody is told")
	}

	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b.Must(200, "GET", b.SignInAt(p), nil)
	for _, path := range []string{"/api/v1/session/enrol/totp", "/api/v1/session/enrol/passkey/begin"} {
		b.Must(409, "POST", path, nil)
	}
	settings := "signin:\n  local: false\n  break_glass: [administrator]\n  oidc: {issuer: " + p.URL + ", client_id: collimator}\n"
	if err := os.WriteFile(filepath.Join(x.In.Config.Data, config.File), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := runOn(x.In, t, "user", "link", "radiologist")
	if code != 0 || !strings.Contains(out, "signin.local") {
		t.Fatalf("nobody is warned that the link will not count: %s", out)
	}
	link := regexp.MustCompile(`https://\S+/open#(\S+)`).FindStringSubmatch(out)[1]
	x.Browser().Must(409, "POST", "/api/v1/setup", map[string]string{"link": link, "password": sitetest.Password})
}
