package main

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

// leadsTo is where a page sends the browser by itself.
func leadsTo(t *testing.T, a answer) string {
	t.Helper()
	refresh := regexp.MustCompile(`<meta http-equiv="refresh" content="0;url=([^"]+)">`).FindStringSubmatch(a.text)
	link := regexp.MustCompile(`<a href="([^"]+)">`).FindStringSubmatch(a.text)
	if refresh == nil || link == nil || html.UnescapeString(refresh[1]) != html.UnescapeString(link[1]) {
		t.Fatalf("the page leads nowhere: %s", a.text)
	}
	return html.UnescapeString(link[1])
}

func TestSomebodySignsInAtTheIdentityProviderFromThePage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.meta = map[string]any{"end_session_endpoint": p.url + "/end"}
	p.claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	x := newOIDCSite(t, p, nil)
	b := x.browser()
	const button = `value="provider"`
	wantPage(t, b.send("GET", "/setup/", nil), 200, button)
	wantPage(t, b.fill("/setup/", "step", "password", "name", "radiologist", "password", "wrong horse battery"), 401, button)

	a := b.fill("/setup/", "step", "provider")
	wantPage(t, a, 200, "<title>Sign in · Collimator</title>")
	there := leadsTo(t, a)
	if !strings.HasPrefix(there, p.url+"/authorize?") {
		t.Fatalf("the page leads to %s", there)
	}
	b.must(200, "GET", p.authorize(there), nil)
	wantPage(t, b.send("GET", "/setup/", nil), 200, "signed in as radiologist")

	a = b.fill("/setup/", "step", "leave")
	if there = leadsTo(t, a); !strings.HasPrefix(there, p.url+"/end?") {
		t.Errorf("who signs out is sent to %s", there)
	}
	wantPage(t, b.send("GET", "/setup/", nil), 200, button)
}

func TestThePageNamesNoIdentityProviderWhereThereIsNone(t *testing.T) {
	t.Parallel()
	b := newPeopledSite(t, nil).browser()
	if a := b.send("GET", "/setup/", nil); strings.Contains(a.text, `value="provider"`) {
		t.Error(a.text)
	}
	if a := b.fill("/setup/", "step", "provider"); a.StatusCode == 200 || !strings.Contains(a.text, `role="alert"`) {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
}

func TestAnIdentityProviderThatIsDownIsSaidOnThePage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	x := newOIDCSite(t, p, nil)
	p.mu.Lock()
	p.meta = map[string]any{"issuer": "https://elsewhere.example"}
	p.mu.Unlock()
	wantPage(t, x.browser().fill("/setup/", "step", "provider"), 503, `role="alert"`)
}

func TestWhatTheIdentityProviderRefusedIsSaidInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.claims = map[string]any{"sub": "1", "preferred_username": "ZZPHI nobody"}
	x := newOIDCSite(t, p, nil)

	b := x.browser()
	a := b.send("GET", b.oidc(p), nil, "Accept-Language", "de")
	wantPage(t, a, 401, `<p role="alert">Der Anmeldedienst kennt Sie, dieses Archiv aber nicht.`)
	if strings.Contains(a.text, "refresh") {
		t.Error("nobody can read the page before it leads on")
	}
	wantPage(t, b.send("GET", b.oidc(p), nil), 401, "this archive does not")
}
