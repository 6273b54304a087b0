package house_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/state"
)

// partOf is a state by its name.
func partOf(x *sitetest.Site, name string) state.State {
	for _, s := range x.Server.States.All() {
		if s.Name == name {
			return s
		}
	}
	return state.State{}
}

// wantFailure wants one record of a reason, and the reason in the log, and of the person
// and the subject in the record alone.
func wantFailure(x *sitetest.Site, reason, principal, who, subject string) {
	x.Helper()
	n := 0
	for _, r := range x.Records() {
		if r.Event != audit.UserAuthenticated || !strings.Contains(r.Reason, reason) {
			continue
		}
		n++
		var o audit.Object
		if len(r.Objects) > 0 {
			o = r.Objects[0]
		}
		if r.Principal != principal || o.Person != who || subject != "" && o.Detail != "subject "+subject {
			x.Errorf("%s: recorded with principal %q, %+v", reason, r.Principal, r.Objects)
		}
	}
	if log := x.Log.String(); n != 1 || !strings.Contains(log, reason) {
		x.Errorf("%s: %d records, want 1; log: %s", reason, n, log)
	}
}

func TestClaimsComeFromTheUserInfoEndpointWhereTheTokenHasNone(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) {
		o.NameClaim, o.RoleClaim, o.Scopes = "email", "groups", []string{"email", "groups"}
		o.Roles = []config.OIDCRole{{Value: "readers", Role: "radiologist"}}
	})
	p.Claims = map[string]any{"sub": "1"}
	p.Info = map[string]any{"sub": "1", "email": "radiologist", "groups": []string{"readers"}}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	if a := b.Must(200, "GET", "/api/v1/session", nil); a.JSON["name"] != "radiologist" {
		t.Errorf("signed in: %s", a.Text)
	}
	if got := p.Asked.Get("scope"); got != "openid email groups" {
		t.Errorf("scope %q", got)
	}
	// What is signed counts before what is not, and a UserInfo of another person not at all.
	p.Claims = map[string]any{"sub": "2", "email": "nobody"}
	p.Info = map[string]any{"sub": "2", "email": "radiologist", "groups": []string{"readers"}}
	browserFails(x, p, "not registered here", "", "nobody", "2")
	p.Claims = map[string]any{"sub": "3"}
	browserFails(x, p, "speaks of another person", "", "", "3")
}

// browserFails wants a sign-in that is refused for a reason.
func browserFails(x *sitetest.Site, p *sitetest.Provider, reason, principal, who, subject string) sitetest.Answer {
	x.Helper()
	b := x.Browser()
	a := b.Must(401, "GET", b.SignInAt(p), nil)
	wantFailure(x, reason, principal, who, subject)
	return a
}

func TestAProviderWithACertificateOfItsOwnAuthorityIsReachedByRoots(t *testing.T) {
	t.Parallel()
	p := sitetest.SilentProvider(t)
	h := httptest.NewTLSServer(p.Mux)
	p.Start(h)
	roots := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	x := p.NewSite(func(o *config.OIDC) { o.Roots = roots })
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)

	x = p.NewSite(nil)
	x.Browser().Must(503, "POST", "/api/v1/session/oidc", nil)
	wantFailure(x, "the identity provider is not reached", "", "", "")
	if s := partOf(x, house.OIDCState); s.Level != state.Failing || !strings.Contains(s.Text, "certificate") || !strings.Contains(s.Do, "roots") {
		t.Errorf("state: %+v", s)
	}
}

func TestWhyNobodyWasSignedInIsLoggedAndRecordedWithWho(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(func(o *config.OIDC) {
		o.RoleClaim, o.Roles = "groups", []config.OIDCRole{{Value: "readers", Role: "radiologist"}}
	})
	set := func(sub, name string, groups any) {
		p.Claims = map[string]any{"sub": sub, "preferred_username": name, "groups": groups}
	}
	set("1", "stranger", "readers")
	browserFails(x, p, "not registered here", "", "stranger", "1")
	set("2", "referrer", "none")
	browserFails(x, p, "no entry of signin.oidc.roles fits", "referrer", "referrer", "2")
	set("3", "auditor", nil)
	browserFails(x, p, "the claim is missing: groups", "auditor", "auditor", "3")
	set("4", "auditor", "readers")
	if err := x.In.Registry.DisablePerson(t.Context(), "auditor"); err != nil {
		t.Fatal(err)
	}
	browserFails(x, p, "disabled here", "auditor", "auditor", "4")

	set("5", "radiologist", "readers")
	p.Change = func(c map[string]any) { c["exp"] = time.Now().Add(-2 * time.Minute).Unix() }
	if a := browserFails(x, p, "has expired; compare the clocks", "", "", "5"); !strings.Contains(a.Text, "clock") {
		t.Errorf("nobody is told that it is the clock: %s", a.Text)
	}
	p.Change = func(c map[string]any) { c["iat"] = time.Now().Add(2 * time.Minute).Unix() }
	browserFails(x, p, "of the future; compare the clocks", "", "", "5")
	p.Change = func(c map[string]any) { c["exp"] = time.Now().Add(-30 * time.Second).Unix() } // within the leeway
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	p.Change = nil

	u, _ := url.Parse(b.SignInAt(p))
	q := u.Query()
	q.Del("code")
	q.Set("error", "access_denied")
	if a := b.Must(401, "GET", u.Path+"?"+q.Encode(), nil); !strings.Contains(a.Text, "cancelled") {
		t.Errorf("cancelled: %s", a.Text)
	}
	wantFailure(x, "cancelled at the identity provider", "", "", "")
	callback := b.SignInAt(p)
	x.Browser().Must(401, "GET", callback, nil)
	wantFailure(x, "in another browser", "", "", "")
	b.Must(401, "GET", callback+"&iss=https%3A%2F%2Fevil.example", nil)
	wantFailure(x, "comes from another identity provider", "", "", "")
	callback = b.SignInAt(p)
	b.Must(200, "GET", callback, nil)
	b.Must(401, "GET", callback, nil)
	wantFailure(x, "the answer was used before", "", "", "")
	if strings.Contains(x.Log.String(), "ZZTOKEN") {
		t.Error("a token stands in the log")
	}
}

