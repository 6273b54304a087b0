package guard

import (
	"sync"
	"time"
)

// presence is when each registered device was last let in, since the server was started: who
// waits for the first call of a device asks it, and the trail has the rest. It holds no more than
// there are devices. Safe for concurrent use.
type presence struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (p *presence) note(aeTitle string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[string]time.Time{}
	}
	p.last[aeTitle] = at
}

// LastAdmitted is when a device was last let in, since the server was started; zero: it was not.
func (g *Guard) LastAdmitted(aeTitle string) time.Time {
	g.present.mu.Lock()
	defer g.present.mu.Unlock()
	return g.present.last[aeTitle]
}
