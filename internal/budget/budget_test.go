package budget_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/budget"
	"collimator/internal/fault"
)

const mib = 1 << 20

func TestOneHolderGetsHalfAndLeavesRoomForTheNext(t *testing.T) {
	t.Parallel()
	b := budget.New(96 * mib)

	var hog []*budget.Account
	for {
		a := b.Open("WS1", "192.0.2.1")
		if err := a.Grow(4 * mib); err != nil {
			if fault.Of(err) != fault.Busy {
				t.Fatal(err)
			}
			break
		}
		hog = append(hog, a)
	}
	if got := b.Usage().Held; got != 48*mib {
		t.Errorf("one holder has %d MiB of 96", got>>20)
	}
	other := b.Open("WS2", "192.0.2.2")
	if err := other.Grow(20 * mib); err != nil {
		t.Errorf("the next holder: %v", err)
	}

	other.Close()
	for _, a := range hog {
		a.Close()
		a.Close()
	}
	if u := b.Usage(); u.Held != 0 || u.Most != 68*mib {
		t.Errorf("at the end %+v", u)
	}
}

func TestWhatNobodyCanHaveIsTooLargeAndNotBusy(t *testing.T) {
	t.Parallel()
	b := budget.New(10 * mib)
	a := b.Open("x")
	if err := a.Grow(6 * mib); fault.Of(err) != fault.TooLarge {
		t.Error(err)
	}
	if err := a.Reserve(t.Context(), 6*mib); fault.Of(err) != fault.TooLarge {
		t.Error(err)
	}
	if err := a.Grow(5 * mib); err != nil {
		t.Error(err)
	}
	if err := a.Grow(1); fault.Of(err) != fault.TooLarge {
		t.Error(err)
	}
}

func TestAnAddressIsBoundedAcrossItsPrincipals(t *testing.T) {
	t.Parallel()
	b := budget.New(40 * mib)
	for i, want := range []bool{true, true, false} {
		err := b.Open(string(rune('a'+i)), "192.0.2.1").Grow(10 * mib)
		if (err == nil) != want {
			t.Errorf("account %d: %v", i, err)
		}
	}
}

func TestReservationsComeInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(40 * mib)
		first := b.Open("a")
		if err := first.Reserve(t.Context(), 20*mib); err != nil {
			t.Fatal(err)
		}
		var order []string
		var mu sync.Mutex
		var all sync.WaitGroup
		wait := func(holder string, n int64) {
			all.Go(func() {
				a := b.Open(holder)
				if err := a.Reserve(t.Context(), n); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, holder)
				mu.Unlock()
				time.Sleep(time.Second)
				a.Close()
			})
			synctest.Wait()
		}
		wait("a", 20*mib) // waits for its own
		wait("b", 18*mib) // 20 are free, and 18 would leave 2
		wait("c", 2*mib)  // would fit, and does not pass b by
		wait("d", 1*mib)
		first.Close()
		all.Wait()
		if len(order) != 4 || b.Usage().Held != 0 || b.Usage().Waiting != 0 {
			t.Errorf("%v %+v", order, b.Usage())
		}
	})
}

func TestWhoGivesUpWaitingHoldsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(40 * mib)
		first := b.Open("a")
		if err := first.Reserve(t.Context(), 20*mib); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("gone"))
		defer cancel()
		second := b.Open("a")
		if err := second.Reserve(ctx, 20*mib); err == nil || err.Error() != "gone" {
			t.Error(err)
		}
		second.Close()
		first.Close()
		if u := b.Usage(); u.Held != 0 || u.Waiting != 0 {
			t.Errorf("%+v", u)
		}
	})
}

// TestNeverMoreThanTheTotalAndNobodyWaitsForEver runs many holders at once.
func TestNeverMoreThanTheTotalAndNobodyWaitsForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(64 * mib)
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), 1))
				for range 20 {
					a := b.Open(string(rune('a'+i%7)), "address "+string(rune('0'+i%5)))
					if err := a.Reserve(t.Context(), 1+r.Int64N(32*mib)); err != nil {
						t.Error(err)
					}
					_ = a.Grow(r.Int64N(mib)) // or not
					time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
					a.Shrink(r.Int64N(mib))
					a.Close()
				}
			})
		}
		all.Wait()
		if u := b.Usage(); u.Held != 0 || u.Waiting != 0 || u.Most > u.Total {
			t.Errorf("%+v", u)
		}
	})
}

// TestRequestsThatWaitForEachOtherAreToldApart: each holds what the other waits for.
func TestRequestsThatWaitForEachOtherAreToldApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(100 * mib)
		var outcomes []error
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, holder := range []string{"a", "b", "c"} {
			request := b.Open(holder)
			if err := request.Grow(20 * mib); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				defer request.Close()
				done, err := budget.Take(budget.With(t.Context(), request), 25*mib)
				mu.Lock()
				outcomes = append(outcomes, err)
				mu.Unlock()
				if err == nil {
					done()
				}
			})
			synctest.Wait()
		}
		all.Wait()
		busy := 0
		for _, err := range outcomes {
			if err != nil && fault.Of(err) != fault.Busy {
				t.Error(err)
			}
			if err != nil {
				busy++
			}
		}
		if len(outcomes) != 3 || busy == 3 || b.Usage().Held != 0 || b.Usage().Waiting != 0 {
			t.Errorf("%v, %+v", outcomes, b.Usage())
		}
	})
}

// TestWhatARequestHoldsCountsForItsPieces: waiting for oneself has no end.
func TestWhatARequestHoldsCountsForItsPieces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(100 * mib)
		request := b.Open("a")
		if err := request.Grow(30 * mib); err != nil {
			t.Fatal(err)
		}
		if _, err := budget.Take(budget.With(t.Context(), request), 30*mib); fault.Of(err) != fault.TooLarge {
			t.Error(err)
		}
		request.Close()
	})
}
