package scan

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// pace lets at most rate connections begin in a second, over all hosts. Safe
// for concurrent use.
type pace struct {
	mu   sync.Mutex
	gap  time.Duration
	next time.Time
}

func newPace(rate int) *pace { return &pace{gap: time.Second / time.Duration(max(rate, 1))} }

// slack is how far the clock may run ahead before somebody waits: sleeping for
// microseconds costs more than it paces.
const slack = 5 * time.Millisecond

// wait returns when the next connection may begin, a gap after the one before, or with
// the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(p.gap)
	delay := p.next.Sub(now)
	p.mu.Unlock()

	if delay < slack {
		return ctx.Err()
	}
	return sleep(ctx, delay-slack/2)
}

// sleep waits, or returns the error of the context.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// jitter is d give or take half of it.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d/2 + rand.N(d)
}
