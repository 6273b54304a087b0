// Package lockout slows down whoever guesses. An attempt is taken, under the
// lock, before it is tried, and counts as failed until it is given back: nobody
// gains by trying many at the same moment. It knows keys and times, and nothing
// of what is tried.
package lockout

import (
	"context"
	"hash/maphash"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Bounds say how much a key may fail.
type Bounds struct {
	Free  int           // failures without a wait
	First time.Duration // wait after one more; twice as long with each further one
	Most  time.Duration // the longest wait
	Quiet time.Duration // after which, left alone, the failures of a key are forgotten
	Keys  int           // told apart
}

// Of a table that is full, and of attempts at one key at the same time.
const (
	shared     = 1024             // buckets for the keys that found no place
	sharedMost = 10 * time.Second // the longest wait of one: strangers share it
	looked     = 32               // keys that are looked at for one to give way
	patience   = 10 * time.Second // for the outcome of attempts that were taken before
)

// Table counts attempts by key. Safe for concurrent use.
type Table struct {
	now  func() time.Time
	b    Bounds
	seed maphash.Seed

	mu     sync.Mutex
	keys   map[string]*count
	shared map[string]*count // of those that found no place
}

// count is what is known of a key.
type count struct {
	most     time.Duration // longest wait
	failures int
	open     int           // taken and not settled
	last     time.Time     // when the last failure was taken
	settled  chan struct{} // closed when one is settled; nil while nobody waits
}

// New makes an empty table.
func New(now func() time.Time, b Bounds) *Table {
	return &Table{now: now, b: b, seed: maphash.MakeSeed(), keys: map[string]*count{}, shared: map[string]*count{}}
}

// Attempt is one that was taken. Whoever took it settles it, once, by one of
// its methods; further ones do nothing. A nil Attempt is settled.
type Attempt struct {
	t *Table
	c *count
}

// Take takes an attempt. While as many are being tried as may still fail, it
// waits for their outcome, at most ten seconds. The result is nil where the key
// has to wait, with how long.
func (t *Table) Take(ctx context.Context, key string) (*Attempt, time.Duration) {
	ctx, end := context.WithTimeout(ctx, patience)
	defer end()

	for {
		a, wait, settled := t.take(key)
		if settled == nil {
			return a, wait
		}

		select {
		case <-settled:
		case <-ctx.Done():
			return nil, t.b.First
		}
	}
}

// take is Take without waiting: settled is there where it is worth to wait for.
func (t *Table) take(key string) (a *Attempt, wait time.Duration, settled <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()

	now := t.now()
	c := t.find(key, now)
	if c.open == 0 && now.Sub(c.last) > t.b.Quiet {
		c.failures = 0
	}

	if until := c.last.Add(t.delay(c)); now.Before(until) {
		return nil, until.Sub(now), nil
	}

	if c.open > 0 && c.failures+c.open > t.b.Free {
		if c.settled == nil {
			c.settled = make(chan struct{})
		}
		return nil, 0, c.settled
	}

	c.open++
	return &Attempt{t: t, c: c}, 0, nil
}

// delay is how long a key waits after its last failure.
func (t *Table) delay(c *count) time.Duration {
	over := c.failures - t.b.Free
	if over <= 0 {
		return 0
	}
	return min(t.b.First<<min(over-1, 20), c.most)
}

// find is the count of a key. In a table that is full one that neither waits
// nor is being tried gives way. Where all of them wait, a new key shares a
// bucket with others, which has to wait like a key of its own, but never long:
// nobody can lock out whoever comes by filling the table.
func (t *Table) find(key string, now time.Time) *count {
	if c := t.keys[key]; c != nil {
		return c
	}

	if len(t.keys) >= t.b.Keys && !t.giveWay(now) {
		bucket := strconv.FormatUint(maphash.String(t.seed, key)%shared, 10)
		c := t.shared[bucket]
		if c == nil {
			c = &count{most: min(sharedMost, t.b.Most)}
			t.shared[bucket] = c
		}
		return c
	}

	c := &count{most: t.b.Most}
	t.keys[key] = c
	return c
}

// giveWay forgets, of some keys, the one that matters least.
func (t *Table) giveWay(now time.Time) bool {
	least := ""
	n := 0
	for key, c := range t.keys { // in an order that nobody can foretell
		n++
		if n > looked {
			break
		}

		if c.open > 0 || now.Before(c.last.Add(t.delay(c))) {
			continue
		}
		l := t.keys[least]
		if l == nil || c.failures < l.failures || c.failures == l.failures && c.last.Before(l.last) {
			least = key
		}
	}

	if t.keys[least] == nil {
		return false
	}

	delete(t.keys, least)
	return true
}

// Failed settles an attempt that did not count, and says how long the key has
// to wait from now on.
func (a *Attempt) Failed() time.Duration {
	wait := time.Duration(0)
	a.settle(func(c *count) {
		c.failures++
		c.last = a.t.now()
		wait = a.t.delay(c)
	})
	return wait
}

// Succeeded settles an attempt that counted: it is given back. What failed
// before still counts.
func (a *Attempt) Succeeded() { a.settle(func(*count) {}) }

// Forgive is Succeeded, and forgets what failed before: for whoever has shown
// just what was guessed.
func (a *Attempt) Forgive() { a.settle(func(c *count) { c.failures = 0 }) }

// Untried settles an attempt that was not tried, through no fault of whoever
// made it: it is given back.
func (a *Attempt) Untried() { a.settle(func(*count) {}) }

func (a *Attempt) settle(change func(*count)) {
	if a == nil {
		return
	}

	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	if a.c == nil {
		return
	}

	c := a.c
	a.c = nil
	c.open--
	change(c)

	if c.settled != nil {
		close(c.settled)
		c.settled = nil
	}
}

// Origin is the key of an address: of IPv6 the network of 64 bits, in which one
// host has as many addresses as it likes.
func Origin(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}

	a = a.Unmap()
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().String()
}
