package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/policy"
)

func TestAPasswordAloneOnlySetsUpASecondFactor(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.browser()
	a := b.must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": testPassword})
	if a.json["state"] != "enrol" || a.json["role"] != nil || a.json["can"] != nil {
		t.Errorf("half a session is told too much: %s", a.text)
	}
	for _, path := range []string{"/dicom-web/studies", "/api/v1/tokens", "/api/v1/sessions", "/api/v1/people", "/api/v1/nonsense"} {
		b.must(401, "GET", path, nil)
	}
	half := b.cookie()
	if codes := b.enrol(); len(codes) != 10 {
		t.Errorf("%d recovery codes, want 10", len(codes))
	}
	if b.cookie() == half {
		t.Error("the secret stayed the same with the second factor")
	}
	a = b.must(200, "GET", "/api/v1/session", nil)
	if a.json["state"] != "complete" || a.json["role"] != "radiologist" || a.json["name"] != "radiologist" {
		t.Errorf("state: %s", a.text)
	}
	b.must(200, "GET", "/dicom-web/studies", nil)
	b.must(204, "DELETE", "/api/v1/session", nil)
	if b.cookie() != "" {
		t.Error("the cookie stays after signing out")
	}
	b.must(401, "GET", "/api/v1/session", nil)
	for reason, event := range map[string]audit.Event{"signed in by totp": audit.UserAuthenticated, "": audit.UserSignedOut} {
		if x.recorded(event, "radiologist", reason) != 1 {
			t.Errorf("%s is recorded %d times", event, x.recorded(event, "radiologist", reason))
		}
	}
}

func TestTheSecondSignInTakesACodeOnce(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	first := x.signIn("radiologist")
	code := testCode(first.totp, nowStep())
	pass := map[string]string{"name": "radiologist", "password": testPassword}
	b := x.browser()
	if a := b.must(200, "POST", "/api/v1/session/password", pass); a.json["state"] != "second-factor" {
		t.Fatalf("state %v", a.json["state"])
	}
	b.must(401, "POST", "/api/v1/session/enrol/totp", nil) // who knows the password must not add a factor
	b.must(401, "POST", "/api/v1/session/enrol/passkey/begin", nil)
	b.must(401, "POST", "/api/v1/session/totp", map[string]string{"code": "000000"})
	b.must(200, "POST", "/api/v1/session/totp", map[string]string{"code": code})
	b.must(401, "POST", "/api/v1/session/totp", map[string]string{"code": code}) // shown again, it does not count
	again := x.browser()
	again.must(200, "POST", "/api/v1/session/password", pass)
	if a := again.must(401, "POST", "/api/v1/session/totp", map[string]string{"code": code}); strings.Contains(a.text, code) {
		t.Error("the answer repeats the code")
	}
	again.must(401, "GET", "/dicom-web/studies", nil)
}

func TestARecoveryCodeCountsOnce(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.signIn("radiologist")
	codes := b.must(200, "POST", "/api/v1/recovery-codes", nil).json["recoveryCodes"].([]any)
	pass := map[string]string{"name": "radiologist", "password": testPassword}
	for i, want := range []int{200, 401} {
		c := x.browser()
		c.must(200, "POST", "/api/v1/session/password", pass)
		c.must(want, "POST", "/api/v1/session/recovery", map[string]string{"code": strings.ToUpper(codes[0].(string))})
		if i == 0 && c.must(200, "GET", "/api/v1/session", nil).json["method"] != "recovery" {
			t.Error("the method is not told")
		}
	}
	fresh := b.must(200, "POST", "/api/v1/recovery-codes", nil).json["recoveryCodes"].([]any)
	c := x.browser()
	c.must(200, "POST", "/api/v1/session/password", pass)
	c.must(401, "POST", "/api/v1/session/recovery", map[string]any{"code": codes[1]})
	c.must(200, "POST", "/api/v1/session/recovery", map[string]any{"code": fresh[1]})
}

