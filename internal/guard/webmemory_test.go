package guard

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"collimator/dicomweb"
	"collimator/internal/budget"
)

// TestWebRequestsHoldWhatTheyAreAndWaitForTheirTurn: so many at a time as one caller
// may have the memory for, and the next ones when these have gone.
func TestWebRequestsHoldWhatTheyAreAndWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &Guard{Options: Options{Memory: budget.New(16 * requestCost)}}
		open := make(chan *Caller, 100)
		for range 100 {
			go func() {
				c := &Caller{}
				c.who.Name = "somebody"
				if err := g.openWeb(t.Context(), c, &dicomweb.Call{}); err != nil {
					t.Error(err)
				}
				open <- c
			}()
		}
		synctest.Wait()
		if got := len(open); got != 8 {
			t.Errorf("%d requests of one caller are served at a time, want 8", got)
		}
		for range 100 {
			(<-open).account.Close()
			synctest.Wait()
		}
		if u := g.Memory.Usage(); u.Held != 0 || u.Waiting != 0 || u.Most > u.Total {
			t.Errorf("%+v", u)
		}
	})
}

func TestWantOfMemoryHasItsStatus(t *testing.T) {
	t.Parallel()
	b := budget.New(8 << 20)
	c := &Caller{account: b.Open("somebody")}
	wants := func(what string, err error, status int, reason uint16, again string) {
		t.Helper()
		e, ok := errors.AsType[*dicomweb.Error](err)
		if !ok || e.Status != status || e.FailureReason != reason || e.Header.Get("Retry-After") != again {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err := c.memory(t.Context(), 5<<20)
	wants("more than anybody may have", err, http.StatusRequestEntityTooLarge, 0xC000, "")

	account, done, err := c.memory(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	wants("too much in the middle", account.Grow(4<<20), http.StatusRequestEntityTooLarge, 0xC000, "")
	other := b.Open("other")
	if err := other.Grow(3 << 20); err != nil {
		t.Fatal(err)
	}
	wants("taken by others", account.Grow(2<<20), http.StatusServiceUnavailable, 0xA700, "10")
	done()
	if u := b.Usage(); u.Held != 3<<20 {
		t.Errorf("%+v", u)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.memory(ctx, 3<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}
