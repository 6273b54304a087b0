package webapi

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

func TestNothingIsRegisteredWithoutAVerb(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	defer func() {
		if recover() == nil {
			t.Error("a route without a verb was taken")
		}
	}()
	New(d.Guard, nil).Handle("GET /api/v1/open", "", func(*Request) (any, error) { return nil, nil })
}

func TestOnlyRoutesThatAreMarkedAnswerBeforeThereIsAnAdministrator(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := New(d.Guard, nil)
	nothing := func(*Request) (any, error) { return nil, nil }
	a.Unguarded("POST /api/v1/setup", nothing)
	a.Unguarded("POST /api/v1/setups", nothing)
	a.Own("GET /api/v1/own", nothing)
	a.SetUp("POST /api/v1/setup")

	routes := []struct {
		method, path  string
		before, after int
	}{
		{"POST", "setup", 204, 204},
		{"POST", "setups", 503, 204},
		{"POST", "setup/other", 503, 401},
		{"GET", "own", 503, 401},
	}
	ask := func(method, path string, want int) {
		t.Helper()
		if w := housetest.Ask(t, a, "192.0.2.1", method, "/api/v1/"+path, nil); w.Code != want {
			t.Errorf("%s %s: status %d, want %d", method, path, w.Code, want)
		}
	}

	for _, x := range routes {
		ask(x.method, x.path, x.before)
	}
	d.person("ada", policy.Administrator)
	for _, x := range routes {
		ask(x.method, x.path, x.after)
	}
}

func TestErrorsOfHandlersBecomeProblemsWithoutOurInside(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	_, secret, err := d.Sessions.Start(d.Context(), "ada", "passkey", "", true, "")
	if err != nil {
		t.Fatal(err)
	}
	a := New(d.Guard, nil)
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
		w := housetest.Ask(t, a, "192.0.2.1", "GET", path, nil, "Cookie", guard.SessionCookie+"="+secret)
		if w.Code != c.status || strings.Contains(w.Body.String(), "secret inside") {
			t.Errorf("%v: status %d, want %d: %s", c.err, w.Code, c.status, w.Body)
		}
	}
	if got := strings.Count(d.log.String(), "x: busy"); got != 1 {
		t.Errorf("a request that was not served stands in the log %d times, want 1: %s", got, d.log)
	}
	a.Handle("GET /api/v1/panic", policy.People, func(*Request) (any, error) { panic("ZZPHI") })
	if w := housetest.Ask(t, a, "192.0.2.1", "GET", "/api/v1/panic", nil, "Cookie", guard.SessionCookie+"="+secret); w.Code != 500 || strings.Contains(w.Body.String(), "ZZPHI") {
		t.Errorf("a panic: status %d", w.Code)
	}
}

func TestTokensThatCountAtTheSameTimeDoNotWait(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	_, secret, err := d.Registry.CreateToken(t.Context(), "ada", policy.AllVerbs(), nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	a := New(d.Guard, nil)
	a.Handle("GET /api/v1/test", policy.People, func(*Request) (any, error) { return nil, nil })
	get := func(token string) int {
		return housetest.Ask(t, a, "192.0.2.1", "GET", "/api/v1/test", nil, "Authorization", "Bearer "+token).Code
	}
	for range lockout.Free {
		get("clmt_wrong")
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if code := get(secret); code != 204 {
				t.Errorf("status %d", code)
			}
		})
	}
	all.Wait()
	if code := get("clmt_wrong"); code != 401 {
		t.Errorf("one more wrong one: status %d", code)
	}
	if code := get(secret); code != 429 {
		t.Errorf("after six wrong ones: status %d", code)
	}
}
