package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// fill sends a form.
func (b *browser) fill(path string, fields ...string) answer {
	b.Helper()
	return b.fillIn("en", path, fields...)
}

// fillIn sends a form from a browser that asks for a language.
func (b *browser) fillIn(language, path string, fields ...string) answer {
	b.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return b.send("POST", path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept-Language", language)
}

// wantPage wants a page with a text and the headers of pages.
func wantPage(t *testing.T, a answer, status int, text string) {
	t.Helper()
	if a.StatusCode != status || !strings.Contains(a.text, text) {
		t.Fatalf("%s: status %d, want %d with %q: %s", a.Request.URL.Path, a.StatusCode, status, text, a.text)
	}
	csp := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s: headers %v", a.Request.URL.Path, a.Header)
	}
	if strings.Count(a.text, "<script") != strings.Count(a.text, `<script src="/share/link.js" defer></script>`) || strings.Contains(a.text, " style=") {
		t.Errorf("%s: the policy does not let this page work", a.Request.URL.Path)
	}
}

func TestTheFirstAdministratorNeedsNothingButABrowserAndAnApp(t *testing.T) {
	t.Parallel()
	x := newSite(t, nil)
	_, secret, err := x.in.Registry.FirstLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := x.browser()
	const link = "/setup/open"
	const fromBrowser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	wantPage(t, b.send("GET", "/", nil, "Accept", fromBrowser), 503, "no administrator yet")
	b.must(503, "GET", "/", nil)
	wantPage(t, b.send("GET", "/setup/", nil), 503, "no administrator yet")
	wantPage(t, b.send("GET", link, nil), 200, "<title>Your account · Collimator</title>")
	wantPage(t, b.fill(link, "link", "AAAA"), 403, "does not count")
	wantPage(t, b.fill(link, "link", secret), 200, `name="name"`)
	wantPage(t, b.send("GET", link, nil, "Accept-Language", "de"), 200, "Weiter")
	wantPage(t, b.fill(link, "link", secret, "name", "ada", "password", testPassword, "again", "another horse battery"), 400, "differ")
	wantPage(t, b.fill(link, "link", secret, "name", "ada", "password", "short", "again", "short"), 400, "at least 12")
	a := b.fill(link, "link", secret, "name", "ada", "password", testPassword, "again", testPassword)
	wantPage(t, a, 200, "data:image/png;base64,")
	key := regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(a.text)
	if key == nil {
		t.Fatal(a.text)
	}
	b.must(401, "GET", "/dicom-web/studies", nil) // half a session
	a = b.fill("/setup/", "step", "confirm", "code", "000000")
	key = regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(a.text)
	wantPage(t, a, 200, `role="alert"`)
	a = b.fill("/setup/", "step", "confirm", "code", testCode(key[1], nowStep()-1))
	wantPage(t, a, 200, "<title>Keep these codes · Collimator</title>")
	codes := regexp.MustCompile(`<li><code>([^<]+)</code>`).FindAllStringSubmatch(a.text, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	wantPage(t, b.send("GET", "/setup/", nil), 200, "signed in as ada")
	b.must(200, "GET", "/dicom-web/studies", nil)
	wantPage(t, b.send("GET", "/", nil, "Accept", fromBrowser), 200, "<title>You are signed in · Collimator</title>")
	wantPage(t, b.fill("/setup/", "step", "leave"), 200, "<title>Sign in · Collimator</title>")
	a = b.send("GET", "/", nil, "Accept", fromBrowser)
	wantPage(t, a, 200, "<title>Sign in · Collimator</title>")
	if a.Request.URL.Path != "/setup/" {
		t.Errorf("the sign-in page is at %s", a.Request.URL.Path)
	}
	wantPage(t, b.send("GET", "/", nil, "Accept", fromBrowser, "Accept-Language", "de"), 200, "<title>Anmelden · Collimator</title>")
	for _, accept := range []string{"", "application/json", "*/*", "text/html;q=0"} {
		if a := b.must(401, "GET", "/", nil, "Accept", accept); a.json["status"] == nil {
			t.Errorf("%q: a program gets %s", accept, a.text)
		}
	}
	b.must(401, "GET", "/api/v1/people", nil, "Accept", fromBrowser)
	b.must(401, "GET", "/dicom-web/studies", nil)
	wantPage(t, b.fill(link, "link", secret), 403, "does not count")
	b.again(t, key[1], codes[0][1])
}

// again signs in by pages: with the app, and with a recovery code.
func (b *browser) again(t *testing.T, key, code string) {
	t.Helper()
	wantPage(t, b.fill("/setup/", "step", "password", "name", "ada", "password", "wrong horse battery"), 401, `role="alert"`)
	wantPage(t, b.fill("/setup/", "step", "password", "name", "ada", "password", testPassword), 200, "recovery code")
	wantPage(t, b.fill("/setup/", "step", "code", "code", "000 000"), 401, `role="alert"`)
	wantPage(t, b.fill("/setup/", "step", "code", "code", testCode(key, nowStep())), 200, "signed in as ada")
	wantPage(t, b.fill("/setup/", "step", "leave"), 200, "Sign in")
	wantPage(t, b.fill("/setup/", "step", "password", "name", "ada", "password", testPassword), 200, "recovery code")
	wantPage(t, b.fill("/setup/", "step", "recovery", "code", code), 200, "signed in as ada")
	if a := b.send("POST", "/setup/", "step=leave", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"); a.StatusCode == 200 && strings.Contains(a.text, "Sign in") {
		t.Error("a page of another origin signs somebody out")
	}
	b.must(200, "GET", "/dicom-web/studies", nil)
}
