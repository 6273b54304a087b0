package guard

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
	"time"

	"collimator/internal/fault"
	"collimator/internal/lockout"
	"collimator/internal/places"
)

// Bounds of those who wait for a password to be checked, which is done one at a
// time. Strangers, those from addresses where somebody signed in before, and
// devices have places of their own.
const (
	signingMost = 16               // places of each kind
	signingWait = 10 * time.Second // for a turn
	signedMost  = 4096             // addresses where somebody signed in that are remembered
	signedFor   = 30 * 24 * time.Hour
)

var errBusy = fault.New(fault.Busy, "guard: many people sign in at this moment; try again in a few seconds")

// signTurns decides whose password is checked next. The kinds take turns, so that
// no crowd of strangers keeps a person out. Where the places are used up the origin that
// has most of them loses its oldest: an origin has no more of them than
// is fair to those that come. Safe for concurrent use.
type signTurns struct {
	known *places.Recent[string] // origins

	mu      sync.Mutex
	busy    bool
	last    int                  // the kind of the one whose turn it was last
	waiting [signKinds]list.List // of *signWaiter, in the order of arrival
	by      map[string]int       // places by origin
}

// signWaiter is one who waits for a turn.
type signWaiter struct {
	origin string
	kind   int
	answer chan error // of one place: nil where it is its turn
}

// The kinds of those who wait.
const (
	signStranger = iota
	signKnown    // from an address where somebody signed in before
	signDevice   // with the passcode of a person
	signKinds    // how many there are
)

func newSignTurns() *signTurns {
	return &signTurns{known: places.NewRecent[string](signedMost, signedFor), by: map[string]int{}}
}

// take waits for a turn of a kind in the name of an origin. The function it
// returns ends the turn. It fails with errBusy where there is no place, or the
// turn does not come in time, and with the cause of ctx.
func (s *signTurns) take(ctx context.Context, kind int, origin string) (end func(), err error) {
	w := &signWaiter{origin: origin, kind: kind, answer: make(chan error, 1)}
	place, err := s.enter(w)
	if err != nil {
		return nil, err
	}

	bound := time.NewTimer(signingWait)
	defer bound.Stop()
	select {
	case err := <-w.answer:
		if err != nil {
			return nil, err
		}
		return s.end, nil
	case <-bound.C:
		err = errBusy
	case <-ctx.Done():
		err = context.Cause(ctx)
	}

	s.leave(w, place)
	return nil, err
}

// enter finds a place for one who waits; its turn may come at once.
func (s *signTurns) enter(w *signWaiter) (*list.Element, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.busy {
		s.busy = true
		s.last = w.kind
		w.answer <- nil
		return nil, nil
	}
	if s.waiting[w.kind].Len() >= signingMost {
		loser := s.givesWay(w)
		if loser == nil {
			return nil, errBusy
		}
		s.remove(loser).answer <- errBusy
	}

	s.by[w.origin]++
	return s.waiting[w.kind].PushBack(w), nil
}

// givesWay chooses the oldest of the origin with most places, where it has more
// than the one who comes. Called with mu held.
func (s *signTurns) givesWay(w *signWaiter) *list.Element {
	var loser *list.Element
	most := s.by[w.origin]
	for place := s.waiting[w.kind].Front(); place != nil; place = place.Next() {
		if n := s.by[place.Value.(*signWaiter).origin]; n > most {
			loser = place
			most = n
		}
	}
	return loser
}

// remove takes one out of those who wait. Called with mu held.
func (s *signTurns) remove(place *list.Element) *signWaiter {
	w := place.Value.(*signWaiter)
	s.waiting[w.kind].Remove(place)
	if s.by[w.origin]--; s.by[w.origin] == 0 {
		delete(s.by, w.origin)
	}
	return w
}

// leave gives up waiting. A turn that came at the same moment goes to the next.
func (s *signTurns) leave(w *signWaiter, place *list.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case err := <-w.answer:
		if err == nil {
			s.next()
		}
	default:
		s.remove(place)
	}
}

// end is the end of a turn.
func (s *signTurns) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next()
}

// next gives the turn on: to the next kind of which somebody waits. Called with mu
// held.
func (s *signTurns) next() {
	for i := range signKinds {
		kind := (s.last + 1 + i) % signKinds
		place := s.waiting[kind].Front()
		if place == nil {
			continue
		}
		s.last = kind
		s.remove(place).answer <- nil
		return
	}
	s.busy = false
}

// Turn waits until a password may be checked or kept for who comes from an
// address. It fails with kind Busy where there is no place, or the turn does not
// come in time, and with the cause of ctx. end ends the turn.
func (g *Guard) Turn(ctx context.Context, address string) (end func(), err error) {
	origin := lockout.Origin(address)
	kind := signStranger
	if g.signing.known.Has(origin, g.Now()) {
		kind = signKnown
	}
	return g.signing.take(ctx, kind, origin)
}

// SignedIn makes the address known from where somebody signed in.
func (g *Guard) SignedIn(address string) { g.signing.known.Use(lockout.Origin(address), g.Now()) }

// RememberSignIns makes the addresses known where somebody is signed in, as after
// a restart.
func (g *Guard) RememberSignIns(ctx context.Context) error {
	addresses, err := g.Registry.SignedInFrom(ctx)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		g.signing.known.Use(lockout.Origin(address), g.Now())
		if ip, err := netip.ParseAddr(address); err == nil && g.Rooms.Web != nil {
			g.Rooms.Web.Remember(ip)
		}
	}
	return nil
}
