package house_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/house/sitetest"
)

// tellLogout posts a form as the provider does: without credentials.
func tellLogout(x *sitetest.Site, t *testing.T, form url.Values) int {
	t.Helper()
	b := x.Browser()
	rq, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+x.Host+"/api/v1/session/oidc/logout", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rsp, err := b.Client.Do(rq)
	if err != nil {
		t.Fatal(err)
	}
	defer rsp.Body.Close()
	if rsp.StatusCode == http.StatusOK && rsp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", rsp.Header.Get("Cache-Control"))
	}
	return rsp.StatusCode
}

// Who signs out at the provider is signed out here, and nobody else.
func TestWhoSignsOutAtTheProviderIsSignedOutHere(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	p.Claims = map[string]any{"sub": "2", "preferred_username": "referrer"}
	other := x.Browser()
	other.Must(200, "GET", other.SignInAt(p), nil)

	token := p.LogoutToken("1", nil)
	if code := tellLogout(x, t, url.Values{"logout_token": {token}}); code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	b.Must(401, "GET", "/dicom-web/studies", nil)
	if a := other.Must(200, "GET", "/api/v1/session", nil); a.JSON["state"] != "complete" {
		t.Errorf("another person: %s", a.Text)
	}
	if n := x.Recorded(audit.UserSignedOut, "radiologist", "signed out at the identity provider"); n != 1 {
		t.Errorf("recorded %d times", n)
	}

	// The same token ends nothing that was begun later.
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b.Must(200, "GET", b.SignInAt(p), nil)
	if code := tellLogout(x, t, url.Values{"logout_token": {token}}); code != http.StatusBadRequest {
		t.Errorf("used twice: status %d", code)
	}
	b.Must(200, "GET", "/dicom-web/studies", nil)
	if code := tellLogout(x, t, url.Values{"logout_token": {p.LogoutToken("of nobody here", nil)}}); code != http.StatusOK {
		t.Errorf("a subject that is not known here: status %d", code)
	}
}

// A link to a study that somebody made outlives the evening's sign-out, and not
// where the settings say that everything ends.
func TestWhatEndsWithASignOutAtTheProviderIsOfTheSettings(t *testing.T) {
	t.Parallel()
	for _, logout := range []string{"", "everything"} {
		p := sitetest.NewProvider(t)
		x := p.NewSite(func(c *config.OIDC) { c.Logout = logout })
		p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
		b := x.Browser()
		b.Must(200, "GET", b.SignInAt(p), nil)
		link, _ := b.Must(200, "POST", "/api/v1/shares", map[string]any{"study": "2.25.70", "days": 7}).JSON["link"].(string)
		_, secret, _ := strings.Cut(link, "#")

		if code := tellLogout(x, t, url.Values{"logout_token": {p.LogoutToken("1", nil)}}); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
		b.Must(401, "GET", "/api/v1/session", nil)
		want := http.StatusOK
		if logout == "everything" {
			want = http.StatusUnauthorized
		}
		x.BrowserAt("127.0.0.2").Must(want, "GET", "/dicom-web/studies", nil, "Authorization", "Bearer "+secret)
	}
}

// What is no logout token of the provider signs nobody out.
func TestALogoutTokenThatDoesNotFitSignsNobodyOut(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	forms := map[string]url.Values{
		"nothing":  {},
		"two":      {"logout_token": {p.LogoutToken("1", nil), p.LogoutToken("1", nil)}},
		"no token": {"logout_token": {"a.b.c"}},
		"too long": {"logout_token": {strings.Repeat("x", 1<<20)}},
	}
	for what, change := range map[string]func(map[string]any){
		"an identity token": func(c map[string]any) { delete(c, "events") },
		"another event":     func(c map[string]any) { c["events"] = map[string]any{"http://example.org/other": map[string]any{}} },
		"an event of text": func(c map[string]any) {
			c["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": "x"}
		},
		"a nonce":            func(c map[string]any) { c["nonce"] = "n" },
		"no jti":             func(c map[string]any) { delete(c, "jti") },
		"no subject":         func(c map[string]any) { delete(c, "sub"); c["sid"] = "s" },
		"another audience":   func(c map[string]any) { c["aud"] = "another" },
		"another issuer":     func(c map[string]any) { c["iss"] = "https://evil.example" },
		"expired":            func(c map[string]any) { c["exp"] = time.Now().Add(-2 * time.Minute).Unix() },
		"without an end":     func(c map[string]any) { delete(c, "exp") },
		"of the future":      func(c map[string]any) { c["iat"] = time.Now().Add(time.Hour).Unix() },
		"signed by somebody": nil,
	} {
		if change == nil {
			forged := strings.Split(p.LogoutToken("1", nil), ".")
			forms[what] = url.Values{"logout_token": {forged[0] + "." + forged[1] + "." + strings.Repeat("A", len(forged[2]))}}
			continue
		}
		forms[what] = url.Values{"logout_token": {p.LogoutToken("1", change)}}
	}
	for what, form := range forms {
		if code := tellLogout(x, t, form); code != http.StatusBadRequest {
			t.Errorf("%s: status %d", what, code)
		}
	}
	b.Must(200, "GET", "/dicom-web/studies", nil)
}

// The provider's second factor is demanded where the settings say so.
func TestTheProvidersSecondFactorIsDemandedWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) {
		o.RequireACR, o.RequireAMR = []string{"phr", "phrh"}, []string{"mfa", "hwk"}
	})
	for what, c := range map[string]struct {
		claims map[string]any
		reason string // empty: signed in
	}{
		"both":                 {map[string]any{"acr": "phrh", "amr": []string{"pwd", "mfa"}}, ""},
		"nothing is said":      {map[string]any{}, "require_acr"},
		"another class":        {map[string]any{"acr": "0", "amr": []string{"mfa"}}, "require_acr"},
		"a list for the class": {map[string]any{"acr": []string{"phr"}, "amr": []string{"mfa"}}, "does not count"},
		"a password alone":     {map[string]any{"acr": "phr", "amr": []string{"pwd"}}, "require_amr"},
		"no methods":           {map[string]any{"acr": "phr"}, "require_amr"},
	} {
		p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
		maps.Copy(p.Claims, c.claims)
		b := x.Browser()
		callback := b.SignInAt(p)
		if got := p.Asked.Get("acr_values"); got != "phr phrh" {
			t.Errorf("%s: asked for %q", what, got)
		}
		if c.reason == "" {
			b.Must(200, "GET", callback, nil)
			continue
		}
		a := b.Must(401, "GET", callback, nil)
		if strings.HasPrefix(c.reason, "require") && !strings.Contains(a.Text, "second factor") {
			t.Errorf("%s: %s", what, a.Text)
		}
		if b.Cookie() != "" || x.Recorded(audit.UserAuthenticated, "", c.reason) == 0 {
			t.Errorf("%s: a session was made, or the reason is not recorded", what)
		}
	}
}