func TestAnOutageOfTheProviderIsNoForgery(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	callback := b.SignInAt(p)
	p.Status = http.StatusBadGateway
	if a := b.Must(503, "GET", callback, nil); !strings.Contains(a.Text, "does not answer") {
		t.Errorf("told: %s", a.Text)
	}
	wantFailure(x, "the identity provider is not reached", "", "", "")
	if s := partOf(x, house.OIDCState); s.Level != state.Failing || !strings.Contains(s.Text, "502") {
		t.Errorf("state: %+v", s)
	}
	p.Status = 0
	b.Must(200, "GET", callback, nil) // the page was loaded again
	if s := partOf(x, house.OIDCState); s.Level != state.Well {
		t.Errorf("state: %+v", s)
	}
	if log := x.Log.String(); strings.Contains(log, "ZZTOKEN") {
		t.Errorf("what the provider wrote stands in the log: %s", log)
	}
	for _, status := range []int{0, http.StatusBadRequest} { // a code of a stranger is no outage
		p.Status = status
		callback := b.SignInAt(p)
		u, _ := url.Parse(callback)
		q := u.Query()
		q.Set("code", "guessed")
		b.Must(401, "GET", u.Path+"?"+q.Encode(), nil)
		if s := partOf(x, house.OIDCState); s.Level != state.Well {
			t.Errorf("state: %+v", s)
		}
	}
	p.Status = http.StatusUnauthorized
	c := x.Browser()
	c.Must(503, "GET", c.SignInAt(p), nil)
	wantFailure(x, "does not take this archive's client ID or secret", "", "", "")
}

func TestTwoTabsSignInAtTheProviderBesideEachOther(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	one, two := b.SignInAt(p), b.SignInAt(p)
	b.Must(401, "GET", "/api/v1/session/oidc/callback?state=x&code=y", nil) // where another page sends the browser
	b.Must(200, "GET", one, nil)
	b.Must(200, "GET", two, nil)
	for range 12 { // and those that never end do not pile up
		b.SignInAt(p)
	}
	n := 0
	rq, _ := http.NewRequest("GET", "https://"+b.Host+"/", nil)
	for _, c := range b.Jar.Cookies(rq.URL) {
		if strings.HasPrefix(c.Name, "__Host-oidc") {
			n++
		}
	}
	if n > 8 {
		t.Errorf("%d cookies", n)
	}
}

func TestAProviderThatMovedItsKeysIsAskedAgain(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.Alter(func() { p.Key, p.KeyID, p.Keys = key, "3", "/moved/keys" })
	b.Must(200, "GET", b.SignInAt(p), nil)
}

func TestWhoSignsOutIsSentToTheProviderToSignOutThereToo(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	p.Meta = map[string]any{"end_session_endpoint": p.URL + "/end?x=1"}
	x := p.NewSite(nil)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	want := p.URL + "/end?client_id=collimator&post_logout_redirect_uri=" + url.QueryEscape("https://"+x.Host+"/") + "&x=1"
	if a := b.Must(200, "DELETE", "/api/v1/session", nil); a.JSON["location"] != want {
		t.Errorf("location %v, want %s", a.JSON["location"], want)
	}
	x.SignIn("auditor").Must(204, "DELETE", "/api/v1/session", nil)

	p.Meta = map[string]any{"end_session_endpoint": "javascript:alert(1)"}
	x = p.NewSite(nil)
	b = x.Browser()
	b.Must(200, "GET", b.SignInAt(p), nil)
	b.Must(204, "DELETE", "/api/v1/session", nil)
}
