package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

func TestAPasswordAloneOnlySetsUpASecondFactor(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.Browser()
	a := b.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": sitetest.Password})
	if a.JSON["state"] != "enrol" || a.JSON["role"] != nil || a.JSON["can"] != nil {
		t.Errorf("half a session is told too much: %s", a.Text)
	}
	for _, path := range []string{"/dicom-web/studies", "/api/v1/tokens", "/api/v1/sessions", "/api/v1/people", "/api/v1/nonsense"} {
		b.Must(401, "GET", path, nil)
	}
	half := b.Cookie()
	if codes := b.Enrol(); len(codes) != 10 {
		t.Errorf("%d recovery codes, want 10", len(codes))
	}
	if b.Cookie() == half {
		t.Error("the secret stayed the same with the second factor")
	}
	a = b.Must(200, "GET", "/api/v1/session", nil)
	if a.JSON["state"] != "complete" || a.JSON["role"] != "radiologist" || a.JSON["name"] != "radiologist" {
		t.Errorf("state: %s", a.Text)
	}
	b.Must(200, "GET", "/dicom-web/studies", nil)
	b.Must(204, "DELETE", "/api/v1/session", nil)
	if b.Cookie() != "" {
		t.Error("the cookie stays after signing out")
	}
	b.Must(401, "GET", "/api/v1/session", nil)
	for reason, event := range map[string]audit.Event{"signed in by totp": audit.UserAuthenticated, "": audit.UserSignedOut} {
		if x.Recorded(event, "radiologist", reason) != 1 {
			t.Errorf("%s is recorded %d times", event, x.Recorded(event, "radiologist", reason))
		}
	}
}

func TestTheSecondSignInTakesACodeOnce(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	first := x.SignIn("radiologist")
	code := sitetest.Code(first.TOTP, sitetest.NowStep()+1)
	pass := map[string]string{"name": "radiologist", "password": sitetest.Password}
	b := x.Browser()
	if a := b.Must(200, "POST", "/api/v1/session/password", pass); a.JSON["state"] != "second-factor" {
		t.Fatalf("state %v", a.JSON["state"])
	}
	b.Must(401, "POST", "/api/v1/session/enrol/totp", nil) // who knows the password must not add a factor
	b.Must(401, "POST", "/api/v1/session/enrol/passkey/begin", nil)
	b.Must(401, "POST", "/api/v1/session/totp", map[string]string{"code": "000000"})
	b.Must(200, "POST", "/api/v1/session/totp", map[string]string{"code": code})
	b.Must(401, "POST", "/api/v1/session/totp", map[string]string{"code": code}) // shown again, it does not count
	again := x.Browser()
	again.Must(200, "POST", "/api/v1/session/password", pass)
	if a := again.Must(401, "POST", "/api/v1/session/totp", map[string]string{"code": code}); strings.Contains(a.Text, code) {
		t.Error("the answer repeats the code")
	}
	again.Must(401, "GET", "/dicom-web/studies", nil)
}

func TestARecoveryCodeCountsOnce(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("radiologist")
	codes := b.Must(200, "POST", "/api/v1/recovery-codes", nil).JSON["recoveryCodes"].([]any)
	pass := map[string]string{"name": "radiologist", "password": sitetest.Password}
	for i, want := range []int{200, 401} {
		c := x.Browser()
		c.Must(200, "POST", "/api/v1/session/password", pass)
		c.Must(want, "POST", "/api/v1/session/recovery", map[string]string{"code": strings.ToUpper(codes[0].(string))})
		if i == 0 && c.Must(200, "GET", "/api/v1/session", nil).JSON["method"] != "recovery" {
			t.Error("the method is not told")
		}
	}
	fresh := b.Must(200, "POST", "/api/v1/recovery-codes", nil).JSON["recoveryCodes"].([]any)
	c := x.Browser()
	c.Must(200, "POST", "/api/v1/session/password", pass)
	c.Must(401, "POST", "/api/v1/session/recovery", map[string]any{"code": codes[1]})
	c.Must(200, "POST", "/api/v1/session/recovery", map[string]any{"code": fresh[1]})
}

