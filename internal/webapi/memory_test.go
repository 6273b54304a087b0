package webapi

import (
	"net/http"
	"strings"
	"testing"

	"collimator/internal/budget"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/policy"
)

func TestEveryRouteOfTheAPIHoldsItsShareOfTheBudget(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	_, secret, err := d.Sessions.Start(t.Context(), "ada", "totp", "192.0.2.1", true, "")
	if err != nil {
		t.Fatal(err)
	}
	a := New(d.Guard, nil)
	held := map[string]int64{}
	look := func(rq *Request) (any, error) {
		held[rq.r.Pattern] = d.Memory.Usage().Held
		if budget.From(rq.Context()) == nil {
			t.Errorf("%s: what works for it cannot take from its account", rq.r.Pattern)
		}
		return nil, nil
	}
	a.Handle("GET /api/v1/one", policy.People, look)
	a.Handle("GET /api/v1/many", policy.People, look)
	a.Own("GET /api/v1/own", look)
	a.Unguarded("GET /api/v1/open", look)
	a.Holds(8<<20, "GET /api/v1/many")
	for _, path := range []string{"one", "many", "own", "open"} {
		if w := housetest.Ask(t, a, "192.0.2.1", "GET", "/api/v1/"+path, nil, "Cookie", guard.SessionCookie+"="+secret); w.Code != http.StatusNoContent {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for pattern, want := range map[string]int64{
		"GET /api/v1/one": 256 << 10, "GET /api/v1/many": 8 << 20, "GET /api/v1/own": 256 << 10, "GET /api/v1/open": 64 << 10,
	} {
		if held[pattern] != want {
			t.Errorf("%s holds %d bytes, want %d", pattern, held[pattern], want)
		}
	}
	if u := d.Memory.Usage(); u.Held != 0 {
		t.Errorf("%+v at the end", u)
	}
}

func TestAnAnswerForWhichThereIsNoRoomIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Memory = budget.New(8 << 20)
	a := New(d.Guard, nil)
	a.Unguarded("GET /api/v1/large", func(*Request) (any, error) { return strings.Repeat("a", 5<<20), nil })
	a.Unguarded("GET /api/v1/file", func(*Request) (any, error) { return &File{Name: "a", Body: make([]byte, 5<<20)}, nil })
	a.Unguarded("GET /api/v1/small", func(*Request) (any, error) { return strings.Repeat("a", 1<<20), nil })
	d.person("ada", policy.Administrator)
	for path, want := range map[string]int{"large": 413, "file": 413, "small": 200} {
		if w := housetest.Ask(t, a, "192.0.2.1", "GET", "/api/v1/"+path, nil); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
}
