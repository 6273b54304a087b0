package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"collimator/internal/fault"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

func TestNamesAreCountedInBoundedSpace(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	seen := map[string]bool{}
	for i := range 100_000 {
		seen[d.account(fmt.Sprint("name", i))] = true
	}
	if len(seen) > accountBuckets || len(seen) < accountBuckets/2 || accountBuckets >= lockout.Keys {
		t.Errorf("%d keys", len(seen))
	}
	first, again := d.account("grace"), d.account("grace")
	if first != again {
		t.Error("a name has two keys")
	}
}

// call sends one request to an API of this door.
func (d *door) call(a *API, method, path string, body any, header ...string) *httptest.ResponseRecorder {
	b, err := json.Marshal(body)
	if err != nil {
		d.Fatal(err)
	}
	r := httptest.NewRequest(method, "https://localhost"+path, bytes.NewReader(b)).WithContext(d.Context())
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func (d *door) person(name string, role policy.Role) {
	d.Helper()
	if err := d.Registry.AddPerson(d.Context(), name, string(role), "correct horse battery"); err != nil {
		d.Fatal(err)
	}
}

func TestNothingIsRegisteredWithoutAVerb(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	defer func() {
		if recover() == nil {
			t.Error("a route without a verb was taken")
		}
	}()
	d.NewAPI().Handle("GET /api/v1/open", "", func(*Request) (any, error) { return nil, nil })
}

func TestErrorsOfHandlersBecomeProblemsWithoutOurInside(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.person("ada", policy.Administrator)
	_, secret, err := d.sessions.Start(d.Context(), "ada", "passkey", "", true, "")
	if err != nil {
		t.Fatal(err)
	}
	a := d.NewAPI()
	for i, c := range []struct {
		err    error
		status int
	}{
		{fault.New(fault.NotFound, "x: gone"), 404}, {fault.New(fault.Conflict, "x: twice"), 409}, {fault.New(fault.Invalid, "x: wrong"), 400}, {fault.New(fault.Denied, "x: no"), 403},
		{fault.New(fault.Busy, "x: busy"), 503}, {fault.New(fault.TooLarge, "x: long"), 413}, {fault.New(fault.Unsupported, "x: not here"), 501},
		{fmt.Errorf("secret inside"), 500}, {nil, 204},
	} {
		path := fmt.Sprintf("/api/v1/test/%d", i)
		a.Handle("GET "+path, policy.People, func(*Request) (any, error) { return nil, c.err })
		w := d.call(a, "GET", path, nil, "Cookie", SessionCookie+"="+secret)
		if w.Code != c.status || strings.Contains(w.Body.String(), "secret inside") {
			t.Errorf("%v: status %d, want %d: %s", c.err, w.Code, c.status, w.Body)
		}
	}
	if got := strings.Count(d.log.String(), "x: busy"); got != 1 {
		t.Errorf("a request that was not served stands in the log %d times, want 1: %s", got, d.log)
	}
	a.Handle("GET /api/v1/panic", policy.People, func(*Request) (any, error) { panic("ZZPHI") })
	if w := d.call(a, "GET", "/api/v1/panic", nil, "Cookie", SessionCookie+"="+secret); w.Code != 500 || strings.Contains(w.Body.String(), "ZZPHI") {
		t.Errorf("a panic: status %d", w.Code)
	}
}

func TestManyPasswordsAtOnceDoNotPileUp(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.person("ada", policy.Administrator)
	a := d.NewAPI()
	d.signing.busy = true
	for range signingMost {
		if _, err := d.signing.enter(&signWaiter{origin: "192.0.2.1", answer: make(chan error, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	w := d.from(a, "192.0.2.1", "", "/api/v1/session/password", map[string]string{"name": "ada", "password": "correct horse battery"})
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("status %d", w.Code)
	}
	for range signingMost + 1 {
		d.signing.end()
	}
	if w := d.from(a, "192.0.2.1", "", "/api/v1/session/password", map[string]string{"name": "ada", "password": "correct horse battery"}); w.Code != 200 {
		t.Errorf("afterwards: status %d", w.Code)
	}
}

func TestWrongPasswordsOfOneAccountFromManyAddressesMakeItWait(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.person("ada", policy.Administrator)
	a := d.NewAPI()
	try := func(ip, name, password string) int {
		b, _ := json.Marshal(map[string]string{"name": name, "password": password}) // texts
		r := httptest.NewRequest("POST", "https://localhost/api/v1/session/password", bytes.NewReader(b)).WithContext(d.Context())
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = ip + ":1"
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Code
	}
	for i := range lockout.Free + 1 {
		if got := try(fmt.Sprintf("192.0.2.%d", i), "ada", "wrong horse battery"); got != 401 {
			t.Fatalf("attempt %d: status %d", i, got)
		}
	}
	if got := try("192.0.2.99", "ada", "correct horse battery"); got != 429 {
		t.Errorf("the account does not wait: status %d", got)
	}
	d.clock.Advance(lockout.First)
	if got := try("192.0.2.99", "ada", "correct horse battery"); got != 200 {
		t.Errorf("after the wait: status %d", got)
	}
}