func TestUnknownNamesAnswerLikeWrongPasswords(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.Browser()
	texts := map[string]bool{}
	for _, name := range []string{"radiologist", "nobody", "", "ZZPHI^NAME"} {
		a := b.Must(401, "POST", "/api/v1/session/password", map[string]string{"name": name, "password": "wrong horse battery"})
		texts[a.Text] = true
		if len(a.Cookies()) > 0 {
			t.Error("a wrong password sets a cookie")
		}
	}
	if len(texts) != 1 {
		t.Errorf("%d different answers", len(texts))
	}
	for _, r := range x.Records() {
		if r.Event == audit.Transferred {
			continue // the images of the site, which name their patient
		}
		if strings.Contains(fmt.Sprint(r), "ZZPHI") || strings.Contains(fmt.Sprint(r), "nobody") {
			t.Error("what a stranger typed as a name is in the trail")
		}
	}
}

func TestGuessingAPasswordMakesTheAccountAndTheAddressWait(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	inside := x.SignIn("administrator")
	b := x.Browser()
	for _, name := range []string{"radiologist", "nobody"} {
		last := sitetest.Answer{}
		for range 7 {
			last = b.Send("POST", "/api/v1/session/password", map[string]string{"name": name, "password": "wrong horse battery"})
		}
		if last.StatusCode != 429 || last.Header.Get("Retry-After") == "" {
			t.Errorf("%s: status %d", name, last.StatusCode)
		}
	}
	b.Must(429, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": sitetest.Password})
	inside.Must(200, "GET", "/api/v1/people", nil) // who is signed in already at that address goes on
	if x.Recorded(audit.SecurityAlert, "radiologist", "locked out") == 0 {
		t.Error("the lock-out is not recorded")
	}
}

func TestASessionThatSomebodyElseChoseDoesNotCount(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b, planted := x.Browser(), strings.Repeat("A", 43)
	b.Must(401, "GET", "/api/v1/session", nil, "Cookie", guard.SessionCookie+"="+planted)
	a := b.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "auditor", "password": sitetest.Password}, "Cookie", guard.SessionCookie+"="+planted)
	c := a.Cookies()[0]
	if c.Value == planted || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.Name != "__Host-session" {
		t.Errorf("cookie %+v", c)
	}
	x.Browser().Must(401, "GET", "/api/v1/session", nil, "Cookie", guard.SessionCookie+"="+planted)
}

func TestASessionAndATokenNeverCountTogether(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("radiologist")
	secret := b.Must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1}).JSON["secret"].(string)
	bearer := "Bearer " + secret
	x.Browser().Must(200, "GET", "/dicom-web/studies", nil, "Authorization", bearer)
	for _, path := range []string{"/dicom-web/studies", "/api/v1/session", "/api/v1/tokens", "/api/v1/nonsense"} {
		b.Must(400, "GET", path, nil, "Authorization", bearer)
		x.Browser().Must(400, "GET", path, nil, "Cookie", guard.SessionCookie+"=a; "+guard.SessionCookie+"=b")
	}
	token := x.Browser() // a token makes no others and does not change how its owner signs in
	token.Must(403, "POST", "/api/v1/tokens", map[string]any{"scope": "admin", "hours": 1}, "Authorization", bearer)
	token.Must(403, "POST", "/api/v1/recovery-codes", nil, "Authorization", bearer)
	token.Must(401, "POST", "/api/v1/session/enrol/totp", nil, "Authorization", bearer)
}

func TestPagesOfOtherOriginsChangeNothing(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "https://localhost:1"}} {
		b.Must(403, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1}, h...)
		b.Must(403, "DELETE", "/api/v1/session", nil, h...)
		b.Must(403, "POST", "/dicom-web/studies", nil, h...)
		x.Browser().Must(403, "POST", "/api/v1/session/password", map[string]string{"name": "auditor", "password": sitetest.Password}, h...)
	}
	b.Must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1}, "Sec-Fetch-Site", "same-origin", "Origin", "https://"+x.Host)
}

