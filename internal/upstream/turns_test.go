package upstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/fault"
)

// line lets requests of callers wait one after the other, and gives the place on
// each time one was served.
func line(t *testing.T, turns *Turns, callers ...string) (served func() []string) {
	t.Helper()
	var mu sync.Mutex
	var order []string
	for _, caller := range callers {
		go func() {
			if turns.Take(t.Context(), caller) != nil {
				return
			}
			mu.Lock()
			order = append(order, caller)
			mu.Unlock()
			turns.Give(caller)
		}()
		synctest.Wait()
	}

	return func() []string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(order)
	}
}

func TestCallersTakeTurnsWhateverTheyAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, 100, time.Minute)
		if err := turns.Take(t.Context(), "busy"); err != nil {
			t.Fatal(err)
		}
		served := line(t, turns, "busy", "busy", "busy", "busy", "ward", "ward", "er")
		turns.Give("busy")
		want := []string{"busy", "ward", "er", "busy", "ward", "busy", "busy"}
		if got := served(); !slices.Equal(got, want) {
			t.Errorf("served %v, want %v", got, want)
		}
		if turns.count != 0 || turns.free != 1 || len(turns.lines) != 0 || len(turns.ring) != 0 {
			t.Errorf("left behind: %+v", turns)
		}
	})
}

func TestWaitingIsBoundedInTimeAndNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, 3, time.Minute)
		if err := turns.Take(t.Context(), "busy"); err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 10)
		for range 4 {
			go func() { errs <- turns.Take(t.Context(), "busy") }()
			synctest.Wait()
		}
		if err := <-errs; !errors.Is(err, errFull) || fault.Of(err) != fault.Busy {
			t.Errorf("the fourth: %v", err)
		}

		// Somebody else finds a place all the same: the long line gives one up.
		ward := make(chan error, 1)
		go func() { ward <- turns.Take(t.Context(), "ward") }()
		synctest.Wait()
		if err := <-errs; !errors.Is(err, errFull) {
			t.Errorf("the youngest of the long line: %v", err)
		}

		began := time.Now()
		for range 2 {
			if err := <-errs; !errors.Is(err, errLate) {
				t.Errorf("%v", err)
			}
		}
		if err := <-ward; !errors.Is(err, errLate) {
			t.Errorf("%v", err)
		}
		if waited := time.Since(began); waited > time.Minute {
			t.Errorf("waited %v", waited)
		}
		turns.Give("busy")
		if turns.count != 0 || turns.free != 1 || len(turns.ring) != 0 {
			t.Errorf("left behind: %+v", turns)
		}
	})
}

func TestWhoGivesUpTakesNoPlaceAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(2, 50, time.Minute)
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Second)
				defer cancel()
				caller := fmt.Sprint("caller", i%5)
				if turns.Take(ctx, caller) == nil {
					time.Sleep(3 * time.Second)
					turns.Give(caller)
				}
			})
		}
		wg.Wait()
		if turns.count != 0 || turns.free != 2 || len(turns.lines) != 0 || len(turns.ring) != 0 {
			t.Errorf("left behind: %+v", turns)
		}
	})
}

func TestWhoKeepsItsPlacesLeavesSomeToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(4, 100, time.Minute)
		got := map[string]int{}
		for _, caller := range []string{"evil", "evil", "evil", "evil", "worse", "worse", "ward"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if turns.Take(ctx, caller) == nil {
				got[caller]++
			}
			cancel()
		}
		if want := map[string]int{"evil": 2, "worse": 1, "ward": 1}; !maps.Equal(got, want) {
			t.Errorf("places %v, want %v", got, want)
		}

		// The last place is for who has none.
		served := line(t, turns, "evil", "er")
		turns.Give("evil")
		if got := served(); !slices.Equal(got, []string{"er"}) {
			t.Errorf("served %v", got)
		}
		turns.Give("ward")
		if got := served(); !slices.Equal(got, []string{"er", "evil"}) {
			t.Errorf("served %v", got)
		}
	})
}

func TestPlacesThatAreNotDividedMayAllBeOneCallers(t *testing.T) {
	t.Parallel()
	turns := NewTurns(4, 0, time.Minute)
	turns.undivided = true
	for range 4 {
		if err := turns.Take(t.Context(), "route"); err != nil {
			t.Fatal(err)
		}
	}
	if err := turns.Take(t.Context(), "route"); !errors.Is(err, errFull) {
		t.Errorf("the fifth: %v", err)
	}
}

func TestAPlaceIsWantedByWhoWouldHaveIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, 100, time.Minute)
		if err := turns.Take(t.Context(), "evil"); err != nil {
			t.Fatal(err)
		}
		served := line(t, turns, "evil", "evil")
		if turns.wanted("evil") {
			t.Error("its own requests count")
		}
		line(t, turns, "ward")
		if !turns.wanted("evil") {
			t.Error("another does not count")
		}
		turns.Give("evil")
		served()
	})
}
