package upstream

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"collimator/internal/fault"
)

// Errors of waiting for a PACS. Both are of kind Busy.
var (
	errFull = fault.New(fault.Busy, "upstream: the PACS is in use, and no more requests may wait for it; try again later")
	errLate = fault.New(fault.Busy, "upstream: the PACS is in use by others; try again later")
)

// Turns decides who may use one of a few places next. Callers take turns, each with
// its own line, so that whoever asks a lot waits behind itself and before nobody
// else. A caller has no more places than it leaves free: of four it has two, and the next
// one has one of the others, however long they keep them. Safe for concurrent use.
type Turns struct {
	most      int           // who wait at the same time
	wait      time.Duration // for a turn
	undivided bool          // one caller may have all places

	mu    sync.Mutex
	free  int
	by    map[string]int        // places in use, by caller
	lines map[string]*list.List // of answers, by caller, in the order of arrival
	ring  []string              // callers that wait; the first is next
	count int                   // who wait
}

// answer is what one who waits is told: nil, it is its turn.
type answer chan error

// NewTurns are turns for a number of places; most may wait at a time, each as long as wait.
func NewTurns(places, most int, wait time.Duration) *Turns {
	return &Turns{most: most, wait: wait, free: places, by: map[string]int{}, lines: map[string]*list.List{}}
}

// Take waits for a place, which Give gives back. It fails with errFull or errLate, or with the cause of ctx.
func (t *Turns) Take(ctx context.Context, caller string) error {
	told, place, err := t.enter(caller)
	if err != nil || place == nil {
		return err
	}

	bound := time.NewTimer(t.wait)
	defer bound.Stop()
	select {
	case err := <-told:
		return err
	case <-bound.C:
		err = errLate
	case <-ctx.Done():
		err = context.Cause(ctx)
	}

	t.leave(caller, told, place)
	return err
}

// enter takes a free place, or joins the line of the caller. Where as many wait as
// may, the longest line gives up its youngest for a line that is shorter by two.
func (t *Turns) enter(caller string) (told answer, place *list.Element, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mayTake(caller) {
		t.use(caller)
		return nil, nil, nil
	}
	if t.count >= t.most && !t.yield(caller) {
		return nil, nil, errFull
	}

	line := t.lines[caller]
	if line == nil {
		line = list.New()
		t.lines[caller] = line
		t.ring = append(t.ring, caller)
	}
	t.count++
	told = make(answer, 1)
	return told, line.PushBack(told), nil
}

// mayTake reports whether a caller may have one more place now. Called with mu held.
func (t *Turns) mayTake(caller string) bool {
	return t.free > 0 && (t.undivided || t.by[caller] < t.free)
}

// use takes a place for a caller. Called with mu held.
func (t *Turns) use(caller string) {
	t.free--
	t.by[caller]++
}

// yield makes room for one more in the line of a caller. Called with mu held.
func (t *Turns) yield(caller string) bool {
	own := 0
	if line := t.lines[caller]; line != nil {
		own = line.Len()
	}
	longest := ""
	for name, line := range t.lines {
		if line.Len() > own+1 && (longest == "" || line.Len() > t.lines[longest].Len()) {
			longest = name
		}
	}
	if longest == "" {
		return false
	}

	place := t.lines[longest].Back()
	place.Value.(answer) <- errFull
	t.remove(longest, place)
	return true
}

// leave gives up waiting. A turn that came at the same moment goes to the next.
func (t *Turns) leave(caller string, told answer, place *list.Element) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case err := <-told:
		if err == nil {
			t.pass(caller)
		}
	default:
		t.remove(caller, place)
	}
}

// remove takes one out of the line of a caller. Called with mu held.
func (t *Turns) remove(caller string, place *list.Element) {
	line := t.lines[caller]
	line.Remove(place)
	t.count--
	if line.Len() > 0 {
		return
	}

	delete(t.lines, caller)
	t.ring = slices.DeleteFunc(t.ring, func(name string) bool { return name == caller })
}

// Give ends the use of a place by a caller.
func (t *Turns) Give(caller string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass(caller)
}

// pass takes a place from a caller, and hands out what is free to those who wait and
// may have one more. Called with mu held.
func (t *Turns) pass(from string) {
	t.free++
	if t.by[from]--; t.by[from] == 0 {
		delete(t.by, from)
	}

	for {
		i := slices.IndexFunc(t.ring, t.mayTake)
		if i < 0 {
			return
		}
		caller := t.ring[i]
		t.ring = append(slices.Delete(t.ring, i, i+1), caller) // last in the ring, if others of its line wait
		place := t.lines[caller].Front()
		t.remove(caller, place)
		t.use(caller)
		place.Value.(answer) <- nil
	}
}

// wanted reports whether another caller waits who would have the place of this one.
func (t *Turns) wanted(of string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.ring, func(caller string) bool {
		return caller != of && (t.undivided || t.by[caller] <= t.free)
	})
}

// unused is how many places nobody uses.
func (t *Turns) unused() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.free
}

// Usage is how many places nobody uses, and how many wait for one.
func (t *Turns) Usage() (free, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.free, t.count
}
