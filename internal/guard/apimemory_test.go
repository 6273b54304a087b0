package guard

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/budget"
	"collimator/internal/policy"
)

func TestEveryRouteOfTheAPIHoldsItsShareOfTheBudget(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.person("ada", policy.Administrator)
	_, secret, err := d.sessions.Start(t.Context(), "ada", "totp", "192.0.2.1", true, "")
	if err != nil {
		t.Fatal(err)
	}
	a := d.NewAPI()
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
	a.open("GET /api/v1/open", look)
	a.Holds(8<<20, "GET /api/v1/many")
	for _, path := range []string{"one", "many", "own", "open"} {
		if w := d.call(a, "GET", "/api/v1/"+path, nil, "Cookie", SessionCookie+"="+secret); w.Code != http.StatusNoContent {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for pattern, want := range map[string]int64{
		"GET /api/v1/one": requestCost, "GET /api/v1/many": 8 << 20, "GET /api/v1/own": requestCost, "GET /api/v1/open": openCost,
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
	d := newDoor(t)
	d.Memory = budget.New(8 << 20)
	a := d.NewAPI()
	a.open("GET /api/v1/large", func(*Request) (any, error) { return strings.Repeat("a", 5<<20), nil })
	a.open("GET /api/v1/file", func(*Request) (any, error) { return &File{Name: "a", Body: make([]byte, 5<<20)}, nil })
	a.open("GET /api/v1/small", func(*Request) (any, error) { return strings.Repeat("a", 1<<20), nil })
	d.person("ada", policy.Administrator)
	for path, want := range map[string]int{"large": 413, "file": 413, "small": 200} {
		if w := d.call(a, "GET", "/api/v1/"+path, nil); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
}

func TestARequestWaitsForMemoryForABoundedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &Guard{Options: Options{Memory: budget.New(1 << 20)}}
		hog := g.Memory.Open()
		if err := hog.Grow(1 << 20); err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequestWithContext(context.Background(), "GET", "/", nil) // a valid one
		rq := &Request{g: g, r: r, address: "192.0.2.1"}
		began := time.Now()
		if _, err := rq.reserve(openCost); httpStatus(err) != http.StatusServiceUnavailable || time.Since(began) != apiWait {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		hog.Close()
		done, err := rq.reserve(openCost)
		if err != nil {
			t.Fatal(err)
		}
		done()
		if u := g.Memory.Usage(); u.Held != 0 || u.Waiting != 0 {
			t.Errorf("%+v", u)
		}
	})
}