func TestUnknownNamesAnswerLikeWrongPasswords(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.browser()
	texts := map[string]bool{}
	for _, name := range []string{"radiologist", "nobody", "", "ZZPHI^NAME"} {
		a := b.must(401, "POST", "/api/v1/session/password", map[string]string{"name": name, "password": "wrong horse battery"})
		texts[a.text] = true
		if len(a.Cookies()) > 0 {
			t.Error("a wrong password sets a cookie")
		}
	}
	if len(texts) != 1 {
		t.Errorf("%d different answers", len(texts))
	}
	for _, r := range x.records() {
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
	x := newPeopledSite(t, nil)
	inside := x.signIn("administrator")
	b := x.browser()
	for _, name := range []string{"radiologist", "nobody"} {
		last := answer{}
		for range 7 {
			last = b.send("POST", "/api/v1/session/password", map[string]string{"name": name, "password": "wrong horse battery"})
		}
		if last.StatusCode != 429 || last.Header.Get("Retry-After") == "" {
			t.Errorf("%s: status %d", name, last.StatusCode)
		}
	}
	b.must(429, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": testPassword})
	inside.must(200, "GET", "/api/v1/people", nil) // who is signed in already at that address goes on
	if x.recorded(audit.SecurityAlert, "radiologist", "locked out") == 0 {
		t.Error("the lock-out is not recorded")
	}
}

func TestASessionThatSomebodyElseChoseDoesNotCount(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b, planted := x.browser(), strings.Repeat("A", 43)
	b.must(401, "GET", "/api/v1/session", nil, "Cookie", guard.SessionCookie+"="+planted)
	a := b.must(200, "POST", "/api/v1/session/password", map[string]string{"name": "auditor", "password": testPassword}, "Cookie", guard.SessionCookie+"="+planted)
	c := a.Cookies()[0]
	if c.Value == planted || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.Name != "__Host-session" {
		t.Errorf("cookie %+v", c)
	}
	x.browser().must(401, "GET", "/api/v1/session", nil, "Cookie", guard.SessionCookie+"="+planted)
}

func TestASessionAndATokenNeverCountTogether(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.signIn("radiologist")
	secret := b.must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1}).json["secret"].(string)
	bearer := "Bearer " + secret
	x.browser().must(200, "GET", "/dicom-web/studies", nil, "Authorization", bearer)
	for _, path := range []string{"/dicom-web/studies", "/api/v1/session", "/api/v1/tokens", "/api/v1/nonsense"} {
		b.must(400, "GET", path, nil, "Authorization", bearer)
		x.browser().must(400, "GET", path, nil, "Cookie", guard.SessionCookie+"=a; "+guard.SessionCookie+"=b")
	}
	token := x.browser() // a token makes no others and does not change how its owner signs in
	token.must(403, "POST", "/api/v1/tokens", map[string]any{"scope": "admin", "hours": 1}, "Authorization", bearer)
	token.must(403, "POST", "/api/v1/recovery-codes", nil, "Authorization", bearer)
	token.must(401, "POST", "/api/v1/session/enrol/totp", nil, "Authorization", bearer)
}

func TestPagesOfOtherOriginsChangeNothing(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.signIn("administrator")
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "https://localhost:1"}} {
		b.must(403, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1}, h...)
		b.must(403, "DELETE", "/api/v1/session", nil, h...)
		b.must(403, "POST", "/dicom-web/studies", nil, h...)
		x.browser().must(403, "POST", "/api/v1/session/password", map[string]string{"name": "auditor", "password": testPassword}, h...)
	}
	b.must(200, "POST", "/api/v1/tokens", map[string]any{"scope": "read", "hours": 1}, "Sec-Fetch-Site", "same-origin", "Origin", "https://"+x.host)
}

func TestBodiesAreBoundedAndStrict(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.browser()
	path := "/api/v1/session/password"
	b.must(413, "POST", path, `{"name":"`+strings.Repeat("a", 20<<10)+`"}`)
	b.must(400, "POST", path, `{"name":"a","password":"b","admin":true}`)
	b.must(400, "POST", path, `{"name":"a"} {"name":"b"}`)
	b.must(400, "POST", path, `[]`)
	b.must(415, "POST", path, `{"name":"a","password":"b"}`, "Content-Type", "text/plain")
	b.must(415, "POST", path, `name=a`, "Content-Type", "application/x-www-form-urlencoded")
}