func TestBodiesAreBoundedAndStrict(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.Browser()
	path := "/api/v1/session/password"
	b.Must(413, "POST", path, `{"name":"`+strings.Repeat("a", 20<<10)+`"}`)
	b.Must(400, "POST", path, `{"name":"a","password":"b","admin":true}`)
	b.Must(400, "POST", path, `{"name":"a"} {"name":"b"}`)
	b.Must(400, "POST", path, `[]`)
	b.Must(415, "POST", path, `{"name":"a","password":"b"}`, "Content-Type", "text/plain")
	b.Must(415, "POST", path, `name=a`, "Content-Type", "application/x-www-form-urlencoded")
}

func TestSessionsEndWithPasswordRoleAndPerson(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	for name, end := range map[string]func() error{
		"radiologist": func() error {
			_, err := x.In.Registry.SetPassword(t.Context(), "radiologist", sitetest.Password+"!")
			return err
		},
		"technologist": func() error { return x.In.Registry.SetRole(t.Context(), "technologist", "auditor") },
		"referrer":     func() error { return x.In.Registry.DisablePerson(t.Context(), "referrer") },
	} {
		b := x.SignIn(name)
		b.Must(200, "GET", "/api/v1/session", nil)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		b.Must(401, "GET", "/api/v1/session", nil)
	}
}

func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	one := x.SignIn("auditor")
	two := x.Browser()
	two.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "auditor", "password": sitetest.Password})
	two.Must(200, "POST", "/api/v1/session/totp", map[string]string{"code": sitetest.Code(one.TOTP, sitetest.NowStep()+1)})
	id := two.Must(200, "GET", "/api/v1/session", nil).JSON["session"].(string)
	if a := one.Must(200, "GET", "/api/v1/sessions", nil); strings.Count(a.Text, `"id"`) != 2 || !strings.Contains(a.Text, id) {
		t.Errorf("sessions: %s", a.Text)
	}
	one.Must(404, "DELETE", "/api/v1/sessions/0123", nil)
	one.Must(204, "DELETE", "/api/v1/sessions/"+id, nil)
	two.Must(401, "GET", "/api/v1/session", nil)
	one.Must(401, "POST", "/api/v1/password", map[string]string{"old": "wrong horse battery", "new": sitetest.Password + "2"})
	before := one.Cookie()
	one.Must(200, "POST", "/api/v1/password", map[string]string{"old": sitetest.Password, "new": sitetest.Password + "2"})
	if one.Cookie() == before {
		t.Error("the secret stayed the same with another password")
	}
	one.Must(409, "DELETE", "/api/v1/totp", nil) // the last second factor
	one.Must(204, "DELETE", "/api/v1/sessions", nil)
	one.Must(401, "GET", "/api/v1/session", nil)
}

func TestTheFirstAdministratorComesByAOneTimeLink(t *testing.T) {
	t.Parallel()
	x := sitetest.NewSite(t, nil)
	b := x.Browser()
	for _, path := range []string{"/", "/api/v1/session", "/api/v1/tokens", "/dicom-web/studies", "/nonsense"} {
		if a := b.Must(503, "GET", path, nil); !strings.Contains(a.Text, "no administrator") || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", path, a.Text)
		}
	}
	b.Must(200, "GET", "/healthz", nil)
	var out sitetest.Log
	house.Greeting{In: x.In, W: &out, Log: slog.New(slog.DiscardHandler)}.OfferFirstLink(t.Context())
	_, link, ok := strings.Cut(out.String(), "/setup/open#")
	if link, _, _ = strings.Cut(link, "\n"); !ok || len(link) != 43 {
		t.Fatalf("printed: %q", out.String())
	}
	if strings.Contains(x.Log.String(), link) {
		t.Error("the link is in the log")
	}
	b.Must(403, "POST", "/api/v1/setup", map[string]string{"link": strings.Repeat("A", 43), "name": "ada", "password": sitetest.Password})
	if a := b.Must(200, "POST", "/api/v1/setup/look", map[string]string{"link": link}); a.JSON["purpose"] != "first-administrator" {
		t.Errorf("look: %s", a.Text)
	}
	b.Must(400, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "ada", "password": "short"})
	b.Must(200, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "ada", "password": sitetest.Password})
	x.Browser().Must(403, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "eve", "password": sitetest.Password})
	b.Must(401, "GET", "/api/v1/people", nil)
	b.Enrol()
	if a := b.Must(200, "GET", "/api/v1/people", nil); !strings.Contains(a.Text, `"ada"`) || strings.Contains(a.Text, "eve") {
		t.Errorf("people: %s", a.Text)
	}
	x.Browser().Must(401, "GET", "/dicom-web/studies", nil)
}

