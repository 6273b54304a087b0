package guard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/budget"
	"collimator/internal/fault"
)

func TestARequestToTheAPIWaitsForMemoryForABoundedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &Guard{Options: Options{Memory: budget.New(1 << 20)}}
		hog := g.Memory.Open()
		if err := hog.Grow(1 << 20); err != nil {
			t.Fatal(err)
		}
		c := stranger("192.0.2.1")
		began := time.Now()
		if err := g.openAPI(t.Context(), c, Route{Open: true}); fault.Of(err) != fault.Busy || time.Since(began) != apiWait {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		c.leave()

		hog.Close()
		if err := g.openAPI(t.Context(), c, Route{Open: true}); err != nil {
			t.Fatal(err)
		}
		c.leave()
		if u := g.Memory.Usage(); u.Held != 0 || u.Waiting != 0 {
			t.Errorf("%+v", u)
		}
	})
}

func TestWhatARouteHoldsIsWhatItSaysAndNoLess(t *testing.T) {
	t.Parallel()
	for want, route := range map[int64]Route{openCost: {Open: true}, requestCost: {}, 8 << 20: {Holds: 8 << 20}} {
		g := &Guard{Options: Options{Memory: budget.New(64 << 20)}}
		c := &Caller{}
		if err := g.openAPI(context.Background(), c, route); err != nil {
			t.Fatal(err)
		}
		if got := g.Memory.Usage().Held; got != want {
			t.Errorf("%+v holds %d bytes, want %d", route, got, want)
		}
	}
}
