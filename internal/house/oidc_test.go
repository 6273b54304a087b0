package house_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/house/sitetest"
)

func TestAnIdentityProviderSignsInWhoIsRegistered(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	a := b.Must(200, "GET", b.SignInAt(p), nil)
	if !strings.Contains(a.Text, `http-equiv="refresh"`) || !strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("landing: %s", a.Text)
	}
	if a := b.Must(200, "GET", "/api/v1/session", nil); a.JSON["name"] != "radiologist" || a.JSON["state"] != "complete" || a.JSON["method"] != "oidc" {
		t.Errorf("state: %s", a.Text)
	}
	b.Must(200, "GET", "/dicom-web/studies", nil)
	// From now on the subject counts: another one of this name does not get in.
	p.Claims = map[string]any{"sub": "2", "preferred_username": "radiologist"}
	c := x.Browser()
	c.Must(401, "GET", c.SignInAt(p), nil)
	p.Claims = map[string]any{"sub": "3", "preferred_username": "nobody"}
	c.Must(401, "GET", c.SignInAt(p), nil)
	if err := x.In.Registry.DisablePerson(t.Context(), "radiologist"); err != nil {
		t.Fatal(err)
	}
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	c.Must(401, "GET", c.SignInAt(p), nil)
	if x.Recorded(audit.UserAuthenticated, "radiologist", "signed in by oidc") != 1 {
		t.Error("the sign-in is not recorded once")
	}
}

func TestRolesComeFromTheIdentityProviderWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) {
		o.RoleClaim, o.Create = "groups", true
		o.Roles = []config.OIDCRole{{Value: "pacs-admins", Role: "administrator"}, {Value: "pacs-readers", Role: "radiologist"}}
	})
	b := x.Browser()
	for groups, want := range map[string]string{"pacs-readers": "radiologist", "pacs-admins": "administrator"} {
		p.Claims = map[string]any{"sub": "new", "preferred_username": "new", "groups": []string{"x", groups}}
		b.Must(200, "GET", b.SignInAt(p), nil)
		if a := b.Must(200, "GET", "/api/v1/session", nil); a.JSON["role"] != want {
			t.Errorf("%s: %s", groups, a.Text)
		}
	}
	p.Claims = map[string]any{"sub": "new", "preferred_username": "new", "groups": []string{"x"}}
	b.Must(401, "GET", b.SignInAt(p), nil)
	// Who was made by the provider has no password.
	x.Browser().Must(401, "POST", "/api/v1/session/password", map[string]string{"name": "new", "password": ""})
}

func TestAnswersOfAnIdentityProviderThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	for what, change := range map[string]func(map[string]any){
		"nonce":      func(c map[string]any) { c["nonce"] = "another" },
		"no nonce":   func(c map[string]any) { delete(c, "nonce") },
		"audience":   func(c map[string]any) { c["aud"] = "another" },
		"issuer":     func(c map[string]any) { c["iss"] = "https://evil.example" },
		"expired":    func(c map[string]any) { c["exp"] = time.Now().Add(-2 * time.Minute).Unix() },
		"no name":    func(c map[string]any) { delete(c, "preferred_username") },
		"odd name":   func(c map[string]any) { c["preferred_username"] = []string{"radiologist"} },
		"no subject": func(c map[string]any) { delete(c, "sub") },
	} {
		p.Change = change
		b := x.Browser()
		b.Must(401, "GET", b.SignInAt(p), nil)
		if b.Cookie() != "" {
			t.Errorf("%s: a session was made", what)
		}
	}
	p.Change = nil
	b := x.Browser()
	callback := b.SignInAt(p)
	u, _ := url.Parse(callback)
	q := u.Query()
	q.Set("state", "another")
	b.Must(401, "GET", u.Path+"?"+q.Encode(), nil)
	x.Browser().Must(401, "GET", callback, nil) // another browser
	b.Must(200, "GET", callback, nil)           // which has not used it up
	b.Must(401, "GET", callback, nil)
}

func TestAnIdentityProviderThatIsDownOrLeadsElsewhereIsNotFollowed(t *testing.T) {
	t.Parallel()
	good := sitetest.NewProvider(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, good.URL+r.URL.Path, http.StatusFound)
	}))
	t.Cleanup(elsewhere.Close)
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
		t.Error("64 MiB of an answer were read")
	}))
	t.Cleanup(endless.Close)
	for what, issuer := range map[string]string{"nobody there": "http://127.0.0.1:1", "leads elsewhere": elsewhere.URL, "endless": endless.URL} {
		x := sitetest.NewPeopledSite(t, func(c *config.Config) { c.SignIn.OIDC = config.OIDC{Issuer: issuer, ClientID: "collimator"} })
		if a := x.Browser().Must(503, "POST", "/api/v1/session/oidc", nil); strings.Contains(a.Text, "127.0.0.1") {
			t.Errorf("%s: the refusal tells our inside: %s", what, a.Text)
		}
	}
}
