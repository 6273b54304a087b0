package guard

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/internal/identity"
	"collimator/internal/inventory"
	"collimator/internal/lockout"
)

// Bounds of what the inventory is told: the same caller once in sightAgain, all
// refused callers together sightStrangers times in that time, and sightKeys
// callers told apart.
const (
	sightAgain     = time.Hour
	sightStrangers = 200
	sightKeys      = 4096
)

// sightings thins out what the inventory is told, so that an association costs
// no write and strangers no disk. Safe for concurrent use.
type sightings struct {
	now func() time.Time

	mu        sync.Mutex
	start     time.Time
	told      map[string]bool
	strangers int
}

func newSightings(now func() time.Time) *sightings {
	return &sightings{now: now, told: map[string]bool{}}
}

// take says whether to tell of a caller. All is forgotten when the time is over.
func (s *sightings) take(key string, stranger bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.start) >= sightAgain {
		s.start = now
		s.strangers = 0
		clear(s.told)
	}

	switch {
	case s.told[key], len(s.told) >= sightKeys, stranger && s.strangers >= sightStrangers:
		return false
	case stranger:
		s.strangers++
	}
	s.told[key] = true
	return true
}

// sight tells the inventory who called. What it cannot keep is an error in the
// log and not the caller's.
func (g *Guard) sight(ctx context.Context, rq *dimse.AssociateRequest, claim identity.Caller, source inventory.Source) {
	address := claim.Address.Unmap()
	stranger := source == inventory.Refused
	if g.Inventory == nil || !address.IsValid() || stranger && address.IsLoopback() {
		return
	}
	key := string(source) + "\x00" + address.String() + "\x00"
	if stranger {
		key = string(source) + "\x00" + lockout.Origin(address.String()) // whatever it calls itself
	} else {
		key += rq.CallingAETitle + "\x00" + rq.ImplementationVersionName
	}
	if !g.sighted.take(key, stranger) {
		return
	}
	o := inventory.Observation{Source: source, Addresses: []netip.Addr{address}, AETitles: []string{rq.CallingAETitle}}
	if address.IsLoopback() {
		// Programs of this machine share the address; the title was proven.
		o.Record = "door:" + rq.CallingAETitle
	}
	if rq.ImplementationClassUID != "" {
		o.Implementations = []string{rq.ImplementationClassUID + " " + rq.ImplementationVersionName}
	}
	if _, err := g.Inventory.Observe(context.WithoutCancel(ctx), o); err != nil {
		g.Log.Error("caller not noted in the inventory", "error", err)
	}
}
