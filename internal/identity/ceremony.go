package identity

import (
	"sync"
	"time"

	"collimator/internal/fault"
)

// Bounds of what is remembered between the two halves of a way to sign in.
const (
	ceremonyLifetime = 5 * time.Minute
	ceremonyMost     = 4096
	ceremonyOrigin   = 32 // from one address
)

// ceremonies remembers what was asked until the answer comes. Each counts once
// and for five minutes, and who begins many takes no room from others. Safe for
// concurrent use.
type ceremonies[T any] struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[string]ceremony[T]
}

type ceremony[T any] struct {
	origin string
	until  time.Time
	value  T
}

func newCeremonies[T any](now func() time.Time) *ceremonies[T] {
	return &ceremonies[T]{now: now, open: map[string]ceremony[T]{}}
}

// put remembers value under a key nobody can guess. Above the bounds the error
// is of kind Busy.
func (c *ceremonies[T]) put(key, origin string, value T) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, mine := c.now(), 0
	for k, x := range c.open {
		if !now.Before(x.until) {
			delete(c.open, k)
		} else if x.origin == origin {
			mine++
		}
	}
	if mine >= ceremonyOrigin || len(c.open) >= ceremonyMost {
		return fault.New(fault.Busy, "identity: too many attempts to sign in have begun and not ended; try again in a few minutes")
	}
	c.open[key] = ceremony[T]{origin, now.Add(ceremonyLifetime), value}
	return nil
}

// take gives back what was remembered, once.
func (c *ceremonies[T]) take(key string) (value T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, ok := c.open[key]
	delete(c.open, key)
	if !ok || !c.now().Before(x.until) {
		var zero T
		return zero, false
	}
	return x.value, true
}
