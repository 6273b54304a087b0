package gate

import (
	"io"
	"sync"
	"time"

	"collimator/internal/upstream"
)

// While others wait for an association to a system behind, whoever has one moves at least
// paceLeast bytes a second in the time in which nothing but it is waited for. That is looked at
// each paceEvery.
const (
	paceEvery = 10 * time.Second
	paceLeast = 64 << 10
)

// pace measures how long a caller keeps an association to a system behind waiting. Safe
// for concurrent use.
type pace struct {
	every time.Duration

	mu     sync.Mutex
	since  time.Time // when the wait began that is not over; zero without one
	waited time.Duration
	moved  int64
}

// wait runs what may have to wait for the caller, and counts what it moves.
func (p *pace) wait(move func() (int, error)) (int, error) {
	p.mu.Lock()
	p.since = time.Now()
	p.mu.Unlock()

	n, err := move()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waited += time.Since(p.since)
	p.since = time.Time{}
	p.moved += int64(n)
	return n, err
}

// matchSize is what a match counts for, in bytes.
const matchSize = 1 << 10

// takes is wait for a match.
func (p *pace) takes(match func() bool) (going bool) {
	_, _ = p.wait(func() (int, error) {
		going = match()
		return matchSize, nil
	})
	return going
}

// slow reports that nearly all of the time since the last call was spent waiting for next to
// nothing.
func (p *pace) slow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.since.IsZero() {
		p.waited += now.Sub(p.since)
		p.since = now
	}

	slow := p.waited > p.every*4/5 && float64(p.moved) < paceLeast*p.every.Seconds()
	p.waited = 0
	p.moved = 0
	return slow
}

// watch ends a lease when the caller is slow while others wait for its place, until end is
// called: whatever runs on it fails then.
func (p *pace) watch(lease *upstream.Lease) (end func()) {
	over := make(chan struct{})
	go func() { // ends with end
		ticker := time.NewTicker(p.every)
		defer ticker.Stop()
		for {
			select {
			case <-over:
				return
			case <-ticker.C:
			}
			if slow := p.slow(); slow && lease.Wanted() {
				lease.Drop()
				return
			}
		}
	}()
	return func() { close(over) }
}

// pacedReader reads what a caller sends.
type pacedReader struct {
	*pace
	r io.Reader
}

// Read implements io.Reader.
func (r pacedReader) Read(b []byte) (int, error) {
	return r.wait(func() (int, error) { return r.r.Read(b) })
}

// pacedWriter writes what a caller takes.
type pacedWriter struct {
	*pace
	w io.Writer
}

// Write implements io.Writer.
func (w pacedWriter) Write(b []byte) (int, error) {
	return w.wait(func() (int, error) { return w.w.Write(b) })
}
