package gate

import (
	"errors"
	"fmt"

	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/outward"
)

// systemPart is the state of the system behind a route.
func systemPart(route string) string { return "gate.route." + route }

// tellSystem says how the system behind a route is, as a call to it showed: err is
// that of the call. That it is busy says nothing.
func (g *Gate) tellSystem(r *route, err error) {
	at := r.system + " at " + r.address
	rejected, isRejected := errors.AsType[*dimse.RejectError](err)
	switch {
	case err == nil:
		g.States.Well(systemPart(r.Name), at+" takes associations")
	case isRejected:
		g.States.Degraded(systemPart(r.Name), fmt.Sprintf("%s rejects an association: %s", at, rejected.Result),
			"see whether it knows the AE titles that call it: 'collimator gate show "+r.Name+"'")
	case fault.Of(err) == fault.Unavailable:
		g.States.Failing(systemPart(r.Name), at+" is not reached: "+outward.Reason(err),
			"see whether it runs, and whether the gate may reach it")
	}
}

// Usage is how a route is used now.
type Usage struct {
	Route string
	// Used are associations to the system behind in use, Kept those that wait for a like
	// request, and Waiting the requests that wait for one.
	Used, Kept, Waiting int
}

// Usage lists how the routes are used.
func (g *Gate) Usage() (list []Usage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.routes {
		used, kept, waiting := r.pool.Usage()
		list = append(list, Usage{Route: r.Name, Used: used, Kept: kept, Waiting: waiting})
	}
	return list
}
