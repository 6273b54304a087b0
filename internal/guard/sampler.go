package guard

import (
	"sync"
	"time"

	"collimator/internal/lockout"
)

// Bounds of the sampler: of each key the first sampleBurst in a sampleWindow
// are written, of all together sampleMost, and at most sampleKeys keys are told
// apart.
const (
	sampleBurst  = 10
	sampleMost   = 600
	sampleWindow = time.Minute
	sampleKeys   = 4096
)

// sampler thins out records that a peer can cause at will, so that a flood
// costs neither disk nor time. Safe for concurrent use.
type sampler struct {
	now  func() time.Time
	most int // of all keys together in a window; 0: no bound, and none is held back because there are many keys
	mu   sync.Mutex
	seen map[string]*sample
	all  sample
}

type sample struct {
	start   time.Time
	taken   int
	dropped int
}

func newSampler(now func() time.Time) *sampler {
	return &sampler{now: now, most: sampleMost, seen: map[string]*sample{}}
}

// newFaithfulSampler is for what somebody did who was let in: like records of
// one thing are joined, but nothing else, however much it is, hides it.
func newFaithfulSampler(now func() time.Time) *sampler {
	return &sampler{now: now, seen: map[string]*sample{}}
}

// take says whether to write one with this key, and how many were left out
// since the last that was written.
func (s *sampler) take(key string) (before int, write bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	e := s.find(key, now)
	if e == nil { // a faithful one that can tell no more apart hides nothing
		return 0, true
	}

	e.renew(now)
	s.all.renew(now)
	if e.taken >= sampleBurst || s.most > 0 && s.all.taken >= s.most {
		e.dropped++
		return 0, false
	}

	e.taken++
	s.all.taken++
	before = e.dropped + s.all.dropped
	e.dropped, s.all.dropped = 0, 0
	return before, true
}

// find finds the sample of a key, and makes it where there is none; nil for a
// faithful sampler that is full. Called with mu held.
func (s *sampler) find(key string, now time.Time) *sample {
	if e := s.seen[key]; e != nil {
		return e
	}

	if len(s.seen) >= sampleKeys {
		s.forget(now)
	}
	if len(s.seen) >= sampleKeys {
		if s.most == 0 {
			return nil
		}
		key = "" // too many to tell apart: they share one
		if e := s.seen[key]; e != nil {
			return e
		}
	}

	e := &sample{start: now}
	s.seen[key] = e
	return e
}

func (e *sample) renew(now time.Time) {
	if now.Sub(e.start) >= sampleWindow {
		e.start = now
		e.taken = 0
	}
}

// forget drops the keys whose window is over. What they still count goes with
// the next record, whoever's it is.
func (s *sampler) forget(now time.Time) {
	for k, e := range s.seen {
		if now.Sub(e.start) >= sampleWindow {
			s.all.dropped += e.dropped
			delete(s.seen, k)
		}
	}
}

// Repeated joins what strangers of one address can cause at will, by what it is:
// it says whether to write of it, and how many were left out since the last.
func (g *Guard) Repeated(address, what string) (before int, write bool) {
	return g.refusedStrangers.take(lockout.Origin(address) + "\x00" + what)
}