func TestAnInvitedPersonChoosesAPassword(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	admin := x.SignIn("administrator")
	admin.Must(409, "POST", "/api/v1/people", map[string]string{"name": "auditor", "role": "auditor"})
	admin.Must(400, "POST", "/api/v1/people", map[string]string{"name": "grace", "role": "king"})
	url := admin.Must(200, "POST", "/api/v1/people", map[string]string{"name": "grace", "role": "technologist"}).JSON["link"].(string)
	_, link, _ := strings.Cut(url, "/setup/open#")
	b := x.Browser()
	b.Must(200, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "somebody else", "password": sitetest.Password})
	b.Enrol()
	if a := b.Must(200, "GET", "/api/v1/session", nil); a.JSON["name"] != "grace" || a.JSON["role"] != "technologist" {
		t.Errorf("state: %s", a.Text)
	}
	// A forgotten password: the second factor stays, unless the link drops it.
	for i, state := range []string{"second-factor", "enrol"} {
		_, secret, err := x.In.Registry.PersonLink(t.Context(), "grace", "", i == 1)
		if err != nil {
			t.Fatal(err)
		}
		a := x.Browser().Must(200, "POST", "/api/v1/setup", map[string]string{"link": secret, "password": sitetest.Password + "3"})
		if a.JSON["state"] != state {
			t.Errorf("after the link: %s, want %s", a.Text, state)
		}
	}
	b.Must(401, "GET", "/api/v1/session", nil) // another password ends sessions
}

func TestOneFactorIsEnoughOnlyWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, func(c *config.Config) { c.SignIn.SecondFactor = "optional" })
	b := x.Browser()
	a := b.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": sitetest.Password})
	if a.JSON["state"] != "complete" {
		t.Errorf("state: %s", a.Text)
	}
	b.Enrol()
	a = x.Browser().Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": sitetest.Password})
	if a.JSON["state"] != "second-factor" {
		t.Errorf("who has a second factor must show it: %s", a.Text)
	}
}

// TestRolesReachTheirPartOfTheAPI is the matrix of role by route.
func TestRolesReachTheirPartOfTheAPI(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	for _, role := range policy.Roles() {
		b := x.SignIn(string(role))
		for path, roles := range map[string]string{
			"/api/v1/people": "administrator", "/api/v1/devices": "administrator", "/api/v1/devices/pending": "administrator",
			"/api/v1/audit": "administrator auditor", "/api/v1/quarantine": "administrator",
			"/api/v1/tokens": "administrator radiologist technologist referrer researcher auditor vendor",
		} {
			want := 403
			if strings.Contains(roles, string(role)) {
				want = 200
			}
			if a := b.Send("GET", path, nil); a.StatusCode != want {
				t.Errorf("%s GET %s: status %d, want %d", role, path, a.StatusCode, want)
			}
		}
		want := 403
		if role == policy.Administrator {
			want = 404
		}
		b.Must(want, "POST", "/api/v1/devices/pending/9/approve", map[string]any{"allow": []string{"echo"}})
		b.Must(404, "GET", "/api/v1/nonsense", nil)
		b.Must(405, "PUT", "/api/v1/people", nil)
	}
}

func TestThePagesOfTheTrailAreBounded(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("auditor")
	seen, path := 0, "/api/v1/audit?limit=2"
	for range 50 {
		a := b.Must(200, "GET", path, nil)
		n := len(a.JSON["items"].([]any))
		if seen += n; n > 2 {
			t.Fatalf("%d records in a page of 2", n)
		}
		next, more := a.JSON["next"].(float64)
		if !more {
			break
		}
		path = fmt.Sprintf("/api/v1/audit?limit=2&after=%d", int(next))
	}
	if all := len(x.Records()); seen != all {
		t.Errorf("%d records in pages, %d in all", seen, all)
	}
	for _, q := range []string{"limit=0", "limit=501", "limit=x", "after=-2"} {
		b.Must(400, "GET", "/api/v1/audit?"+q, nil)
	}
}
