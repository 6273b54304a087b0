package kind

import (
	"context"
	"sync"
	"time"
)

// Listening is how routes of a kind are listened for: R is a route, L what listens for one. All but Retry
// are needed. Named, Goes and Start are called one at a time, and ask nothing of the listeners.
type Listening[R any, L interface{ Close() }] struct {
	// Named is the name of a route; open is false of one that is closed.
	Named func(r R) (name string, open bool)
	// Goes reports whether what listens goes on with a route as it is now, which is its route from then on.
	Goes func(l L, r R) bool
	// Start begins to listen; ok is false where that cannot be now, which it tells by itself.
	Start func(r R) (l L, ok bool)
	// Ended is told the name of a route for which nothing listens any more.
	Ended func(name string)
	// Retry is how often a listener that cannot be had is tried again; 0 is 2 s.
	Retry time.Duration
}

// Listeners come and go with the file of the routes. Safe for concurrent use.
type Listeners[R any, L interface{ Close() }] struct {
	how  Listening[R, L]
	wake chan struct{}

	mu      sync.Mutex
	running bool // Run runs: only then anything listens
	wanted  []R
	open    map[string]L // by name of the route
}

// NewListeners makes listeners without routes. Nothing listens until Run runs.
func NewListeners[R any, L interface{ Close() }](how Listening[R, L]) *Listeners[R, L] {
	if how.Retry <= 0 {
		how.Retry = 2 * time.Second
	}
	return &Listeners[R, L]{how: how, wake: make(chan struct{}, 1), open: map[string]L{}}
}

// Take puts routes in place of those before. What is closed, gone, or another one ends at once.
func (x *Listeners[R, L]) Take(routes []R) {
	for name, l := range x.replace(routes) {
		l.Close()
		x.how.Ended(name)
	}
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// replace gives the listeners that have no route any more.
func (x *Listeners[R, L]) replace(routes []R) map[string]L {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wanted = routes
	goes := map[string]bool{}
	for _, r := range routes {
		name, open := x.how.Named(r)
		if l, have := x.open[name]; have && open {
			goes[name] = x.how.Goes(l, r)
		}
	}

	ended := map[string]L{}
	for name, l := range x.open {
		if !goes[name] {
			ended[name] = l
			delete(x.open, name)
		}
	}
	return ended
}

// Run has listeners for the routes until ctx ends; then all of them are closed.
func (x *Listeners[R, L]) Run(ctx context.Context) {
	x.setRunning(true)
	defer x.Close()
	ticker := time.NewTicker(x.how.Retry)
	defer ticker.Stop()
	for {
		x.listen()
		select {
		case <-ctx.Done():
			return
		case <-x.wake:
		case <-ticker.C:
		}
	}
}

func (x *Listeners[R, L]) setRunning(running bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.running = running
}

// Close closes all listeners and what came through them.
func (x *Listeners[R, L]) Close() {
	x.setRunning(false)
	x.Take(nil)
}

// listen opens the listeners that are missing.
func (x *Listeners[R, L]) listen() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.running {
		return
	}

	for _, r := range x.wanted {
		name, open := x.how.Named(r)
		if _, have := x.open[name]; !open || have {
			continue
		}
		if l, ok := x.how.Start(r); ok {
			x.open[name] = l
		}
	}
}

// Of is what listens for a route; ok is false where nothing does.
func (x *Listeners[R, L]) Of(name string) (l L, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l, ok = x.open[name]
	return l, ok
}

// All is what listens, in no order.
func (x *Listeners[R, L]) All() (list []L) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.open {
		list = append(list, l)
	}
	return list
}
