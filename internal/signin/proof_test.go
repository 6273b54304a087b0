package signin

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/lockout"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// made gives the routes that make credentials, as far as the guard has them.
var made = [][2]string{
	{"POST", "/api/v1/password"}, {"POST", "/api/v1/recovery-codes"}, {"DELETE", "/api/v1/totp"}, {"DELETE", "/api/v1/passkeys/x"},
	{"POST", "/api/v1/session/enrol/totp"}, {"POST", "/api/v1/session/enrol/totp/confirm"}, {"POST", "/api/v1/session/enrol/passkey/begin"}, {"POST", "/api/v1/session/enrol/passkey/finish"},
	{"POST", "/api/v1/tokens"}, {"POST", "/api/v1/test"},
}

// asks reports whether an answer asks for a second factor again.
func asks(w *httptest.ResponseRecorder) bool {
	var p struct {
		Type  string
		Again *proofs `json:"secondFactor"`
	}
	return json.Unmarshal(w.Body.Bytes(), &p) == nil && w.Code == 403 && p.Type == "urn:collimator:second-factor-again" && p.Again != nil
}

func TestWhatMakesCredentialsNeedsASecondFactorOfLate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	app := d.withApp("ada", policy.Administrator)
	a := d.NewAPI()
	a.Handle("POST /api/v1/test", policy.People, func(*webapi.Request) (any, error) { return nil, nil })
	a.Proven("POST /api/v1/test")
	_, cookie, err := d.door.Sessions.Start(t.Context(), "ada", "totp", "192.0.2.1", true, "")
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string, want bool) {
		t.Helper()
		for _, r := range made {
			if w := housetest.Ask(t, a, "192.0.2.1", r[0], r[1], map[string]string{}, "Cookie", guard.SessionCookie+"="+cookie); asks(w) != want {
				t.Errorf("%s: %v: status %d: %s", when, r, w.Code, w.Body)
			}
		}
	}
	d.clock.Advance(guard.ProofFor)
	check("after five minutes", true)
	if w := housetest.Ask(t, a, "192.0.2.1", "GET", "/api/v1/sessions", nil, "Cookie", guard.SessionCookie+"="+cookie); w.Code != 200 {
		t.Errorf("looking needs it too: status %d", w.Code)
	}

	before := cookie
	w := d.from(a, "192.0.2.1", cookie, "/api/v1/session/totp", map[string]string{"code": totpAt(t, app, d.clock.Now())})
	if w.Code != 200 || len(w.Result().Cookies()) != 1 {
		t.Fatalf("showing it again: status %d: %s", w.Code, w.Body)
	}
	cookie = w.Result().Cookies()[0].Value
	if w := housetest.Ask(t, a, "192.0.2.1", "GET", "/api/v1/sessions", nil, "Cookie", guard.SessionCookie+"="+before); w.Code != 401 {
		t.Errorf("a copy of the cookie from before counts on: status %d", w.Code)
	}
	if w := housetest.Ask(t, a, "192.0.2.1", "POST", "/api/v1/test", nil, "Cookie", guard.SessionCookie+"="+cookie); w.Code != 204 {
		t.Errorf("after it was shown: status %d: %s", w.Code, w.Body)
	}
	d.clock.Advance(guard.ProofFor - time.Second)
	if w := housetest.Ask(t, a, "192.0.2.1", "POST", "/api/v1/test", nil, "Cookie", guard.SessionCookie+"="+cookie); w.Code != 204 {
		t.Errorf("within five minutes: status %d", w.Code)
	}
	d.clock.Advance(time.Second)
	check("five minutes later", true)
}

func TestShowingASecondFactorAgainDoesNotMakeASessionLonger(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	app := d.withApp("ada", policy.Administrator)
	a := d.NewAPI()
	s, cookie, err := d.door.Sessions.Start(t.Context(), "ada", "totp", "192.0.2.1", true, "")
	if err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(20 * time.Minute)
	w := d.from(a, "192.0.2.1", cookie, "/api/v1/session/totp", map[string]string{"code": totpAt(t, app, d.clock.Now())})
	var x sessionState
	if err := json.Unmarshal(w.Body.Bytes(), &x); err != nil || x.Session != s.ID || !x.Expires.Equal(s.Expires) {
		t.Errorf("session %s until %v, was %s until %v: %s", x.Session, x.Expires, s.ID, s.Expires, w.Body)
	}
}

func TestWrongCodesOfAStolenSessionAreCounted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.withApp("ada", policy.Administrator)
	a := d.NewAPI()
	_, cookie, err := d.door.Sessions.Start(t.Context(), "ada", "totp", "192.0.2.1", true, "")
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for i := range 20 {
		if w := d.from(a, fmt.Sprintf("192.0.2.%d", i), cookie, "/api/v1/session/totp", map[string]string{"code": "000000"}); w.Code == 401 {
			judged++
		}
	}
	if judged != lockout.Free+1 {
		t.Errorf("%d were judged", judged)
	}
	if n := len(d.records()); n == 0 || n > 20 {
		t.Errorf("%d records", n)
	}
}

// The page asks for the secret anew each time it is shown.
func TestAMistypedCodeLeavesTheSecretAsItIs(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	a, cookie := d.NewAPI(), d.half("ada")
	secret := func(cookie string) string {
		var x struct{ Secret string }
		json.Unmarshal(d.from(a, "192.0.2.1", cookie, "/api/v1/session/enrol/totp", nil).Body.Bytes(), &x) // empty where it is refused
		return x.Secret
	}
	first := secret(cookie)
	if w := d.from(a, "192.0.2.1", cookie, "/api/v1/session/enrol/totp/confirm", map[string]string{"code": "000000"}); w.Code != 403 {
		t.Errorf("a wrong code: status %d", w.Code)
	}
	if again := secret(cookie); first == "" || again != first {
		t.Errorf("the secret was %q and is %q", first, again)
	}
	other := d.half("ada")
	if secret(other) == first {
		t.Error("another session is shown the secret that this one confirms")
	}
	if w := d.from(a, "192.0.2.1", cookie, "/api/v1/session/enrol/totp/confirm", map[string]string{"code": totpAt(t, first, d.clock.Now())}); w.Code != 409 {
		t.Errorf("a secret that was replaced by another session: status %d", w.Code)
	}
	if w := d.from(a, "192.0.2.1", other, "/api/v1/session/enrol/totp/confirm", map[string]string{"code": totpAt(t, secret(other), d.clock.Now())}); w.Code != 200 {
		t.Errorf("the right code: status %d: %s", w.Code, w.Body)
	}
	if r := d.records(); len(r) == 0 || r[len(r)-1].Event != audit.UserAuthenticated {
		t.Errorf("%+v", r)
	}
}
