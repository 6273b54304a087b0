package gate

import (
	"cmp"

	"collimator/dimse"
)

// Opened is told of each association once it is established; what it gives is to run at
// its end. Those whose route is closed or removed are aborted. One that is of no route is
// none of the gate's.
func (g *Gate) Opened(a *dimse.Association) (ended func()) {
	name := cmp.Or(g.sender(a.Request()), a.CalledAETitle())
	switch known, closed := g.enter(name, a); {
	case !known:
		return nil
	case closed: // since it was admitted
		a.Abort()
		return nil
	}
	return func() { g.leave(name, a) }
}

// enter keeps an association with its route, where that lets anybody through.
func (g *Gate) enter(name string, a *dimse.Association) (known, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.routes[name]
	if r == nil || r.Closed {
		return r != nil, true
	}

	g.open.Add(name, a)
	return true, false
}

func (g *Gate) leave(name string, a *dimse.Association) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open.Remove(name, a)
}
