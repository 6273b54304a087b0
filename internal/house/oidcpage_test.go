package house_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"collimator/internal/house/sitetest"
)

// leadsTo is where a page sends the browser by itself.
func leadsTo(t *testing.T, a sitetest.Answer) string {
	t.Helper()
	refresh := regexp.MustCompile(`<meta http-equiv="refresh" content="0;url=([^"]+)">`).FindStringSubmatch(a.Text)
	link := regexp.MustCompile(`<a href="([^"]+)">`).FindStringSubmatch(a.Text)
	if refresh == nil || link == nil || html.UnescapeString(refresh[1]) != html.UnescapeString(link[1]) {
		t.Fatalf("the page leads nowhere: %s", a.Text)
	}
	return html.UnescapeString(link[1])
}

func TestSomebodySignsInAtTheIdentityProviderFromThePage(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	p.Meta = map[string]any{"end_session_endpoint": p.URL + "/end"}
	p.Claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	x := p.NewSite(nil)
	b := x.Browser()
	const button = `value="provider"`
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil), 200, button)
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "password", "name", "radiologist", "password", "wrong horse battery"), 401, button)

	a := sitetest.Fill(b, "/setup/", "step", "provider")
	sitetest.WantPage(t, a, 200, "<title>Sign in · Collimator</title>")
	there := leadsTo(t, a)
	if !strings.HasPrefix(there, p.URL+"/authorize?") {
		t.Fatalf("the page leads to %s", there)
	}
	b.Must(200, "GET", p.Authorize(there), nil)
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil), 200, "signed in as radiologist")

	a = sitetest.Fill(b, "/setup/", "step", "leave")
	if there = leadsTo(t, a); !strings.HasPrefix(there, p.URL+"/end?") {
		t.Errorf("who signs out is sent to %s", there)
	}
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil), 200, button)
}

func TestThePageNamesNoIdentityProviderWhereThereIsNone(t *testing.T) {
	t.Parallel()
	b := sitetest.NewPeopledSite(t, nil).Browser()
	if a := b.Send("GET", "/setup/", nil); strings.Contains(a.Text, `value="provider"`) {
		t.Error(a.Text)
	}
	if a := sitetest.Fill(b, "/setup/", "step", "provider"); a.StatusCode == 200 || !strings.Contains(a.Text, `role="alert"`) {
		t.Errorf("%d %s", a.StatusCode, a.Text)
	}
}

func TestAnIdentityProviderThatIsDownIsSaidOnThePage(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	x := p.NewSite(nil)
	p.Alter(func() { p.Meta = map[string]any{"issuer": "https://elsewhere.example"} })
	sitetest.WantPage(t, sitetest.Fill(x.Browser(), "/setup/", "step", "provider"), 503, `role="alert"`)
}

func TestWhatTheIdentityProviderRefusedIsSaidInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	p := sitetest.NewProvider(t)
	p.Claims = map[string]any{"sub": "1", "preferred_username": "ZZPHI nobody"}
	x := p.NewSite(nil)

	b := x.Browser()
	a := b.Send("GET", b.SignInAt(p), nil, "Accept-Language", "de")
	sitetest.WantPage(t, a, 401, `<p role="alert">Der Anmeldedienst kennt Sie, dieses Archiv aber nicht.`)
	if strings.Contains(a.Text, "refresh") {
		t.Error("nobody can read the page before it leads on")
	}
	sitetest.WantPage(t, b.Send("GET", b.SignInAt(p), nil), 401, "this archive does not")
}
