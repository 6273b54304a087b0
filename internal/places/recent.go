package places

import (
	"container/list"
	"sync"
	"time"
)

// Recent remembers keys for some time after they were last used. Where it is full
// the one that was used longest ago gives way. Safe for concurrent use.
type Recent[K comparable] struct {
	most int
	keep time.Duration

	mu    sync.Mutex
	at    map[K]*list.Element
	order list.List // of used[K], the one used longest ago in front
}

// used is a key and when it was last used.
type used[K comparable] struct {
	key K
	at  time.Time
}

// NewRecent remembers at most so many keys, each for so long.
func NewRecent[K comparable](most int, keep time.Duration) *Recent[K] {
	return &Recent[K]{most: most, keep: keep, at: map[K]*list.Element{}}
}

// Use remembers a key from now on.
func (r *Recent[K]) Use(key K, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if place := r.at[key]; place != nil {
		place.Value = used[K]{key: key, at: now}
		r.order.MoveToBack(place)
		return
	}

	if len(r.at) >= r.most {
		oldest := r.order.Front()
		delete(r.at, oldest.Value.(used[K]).key)
		r.order.Remove(oldest)
	}

	r.at[key] = r.order.PushBack(used[K]{key: key, at: now})
}

// Has reports a key that was used of late.
func (r *Recent[K]) Has(key K, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	place := r.at[key]
	return place != nil && now.Sub(place.Value.(used[K]).at) < r.keep
}

// Len is how many are remembered.
func (r *Recent[K]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.at)
}
