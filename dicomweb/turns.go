package dicomweb

import (
	"context"
	"sync"
)

// turns are the places for work on a processor. They go round among holders: who
// asks for many at a time waits behind himself and not in front of the others, and
// one place is always left for who comes next.
type turns struct {
	places int

	mu      sync.Mutex
	working map[string]int
	used    int
	waiting []*turn // in the order of arrival
}

type turn struct {
	holder  string
	granted chan struct{}
}

func newTurns(places int) *turns { return &turns{places: max(places, 1), working: map[string]int{}} }

// share is the most places that one holder has.
func (t *turns) share() int { return max(t.places-1, 1) }

// take waits for a place, until ctx ends. done gives it back.
func (t *turns) take(ctx context.Context, holder string) (done func(), err error) {
	w := &turn{holder, make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, w)
	t.grant()
	t.mu.Unlock()

	select {
	case <-w.granted:
		return func() { t.give(holder) }, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.waiting {
		if other == w {
			t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
			return nil, context.Cause(ctx)
		}
	}
	t.release(holder) // it was granted at the same moment
	return nil, context.Cause(ctx)
}

func (t *turns) give(holder string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release(holder)
}

// release counts a place back. Called with mu held.
func (t *turns) release(holder string) {
	t.used--
	if t.working[holder]--; t.working[holder] == 0 {
		delete(t.working, holder)
	}
	t.grant()
}

// grant lets in those who have the fewest places, the first to come of them first.
// Called with mu held.
func (t *turns) grant() {
	for t.used < t.places {
		best := -1
		for i, w := range t.waiting {
			if t.working[w.holder] < t.share() && (best < 0 || t.working[w.holder] < t.working[t.waiting[best].holder]) {
				best = i
			}
		}

		if best < 0 {
			return
		}

		w := t.waiting[best]
		t.waiting = append(t.waiting[:best], t.waiting[best+1:]...)
		t.used++
		t.working[w.holder]++
		close(w.granted)
	}
}
