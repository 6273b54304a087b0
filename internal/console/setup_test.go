package console_test

import (
	"regexp"
	"strings"
	"testing"

	"collimator/internal/house/sitetest"
)

func TestTheFirstAdministratorNeedsNothingButABrowserAndAnApp(t *testing.T) {
	t.Parallel()
	x := sitetest.NewSite(t, nil)
	_, secret, err := x.In.Registry.FirstLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := x.Browser()
	const link = "/setup/open"
	const fromBrowser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	sitetest.WantPage(t, b.Send("GET", "/", nil, "Accept", fromBrowser), 503, "no administrator yet")
	b.Must(503, "GET", "/", nil)
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil), 503, "no administrator yet")
	sitetest.WantPage(t, b.Send("GET", link, nil), 200, "<title>Your account · Collimator</title>")
	sitetest.WantPage(t, sitetest.Fill(b, link, "link", "AAAA"), 403, "does not count")
	sitetest.WantPage(t, sitetest.Fill(b, link, "link", secret), 200, `name="name"`)
	sitetest.WantPage(t, b.Send("GET", link, nil, "Accept-Language", "de"), 200, "Weiter")
	sitetest.WantPage(t, sitetest.Fill(b, link, "link", secret, "name", "ada", "password", sitetest.Password, "again", "another horse battery"), 400, "differ")
	sitetest.WantPage(t, sitetest.Fill(b, link, "link", secret, "name", "ada", "password", "short", "again", "short"), 400, "at least 12")
	a := sitetest.Fill(b, link, "link", secret, "name", "ada", "password", sitetest.Password, "again", sitetest.Password)
	sitetest.WantPage(t, a, 200, "data:image/png;base64,")
	key := regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(a.Text)
	if key == nil {
		t.Fatal(a.Text)
	}
	b.Must(401, "GET", "/dicom-web/studies", nil) // half a session
	a = sitetest.Fill(b, "/setup/", "step", "confirm", "code", "000000")
	key = regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(a.Text)
	sitetest.WantPage(t, a, 200, `role="alert"`)
	a = sitetest.Fill(b, "/setup/", "step", "confirm", "code", sitetest.Code(key[1], sitetest.NowStep()))
	sitetest.WantPage(t, a, 200, "<title>Keep these codes · Collimator</title>")
	codes := regexp.MustCompile(`<li><code>([^<]+)</code>`).FindAllStringSubmatch(a.Text, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil), 200, "signed in as ada")
	b.Must(200, "GET", "/dicom-web/studies", nil)
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil, "Accept", fromBrowser), 200, "<title>You are signed in · Collimator</title>")
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "leave"), 200, "<title>Sign in · Collimator</title>")
	a = b.Send("GET", "/", nil, "Accept", fromBrowser)
	sitetest.WantPage(t, a, 200, "<title>Sign in · Collimator</title>")
	if at := a.Request.URL.Path; at != "/setup/" && at != "/console/" {
		t.Errorf("the way to sign in begins at %s", at)
	}
	sitetest.WantPage(t, b.Send("GET", "/", nil, "Accept", fromBrowser, "Accept-Language", "de"), 200, "<title>Anmelden · Collimator</title>")
	for _, accept := range []string{"", "application/json", "*/*", "text/html;q=0"} {
		if a := b.Must(401, "GET", "/", nil, "Accept", accept); a.JSON["status"] == nil {
			t.Errorf("%q: a program gets %s", accept, a.Text)
		}
	}
	b.Must(401, "GET", "/api/v1/people", nil, "Accept", fromBrowser)
	b.Must(401, "GET", "/dicom-web/studies", nil)
	sitetest.WantPage(t, sitetest.Fill(b, link, "link", secret), 403, "does not count")
	showAgain(b, t, key[1], codes[0][1])
}

// showAgain signs in by pages: with the app, and with a recovery code.
func showAgain(b *sitetest.Browser, t *testing.T, key, code string) {
	t.Helper()
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "password", "name", "ada", "password", "wrong horse battery"), 401, `role="alert"`)
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "password", "name", "ada", "password", sitetest.Password), 200, "recovery code")
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "code", "code", "000 000"), 401, `role="alert"`)
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "code", "code", sitetest.Code(key, sitetest.NowStep()+1)), 200, "signed in as ada")
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "leave"), 200, "Sign in")
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "password", "name", "ada", "password", sitetest.Password), 200, "recovery code")
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/", "step", "recovery", "code", code), 200, "signed in as ada")
	if a := b.Send("POST", "/setup/", "step=leave", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"); a.StatusCode == 200 && strings.Contains(a.Text, "Sign in") {
		t.Error("a page of another origin signs somebody out")
	}
	b.Must(200, "GET", "/dicom-web/studies", nil)
}
