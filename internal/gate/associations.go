package gate

import (
	"cmp"
	"sync"

	"collimator/dimse"
)

// associations are those that are open, by route: those of callers, and those on which
// the system behind sends.
type associations map[string]map[*dimse.Association]struct{}

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

	if g.open[name] == nil {
		g.open[name] = map[*dimse.Association]struct{}{}
	}
	g.open[name][a] = struct{}{}
	return true, false
}

func (g *Gate) leave(name string, a *dimse.Association) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open[name], a)
	if len(g.open[name]) == 0 {
		delete(g.open, name)
	}
}

// without are the associations that no route lets through.
func (open associations) without(routes map[string]*route) (list []*dimse.Association) {
	for name, of := range open {
		if r := routes[name]; r != nil && !r.Closed {
			continue
		}
		for a := range of {
			list = append(list, a)
		}
	}
	return list
}

// abortAll aborts associations, all at a time: a peer that does not read holds up no
// other.
func abortAll(list []*dimse.Association) {
	var all sync.WaitGroup
	for _, a := range list {
		all.Go(a.Abort)
	}
	all.Wait()
}
