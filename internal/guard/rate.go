package guard

import (
	"sync"
	"time"
)

// Bounds of how often a link or a token may search: each search is a record
// that stays. The first ones are free, because the page of a link asks for each
// series.
const (
	searchRate  = 10 // a second
	searchBurst = 500
	searchKeys  = 4096 // told apart
)

// rate bounds how often something happens for each key. Safe for concurrent use.
type rate struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]*allowance
}

// allowance is how many are left, at a time.
type allowance struct {
	left float64
	at   time.Time
}

func newRate(now func() time.Time) *rate { return &rate{now: now, seen: map[string]*allowance{}} }

// take says whether one more may happen now, and counts it: searchBurst at once, and
// searchRate a second in the long run.
func (r *rate) take(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	a := r.find(key, now)

	a.left = min(searchBurst, a.left+max(now.Sub(a.at), 0).Seconds()*searchRate)
	a.at = now
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}

// find finds the allowance of a key, and makes it where there is none. Called with
// mu held.
func (r *rate) find(key string, now time.Time) *allowance {
	if a := r.seen[key]; a != nil {
		return a
	}

	if len(r.seen) >= searchKeys {
		r.forget(now)
	}
	if len(r.seen) >= searchKeys {
		key = "" // too many to tell apart: they share one
		if a := r.seen[key]; a != nil {
			return a
		}
	}

	a := &allowance{left: searchBurst, at: now}
	r.seen[key] = a
	return a
}

// forget drops those that have all of theirs again.
func (r *rate) forget(now time.Time) {
	for k, a := range r.seen {
		if now.Sub(a.at).Seconds()*searchRate+a.left >= searchBurst {
			delete(r.seen, k)
		}
	}
}
