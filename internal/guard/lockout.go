package guard

import (
	"sync"
	"time"
)

// Bounds of the lock-out: after lockoutFree failures an address waits, twice as
// long with each further one.
const (
	lockoutFree  = 5
	lockoutFirst = time.Second
	lockoutMost  = 15 * time.Minute
	lockoutKeys  = 10_000
	// accountQuiet is how long an account must be left alone until its failures
	// are forgotten: who knows the password must not get through all codes.
	accountQuiet = 24 * time.Hour
)

// lockout slows down whoever guesses credentials. Safe for concurrent use.
type lockout struct {
	now   func() time.Time
	quiet time.Duration // after which failures are forgotten
	mu    sync.Mutex
	seen  map[string]*attempts
}

type attempts struct {
	failures int
	until    time.Time // locked out
	last     time.Time
}

func newLockout(now func() time.Time, quiet time.Duration) *lockout {
	return &lockout{now: now, quiet: quiet, seen: map[string]*attempts{}}
}

// allowed reports whether an address may try now.
func (l *lockout) allowed(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.seen[key]
	return a == nil || !l.now().Before(a.until)
}

// failed counts an attempt with credentials that did not count, and says how
// long the key has to wait from now on.
func (l *lockout) failed(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	a := l.seen[key]
	if a == nil {
		l.forget(now)
		if len(l.seen) >= lockoutKeys {
			key = "" // too many to tell apart: they share one
		}
		if a = l.seen[key]; a == nil {
			a = &attempts{}
			l.seen[key] = a
		}
	}
	if now.Sub(a.last) > l.quiet {
		a.failures = 0
	}
	a.failures++
	a.last = now
	if over := a.failures - lockoutFree; over > 0 {
		a.until = now.Add(min(lockoutFirst<<min(over-1, 20), lockoutMost))
		return a.until.Sub(now)
	}
	return 0
}

// succeeded forgets the failures of a key.
func (l *lockout) succeeded(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, key)
}

// wait is how long a key has to wait before it may try.
func (l *lockout) wait(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.seen[key]; a != nil {
		return max(0, a.until.Sub(l.now()))
	}
	return 0
}

// forget drops those that have been quiet, when there are many.
func (l *lockout) forget(now time.Time) {
	if len(l.seen) < lockoutKeys {
		return
	}
	for k, a := range l.seen {
		if now.Sub(a.last) > l.quiet {
			delete(l.seen, k)
		}
	}
}
