package gate

import (
	"bytes"
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/phrase"
	"collimator/internal/state"
)

// watchEvery is how often the file is looked at where Options.Every says nothing. What
// two looks have seen alike counts, so that a file is not taken up while it is being
// written.
const watchEvery = 500 * time.Millisecond

// watched is the file as it was seen.
type watched struct {
	taken []byte // what is in force
	seen  []byte // at the last look
	bad   bool   // what was seen cannot be in force
}

// begin takes up the file as it is.
func (g *Gate) begin() error {
	text, err := readFile(g.File)
	if err != nil {
		return err
	}
	routes, err := parseFile(g.File, text)
	if err != nil {
		return err
	}

	g.watched = watched{taken: text, seen: text}
	g.take(routes)
	Tell(g.States, routes)
	TellLearning(g.States, routes, g.Now())
	return nil
}

// Run takes up changes of the file, within two seconds, until ctx ends. A file that
// cannot be understood changes nothing.
func (g *Gate) Run(ctx context.Context) {
	ticker := time.NewTicker(cmp.Or(g.Every, watchEvery))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			g.look()
			g.lookUp(ctx)
			TellLearning(g.States, g.Routes(), g.Now()) // it ends by itself
		}
	}
}

// look looks at the file once.
func (g *Gate) look() {
	w := &g.watched
	text, err := readFile(g.File)
	if err != nil {
		g.tellBad(err)
		return
	}

	settled := bytes.Equal(text, w.seen)
	w.seen = text
	if !settled || !w.bad && bytes.Equal(text, w.taken) {
		return
	}

	routes, err := parseFile(g.File, text)
	if err != nil {
		g.tellBad(err)
		return
	}
	w.taken = text
	w.bad = false
	g.take(routes)
	Tell(g.States, routes)
}

// StatePart is the state of the routes.
const StatePart = "gate.routes"

// tellBad says that the file was not taken up.
func (g *Gate) tellBad(err error) {
	g.watched.bad = true
	g.States.Failing(StatePart, inWords(err)+"; the routes from before go on", mend)
}

// inWords is what is wrong with the file, which may begin with its name: that stays as
// it is spelt.
func inWords(err error) string { return strings.TrimPrefix(fault.Text(err), "gate: ") }

const mend = "mend the file; 'collimator config check' says when it is right"

// Examine sets the state of the routes where no server runs that has them.
func Examine(path string, states *state.Register, now time.Time) {
	routes, err := Load(path)
	if err != nil {
		states.Failing(StatePart, inWords(err), mend)
		return
	}
	Tell(states, routes)
	TellLearning(states, routes, now)
}

// Tell says how routes are: one that is closed is somebody's to reopen, or to remove.
func Tell(states *state.Register, routes []Route) {
	var closed []string
	for _, r := range routes {
		if r.Closed {
			closed = append(closed, r.Name)
		}
	}

	text := phrase.Count(len(routes), "route", "routes")
	switch {
	case len(routes) == 0:
		states.Forget(StatePart)
	case len(closed) > 0:
		states.Degraded(StatePart, text+"; nobody is let through "+strings.Join(closed, ", "),
			"'collimator gate reopen NAME', or 'collimator gate remove NAME' where it is not needed any more")
	default:
		states.Well(StatePart, text)
	}
}

// take puts routes in place of those before, of every kind. What did not change goes on as it is; what
// did serves its next request by what is new; what is closed or gone ends at once.
func (g *Gate) take(routes []Route) {
	g.mu.Lock()
	next := make(map[string]*route, len(routes))
	for _, r := range routes {
		if r.block() == nil {
			next[r.Name] = g.newRoute(r, g.routes[r.Name])
		}
	}

	for name, old := range g.routes {
		if next[name] == nil {
			g.States.Forget(systemPart(name))
		}
		if r := next[name]; r == nil || r.pool != old.pool {
			go old.pool.Close() // waits for nobody who asks
		}
	}
	changed := differences(g.all, routes)
	g.all = routes
	g.routes = next
	ended := g.open.Of(func(name string) bool { return next[name] == nil || next[name].Closed })
	g.mu.Unlock()

	g.hand(routes)
	kind.AbortAll(ended)
	if len(changed) > 0 {
		g.Log.Info("routes of the gate taken up", "changed", strings.Join(changed, ", "), "ended", len(ended))
	}
}

// differences names the routes that are not as they were.
func differences(before, now []Route) (list []string) {
	for _, r := range now {
		i := indexOf(before, r.Name)
		switch {
		case i < 0 && r.Closed:
			list = append(list, r.Name+" (closed)")
		case i < 0:
			list = append(list, r.Name+" (new)")
		case r.Closed != before[i].Closed && r.Closed:
			list = append(list, r.Name+" (closed)")
		case r.Closed != before[i].Closed:
			list = append(list, r.Name+" (open again)")
		case !reflect.DeepEqual(r, before[i]):
			list = append(list, r.Name)
		}
	}
	for _, r := range before {
		if indexOf(now, r.Name) < 0 {
			list = append(list, r.Name+" (removed)")
		}
	}
	slices.Sort(list)
	return list
}