func TestSessionsEndWithPasswordRoleAndPerson(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	for name, end := range map[string]func() error{
		"radiologist": func() error {
			_, err := x.in.registry.SetPassword(t.Context(), "radiologist", testPassword+"!")
			return err
		},
		"technologist": func() error { return x.in.registry.SetRole(t.Context(), "technologist", "auditor") },
		"referrer":     func() error { return x.in.registry.DisablePerson(t.Context(), "referrer") },
	} {
		b := x.signIn(name)
		b.must(200, "GET", "/api/v1/session", nil)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		b.must(401, "GET", "/api/v1/session", nil)
	}
}

func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	one := x.signIn("auditor")
	two := x.browser()
	two.must(200, "POST", "/api/v1/session/password", map[string]string{"name": "auditor", "password": testPassword})
	two.must(200, "POST", "/api/v1/session/totp", map[string]string{"code": testCode(one.totp, nowStep())})
	id := two.must(200, "GET", "/api/v1/session", nil).json["session"].(string)
	if a := one.must(200, "GET", "/api/v1/sessions", nil); strings.Count(a.text, `"id"`) != 2 || !strings.Contains(a.text, id) {
		t.Errorf("sessions: %s", a.text)
	}
	one.must(404, "DELETE", "/api/v1/sessions/0123", nil)
	one.must(204, "DELETE", "/api/v1/sessions/"+id, nil)
	two.must(401, "GET", "/api/v1/session", nil)
	one.must(401, "POST", "/api/v1/password", map[string]string{"old": "wrong horse battery", "new": testPassword + "2"})
	before := one.cookie()
	one.must(200, "POST", "/api/v1/password", map[string]string{"old": testPassword, "new": testPassword + "2"})
	if one.cookie() == before {
		t.Error("the secret stayed the same with another password")
	}
	one.must(409, "DELETE", "/api/v1/totp", nil) // the last second factor
	one.must(204, "DELETE", "/api/v1/sessions", nil)
	one.must(401, "GET", "/api/v1/session", nil)
}

func TestTheFirstAdministratorComesByAOneTimeLink(t *testing.T) {
	t.Parallel()
	x := newSite(t, nil)
	b := x.browser()
	for _, path := range []string{"/", "/api/v1/session", "/api/v1/tokens", "/dicom-web/studies", "/nonsense"} {
		if a := b.must(503, "GET", path, nil); !strings.Contains(a.text, "no administrator") || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	b.must(200, "GET", "/healthz", nil)
	var out lockedBuffer
	x.s.offerFirstLink(&env{ctx: t.Context()}, &out)
	_, link, ok := strings.Cut(out.String(), "/setup/open#")
	if link, _, _ = strings.Cut(link, "\n"); !ok || len(link) != 43 {
		t.Fatalf("printed: %q", out.String())
	}
	if strings.Contains(x.log.String(), link) {
		t.Error("the link is in the log")
	}
	b.must(403, "POST", "/api/v1/setup", map[string]string{"link": strings.Repeat("A", 43), "name": "ada", "password": testPassword})
	if a := b.must(200, "POST", "/api/v1/setup/look", map[string]string{"link": link}); a.json["purpose"] != "first-administrator" {
		t.Errorf("look: %s", a.text)
	}
	b.must(400, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "ada", "password": "short"})
	b.must(200, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "ada", "password": testPassword})
	x.browser().must(403, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "eve", "password": testPassword})
	b.must(401, "GET", "/api/v1/people", nil)
	b.enrol()
	if a := b.must(200, "GET", "/api/v1/people", nil); !strings.Contains(a.text, `"ada"`) || strings.Contains(a.text, "eve") {
		t.Errorf("people: %s", a.text)
	}
	x.browser().must(401, "GET", "/dicom-web/studies", nil)
}

