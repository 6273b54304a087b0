// Package budget bounds what all requests together make the server hold. There
// is one Budget in a server. Whoever is going to hold memory for a request opens
// an Account for it, takes from it before the work, and closes it after.
//
// A holder, which is a principal or an address, may have no more than is left
// free for everybody else: one alone gets up to half, two at a time a third
// each. So there is always something left for the next one, without places that
// stand empty while nobody needs them.
package budget

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"collimator/internal/fault"
)

// Budget is a number of bytes that accounts share. Safe for concurrent use.
type Budget struct {
	total int64

	mu    sync.Mutex
	held  int64
	by    map[string]int64 // by holder
	queue list.List        // of *waiter, the first to come in front
	most  int64            // that was ever held
}

// waiter is an account that waits for its turn.
type waiter struct {
	account *Account
	n       int64
	answer  chan error // of one place: nil where it was granted
	yields  bool       // it has kept others waiting for long enough
}

// New makes a budget of so many bytes.
func New(total int64) *Budget { return &Budget{total: total, by: map[string]int64{}} }

// Usage is what a budget stands at, in bytes.
type Usage struct {
	Total, Held, Most int64 // Most is the most that was held since the start
	Waiting           int   // accounts whose turn has not come
}

// Usage says what is held now.
func (b *Budget) Usage() Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Usage{Total: b.total, Held: b.held, Most: b.most, Waiting: b.queue.Len()}
}

// Most is the most that one holder can ever have.
func (b *Budget) Most() int64 { return b.total / 2 }

// Account is what one request holds. Safe for concurrent use. A nil Account has
// no bound and counts nothing: it is that of a command, which works for the one
// who started it.
type Account struct {
	b       *Budget
	holders []string
	request *request
	held    int64 // guarded by b.mu
	closed  bool
}

// request is what an account and its pieces hold together. While one of them
// waits, none of it is given back.
type request struct{ held int64 }

// Open opens an account in the name of its holders, such as a principal and an
// address; each of them must have the room for it. An account with no holder is
// bounded by the total alone.
func (b *Budget) Open(holders ...string) *Account {
	slices.Sort(holders)
	return &Account{b: b, holders: slices.Compact(holders), request: &request{}}
}

// Piece opens another account in the name of the same holders, for a piece of
// work that is over before the request is.
func (a *Account) Piece() *Account {
	if a == nil {
		return nil
	}
	return &Account{b: a.b, holders: a.holders, request: a.request}
}

// Common is Piece in nobody's name: for work of which there is one at a time, and
// which may therefore take what is free whoever it is done for.
func (a *Account) Common() *Account {
	if a == nil {
		return nil
	}
	return &Account{b: a.b, request: a.request}
}

// most is how much the request of an account may ever have.
func (a *Account) most() int64 {
	if len(a.holders) == 0 {
		return a.b.total
	}
	return a.b.Most()
}

