package console_test

import (
	"regexp"
	"testing"

	"collimator/internal/house/sitetest"
)

// TestARefusalIsInTheLanguageOfItsPage goes through what somebody does wrong who
// sets up an account and signs in.
func TestARefusalIsInTheLanguageOfItsPage(t *testing.T) {
	t.Parallel()
	x := sitetest.NewSite(t, nil)
	_, secret, err := x.In.Registry.FirstLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const link, again = "/setup/open", "another horse battery"
	b := x.Browser()
	german := func(status int, text, path string, fields ...string) sitetest.Answer {
		t.Helper()
		a := sitetest.FillIn(b, "de-CH", path, fields...)
		sitetest.WantPage(t, a, status, text)
		return a
	}

	sitetest.WantPage(t, b.Send("GET", "/setup/", nil, "Accept-Language", "de"), 503, "von niemandem verwaltet")
	german(403, "Der Link gilt nicht: Er wurde benutzt", link, "link", "AAAA")
	german(400, "Die beiden Passwörter sind verschieden", link, "link", secret, "name", "ada", "password", sitetest.Password, "again", again)
	german(400, "mindestens 12 Zeichen", link, "link", secret, "name", "ada", "password", "short", "again", "short")
	german(400, "Ein Name von 1 bis 128", link, "link", secret, "name", " ", "password", sitetest.Password, "again", sitetest.Password)

	a := german(200, "data:image/png;base64,", link, "link", secret, "name", "ada", "password", sitetest.Password, "again", sitetest.Password)
	german(200, `<p role="alert">Der Code gilt nicht`, "/setup/", "step", "confirm", "code", "000000")
	key := regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(german(200, "<code>", "/setup/", "step", "confirm", "code", "1").Text)
	if key == nil {
		t.Fatal(a.Text)
	}
	german(200, "Heben Sie diese Codes auf", "/setup/", "step", "confirm", "code", sitetest.Code(key[1], sitetest.NowStep()))
	german(200, "Anmelden", "/setup/", "step", "leave")

	german(401, "Die Anmeldedaten gelten nicht.", "/setup/", "step", "password", "name", "ada", "password", again)
	german(501, "kein Anmeldedienst eingerichtet", "/setup/", "step", "provider")
	german(200, "Wiederherstellungscode", "/setup/", "step", "password", "name", "ada", "password", sitetest.Password)
	german(401, "Die Anmeldedaten gelten nicht.", "/setup/", "step", "code", "code", "1")
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil, "Accept-Language", "de"), 200, `<html lang="de">`)
}

// TestTheLanguageThatWasChosenStays is somebody whose browser speaks English, and who chose German.
func TestTheLanguageThatWasChosenStays(t *testing.T) {
	t.Parallel()
	x := sitetest.NewSite(t, nil)
	_, secret, err := x.In.Registry.FirstLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := x.Browser()
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/open", "link", secret), 200, `name="language" value="de" lang="de">Deutsch`)
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/open", "link", secret, "language", "de"), 200, "Passwort setzen")
	sitetest.WantPage(t, sitetest.Fill(b, "/setup/open", "link", secret, "language", "fr"), 200, "Passwort setzen") // not one of ours
	a := sitetest.Fill(b, "/setup/open", "link", secret, "name", "ada", "password", sitetest.Password, "again", sitetest.Password)
	sitetest.WantPage(t, a, 200, "Einen Passkey einrichten")
	sitetest.WantPage(t, b.Send("GET", "/setup/language/en", nil), 200, "Set up a passkey")
	sitetest.WantPage(t, b.Send("GET", "/setup/", nil, "Accept-Language", "de"), 200, `<html lang="en">`)
}
