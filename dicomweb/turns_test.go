package dicomweb

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// TestPlacesGoRoundAmongHolders: who asks for ten at a time keeps nobody waiting
// longer than one piece of work takes.
func TestPlacesGoRoundAmongHolders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		places := newTurns(3)
		var mu sync.Mutex
		var order []string
		var running, most int
		release := make(chan struct{})
		var all sync.WaitGroup
		for _, holder := range slices.Concat(slices.Repeat([]string{"many"}, 10), []string{"one", "other"}) {
			all.Go(func() {
				done, err := places.take(t.Context(), holder)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, holder)
				if holder == "many" {
					running++
					most = max(most, running)
				}
				mu.Unlock()
				<-release
				mu.Lock()
				if holder == "many" {
					running--
				}
				mu.Unlock()
				done()
			})
			synctest.Wait()
		}
		for range 12 {
			release <- struct{}{}
			synctest.Wait()
		}
		all.Wait()
		if most > 2 {
			t.Errorf("one holder had %d of 3 places", most)
		}
		if got := order[2:4]; !slices.Equal(got, []string{"one", "other"}) && !slices.Equal(got, []string{"one", "many"}) {
			t.Errorf("order %v", order)
		}
		if at := slices.Index(order, "other"); at > 3 {
			t.Errorf("the third holder came as number %d: %v", at+1, order)
		}
	})
}

func TestWhoGivesUpTakesNoPlace(t *testing.T) {
	t.Parallel()
	places := newTurns(1)
	done, err := places.take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := places.take(ctx, "b"); !errors.Is(err, gone) {
		t.Error(err)
	}
	done()
	if done, err = places.take(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	done()
	if places.used != 0 || len(places.waiting) != 0 || len(places.working) != 0 {
		t.Errorf("%+v", places)
	}
}