// Grow takes n more bytes at once, or none and says why: fault.TooLarge where
// the account would have more than one holder can ever have, fault.Busy where
// there is no room for it now. It implements dicom.Account.
func (a *Account) Grow(n int64) error {
	if a == nil {
		return nil
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()

	if a.request.held+n > a.most() {
		return a.tooLarge(a.request.held + n)
	}
	if !a.fits(n) {
		return a.busy()
	}

	a.take(n)
	return nil
}

// Reserve takes n bytes and waits for its turn if there is no room for them
// now. An account that holds something itself does not wait, and of requests that
// hold something and wait for each other the last is told fault.Busy. It ends with
// the cause of ctx.
func (a *Account) Reserve(ctx context.Context, n int64) error {
	if a == nil {
		return nil
	}

	a.b.mu.Lock()
	if a.request.held+n > a.most() {
		defer a.b.mu.Unlock()
		return a.tooLarge(a.request.held + n)
	}

	if a.held > 0 {
		a.b.mu.Unlock()
		return a.Grow(n)
	}

	if a.fits(n) && !a.b.before(a) {
		a.take(n)
		a.b.mu.Unlock()
		return nil
	}

	w := &waiter{account: a, n: n, answer: make(chan error, 1)}
	place := a.b.queue.PushBack(w)
	a.b.untangle()
	a.b.mu.Unlock()

	turn := time.NewTimer(turnMost)
	defer turn.Stop()
	for waits := true; waits; {
		select {
		case err := <-w.answer:
			return err
		case <-turn.C:
			a.b.pass(w)
		case <-ctx.Done():
			waits = false
		}
	}

	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	select {
	case <-w.answer: // at the same moment: what was granted is given back with the account
	default:
		a.b.queue.Remove(place)
		a.b.wake() // who waited behind it may have room
	}
	return context.Cause(ctx)
}

// Shrink gives n bytes back before the account is closed.
func (a *Account) Shrink(n int64) {
	if a == nil {
		return
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	a.give(min(n, a.held))
}

// Close gives everything back. More than one Close is one.
func (a *Account) Close() {
	if a == nil {
		return
	}
	a.b.mu.Lock()
	defer a.b.mu.Unlock()

	a.closed = true
	a.give(a.held)
}

// fits reports that n more bytes leave as much free as each holder then has.
// Called with b.mu held.
func (a *Account) fits(n int64) bool {
	free := a.b.total - a.b.held - n
	if free < 0 || a.closed {
		return false
	}

	for _, h := range a.holders {
		if a.b.by[h]+n > free {
			return false
		}
	}
	return true
}

// take counts n bytes. Called with b.mu held.
func (a *Account) take(n int64) {
	a.held += n
	a.request.held += n
	a.b.held += n
	a.b.most = max(a.b.most, a.b.held)
	for _, h := range a.holders {
		a.b.by[h] += n
	}
}

// give counts n bytes back and lets in who waits. Called with b.mu held.
func (a *Account) give(n int64) {
	if n == 0 {
		return
	}
	a.held -= n
	a.request.held -= n
	a.b.held -= n

	for _, h := range a.holders {
		a.b.by[h] -= n
		if a.b.by[h] == 0 {
			delete(a.b.by, h)
		}
	}

	a.b.wake()
	a.b.untangle()
}

// before reports that somebody waits whose turn comes before this account's: of
// another holder too, or what is small would always pass by what is large.
// Called with b.mu held.
func (b *Budget) before(a *Account) bool {
	for place := b.queue.Front(); place != nil; place = place.Next() {
		w := place.Value.(*waiter)
		if !w.yields && (w.account.sharesHolder(a) || w.account.roomBy()) {
			return true
		}
	}
	return false
}

// turnMost is how long one that waits keeps others waiting behind it. What it
// waits for may be held for hours by somebody who reads slowly; after that others
// pass by, and it goes on waiting.
const turnMost = 500 * time.Millisecond

// pass lets others by.
func (b *Budget) pass(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.yields = true
	b.wake()
}

// hasTurn reports that nobody passes by a waiter. Called with b.mu held.
func (w *waiter) hasTurn() bool { return !w.yields && w.account.roomBy() }

// roomBy reports that it is not its own holders that keep an account waiting.
// Called with b.mu held.
func (a *Account) roomBy() bool {
	for _, h := range a.holders {
		if a.b.by[h] > 0 {
			return false
		}
	}
	return true
}

func (a *Account) sharesHolder(other *Account) bool {
	return slices.ContainsFunc(a.holders, func(h string) bool { return slices.Contains(other.holders, h) })
}

// wake grants what fits, in the order of arrival. One that waits for what its
// own holder has keeps nobody else waiting. Called with b.mu held.
func (b *Budget) wake() {
	var next *list.Element
	for place := b.queue.Front(); place != nil; place = next {
		next = place.Next()
		w := place.Value.(*waiter)
		if !w.account.fits(w.n) {
			if w.hasTurn() {
				return // it is its turn: nobody passes by
			}
			continue
		}

		w.account.take(w.n)
		w.answer <- nil
		b.queue.Remove(place)
	}
}

// untangle ends the wait of the last who came where all that is held belongs to
// requests that wait: none of it would ever be given back. Called with b.mu held.
func (b *Budget) untangle() {
	for b.queue.Len() > 0 {
		waiting := map[*request]bool{}
		held := int64(0)
		for place := b.queue.Front(); place != nil; place = place.Next() {
			r := place.Value.(*waiter).account.request
			if !waiting[r] {
				waiting[r] = true
				held += r.held
			}
		}

		if held < b.held {
			return
		}

		// All that is held is held by who waits: the last of them gives up.
		last := b.queue.Back()
		w := last.Value.(*waiter)
		w.answer <- w.account.busy()
		b.queue.Remove(last)
		b.wake()
	}
}

// busy says that there is no room now. Called with b.mu held.
func (a *Account) busy() error {
	return fault.Newf(fault.Busy, "budget: the memory for requests is taken (%d of %d MiB); try again later",
		a.b.held>>20, a.b.total>>20)
}

func (a *Account) tooLarge(n int64) error {
	return fault.New(fault.TooLarge, fmt.Sprintf("budget: this needs more than the %d MiB of memory that one may take "+
		"(%d MiB asked for); limits.memory sets twice that", a.most()>>20, (n+1<<20-1)>>20))
}
