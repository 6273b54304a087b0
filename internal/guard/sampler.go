package guard

import (
	"sync"
	"time"
)

// Bounds of the sampler: of each key the first sampleBurst in a sampleWindow
// are written, and at most sampleKeys keys are told apart.
const (
	sampleBurst  = 10
	sampleWindow = time.Minute
	sampleKeys   = 4096
)

// sampler thins out records that a peer can cause at will, so that a flood
// costs neither disk nor time. Safe for concurrent use.
type sampler struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]*sample
}

type sample struct {
	start   time.Time
	taken   int
	dropped int
}

func newSampler(now func() time.Time) *sampler {
	return &sampler{now: now, seen: map[string]*sample{}}
}

// take says whether to write one with this key, and how many were left out
// since the last that was written.
func (s *sampler) take(key string) (before int, write bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	e, ok := s.seen[key]
	if !ok {
		if len(s.seen) >= sampleKeys {
			s.forget(now)
		}
		if len(s.seen) >= sampleKeys {
			key = "" // too many to tell apart: they share one
			e = s.seen[key]
		}
		if e == nil {
			e = &sample{start: now}
			s.seen[key] = e
		}
	}
	if now.Sub(e.start) >= sampleWindow {
		e.start, e.taken = now, 0
	}
	if e.taken >= sampleBurst {
		e.dropped++
		return 0, false
	}
	e.taken++
	before, e.dropped = e.dropped, 0
	return before, true
}

// forget drops the keys whose window is over and that hold no count.
func (s *sampler) forget(now time.Time) {
	for k, e := range s.seen {
		if now.Sub(e.start) >= sampleWindow && e.dropped == 0 {
			delete(s.seen, k)
		}
	}
}