func TestAnInvitedPersonChoosesAPassword(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	admin := x.signIn("administrator")
	admin.must(409, "POST", "/api/v1/people", map[string]string{"name": "auditor", "role": "auditor"})
	admin.must(400, "POST", "/api/v1/people", map[string]string{"name": "grace", "role": "king"})
	url := admin.must(200, "POST", "/api/v1/people", map[string]string{"name": "grace", "role": "technologist"}).json["link"].(string)
	_, link, _ := strings.Cut(url, "/setup/open#")
	b := x.browser()
	b.must(200, "POST", "/api/v1/setup", map[string]string{"link": link, "name": "somebody else", "password": testPassword})
	b.enrol()
	if a := b.must(200, "GET", "/api/v1/session", nil); a.json["name"] != "grace" || a.json["role"] != "technologist" {
		t.Errorf("state: %s", a.text)
	}
	// A forgotten password: the second factor stays, unless the link drops it.
	for i, state := range []string{"second-factor", "enrol"} {
		_, secret, err := x.in.registry.PersonLink(t.Context(), "grace", "", i == 1)
		if err != nil {
			t.Fatal(err)
		}
		a := x.browser().must(200, "POST", "/api/v1/setup", map[string]string{"link": secret, "password": testPassword + "3"})
		if a.json["state"] != state {
			t.Errorf("after the link: %s, want %s", a.text, state)
		}
	}
	b.must(401, "GET", "/api/v1/session", nil) // another password ends sessions
}

func TestOneFactorIsEnoughOnlyWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, func(c *config.Config) { c.SignIn.SecondFactor = "optional" })
	b := x.browser()
	a := b.must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": testPassword})
	if a.json["state"] != "complete" {
		t.Errorf("state: %s", a.text)
	}
	b.enrol()
	a = x.browser().must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": testPassword})
	if a.json["state"] != "second-factor" {
		t.Errorf("who has a second factor must show it: %s", a.text)
	}
}

// TestRolesReachTheirPartOfTheAPI is the matrix of role by route.
func TestRolesReachTheirPartOfTheAPI(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	for _, role := range policy.Roles() {
		b := x.signIn(string(role))
		for path, roles := range map[string]string{
			"/api/v1/people": "administrator", "/api/v1/devices": "administrator", "/api/v1/devices/pending": "administrator",
			"/api/v1/audit": "administrator auditor", "/api/v1/quarantine": "administrator",
			"/api/v1/tokens": "administrator radiologist technologist referrer researcher auditor",
		} {
			want := 403
			if strings.Contains(roles, string(role)) {
				want = 200
			}
			if a := b.send("GET", path, nil); a.StatusCode != want {
				t.Errorf("%s GET %s: status %d, want %d", role, path, a.StatusCode, want)
			}
		}
		want := 403
		if role == policy.Administrator {
			want = 404
		}
		b.must(want, "POST", "/api/v1/devices/pending/9/approve", map[string]any{"allow": []string{"echo"}})
		b.must(404, "GET", "/api/v1/nonsense", nil)
		b.must(405, "PUT", "/api/v1/people", nil)
	}
}

func TestThePagesOfTheTrailAreBounded(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b := x.signIn("auditor")
	seen, path := 0, "/api/v1/audit?limit=2"
	for range 50 {
		a := b.must(200, "GET", path, nil)
		n := len(a.json["items"].([]any))
		if seen += n; n > 2 {
			t.Fatalf("%d records in a page of 2", n)
		}
		next, more := a.json["next"].(float64)
		if !more {
			break
		}
		path = fmt.Sprintf("/api/v1/audit?limit=2&after=%d", int(next))
	}
	if all := len(x.records()); seen != all {
		t.Errorf("%d records in pages, %d in all", seen, all)
	}
	for _, q := range []string{"limit=0", "limit=501", "limit=x", "after=-2"} {
		b.must(400, "GET", "/api/v1/audit?"+q, nil)
	}
}
