package guard

import (
	"context"
	"errors"
	"net/http"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// doorAPI is the way in of the JSON API, as it stands in the record.
const doorAPI = audit.DoorAPI

// APICall is a request to the JSON API at the door.
type APICall struct {
	Request *http.Request
	Route   Route
	// Lost is the answer where there is no such route, else nil. Who has no
	// credentials is not told.
	Lost error
	// Inspect looks at what the request says, as far as the route knows it.
	Inspect func() error
}

// Route is what the door knows of a route of the API.
type Route struct {
	Pattern string      // as http.ServeMux has it
	Verb    policy.Verb // that policy judges; empty: one's own affair, for a session and no token
	Proven  bool        // needs a second factor that was shown of late
	Open    bool        // to sign in: takes no credentials
	Anybody bool        // shows nothing of this installation: for whoever has credentials that count
	Lasts   bool        // goes on until the caller leaves, or does not count any more
	SetUp   bool        // answers before there is an administrator
	Holds   int64       // bytes that a request holds, where they are many
	// Study is the Study Instance UID in the path, where policy judges about that study, as with DICOMweb: what leaves
	// is as guard.Sight says.
	Study string
}

// InterceptAPI stands between a request to the API and its handler. It gives the
// refusal; nil where next has run and answered.
func (g *Guard) InterceptAPI(ctx context.Context, call *APICall, next func(ctx context.Context, c *Caller)) error {
	return pass(ctx, &apiWay{g: g, call: call, next: next, address: RemoteAddress(call.Request)})
}

// apiWay is a request to the API. What it answers is the error of a refusal.
type apiWay struct {
	g       *Guard
	call    *APICall
	next    func(context.Context, *Caller)
	address string
}

var _ way[error] = (*apiWay)(nil)

func (w *apiWay) authenticate(ctx context.Context) (*Caller, error) {
	if err := w.g.Precheck(ctx, w.call.Request, w.call.Route.SetUp); err != nil {
		return nil, err
	}
	if w.call.Route.Open {
		return stranger(w.address), nil
	}

	c, err := w.g.authenticateWhole(ctx, w.call.Request, w.address, doorAPI)
	switch {
	case errors.Is(err, errTwoCredentials):
		w.g.recordRefusedStranger(ctx, audit.Peer{Address: w.address}, doorAPI, "two credentials at once")
	case fault.Of(err) == fault.Denied:
		w.g.recordRefusedStranger(ctx, audit.Peer{Address: w.address}, doorAPI, "no credentials that count")
		err = &UnauthenticatedError{err}
	}
	return c, err
}

func (w *apiWay) authorise(ctx context.Context, c *Caller) error {
	route := w.call.Route
	switch {
	case route.Open:
		return nil
	case w.call.Lost != nil: // who has credentials may know which addresses exist
		return w.call.Lost
	}

	if err := w.g.judgeAPI(ctx, c, route); err != nil {
		return err
	}
	if route.Proven {
		return w.g.Proof(c)
	}
	return nil
}

func (w *apiWay) limit(ctx context.Context, c *Caller) error {
	if !w.call.Route.Open && !w.g.admitWeb(c, w.call.Request.RemoteAddr) {
		return errCrowded
	}
	if err := w.g.Keeper.Ready(); err != nil && shows(w.call.Route.Verb) {
		return err
	}
	return w.g.openAPI(ctx, c, w.call.Route)
}

func (w *apiWay) inspect(context.Context, *Caller) error { return w.call.Inspect() }

func (w *apiWay) act(ctx context.Context, c *Caller) error {
	if w.call.Route.Lasts {
		running, end := w.g.watchRunning(ctx, func(ctx context.Context) bool { return w.g.stillAPI(ctx, c, w.call.Route) })
		defer end()
		ctx = running
	}
	w.next(ctx, c)
	return nil
}

// stillAPI reports whether the caller of a request that goes on may. What cannot be decided
// ends it: whoever listens comes back.
func (g *Guard) stillAPI(ctx context.Context, c *Caller, route Route) bool {
	now, err := g.again(ctx, c)
	if err != nil {
		return false
	}
	if route.Anybody { // what it may hear was judged by the role that it had
		return now.owner.Role == c.owner.Role
	}
	return g.decideAPI(now, route).Allow
}

// decideAPI asks policy about a route.
func (g *Guard) decideAPI(c *Caller, route Route) policy.Decision {
	if route.Study != "" {
		return g.judgeWeb(c, policy.Request{Verb: route.Verb, Study: route.Study, Deidentified: true})
	}
	return g.decide(c, policy.Request{Verb: route.Verb})
}

// record has nothing left to do: each handler has recorded what it changed, as its
// objects (Caller.Entry), and what was only looked at is not recorded.
func (w *apiWay) record(context.Context, *Caller, error) {}

func (w *apiWay) refusal(_ context.Context, _ *Caller, err error) error { return err }

// errCrossOrigin is for a request that a page of another origin made a browser send.
var errCrossOrigin = fault.NewCode(fault.Denied, "cross-origin", "guard: a page of another origin may not do this")

// Precheck is what holds for every request to the API before anybody is known: no
// page of another origin has sent it, and there is an administrator, but for the
// routes that make the first.
func (g *Guard) Precheck(ctx context.Context, r *http.Request, setUp bool) error {
	if err := g.origins.Check(r); err != nil {
		g.recordRefusedStranger(ctx, audit.Peer{Address: RemoteAddress(r)}, doorAPI, "a page of another origin sent this")
		return errCrossOrigin
	}

	has, err := g.hasAdministrator(ctx)
	if err == nil && !has && !setUp {
		err = errNoAdministrator
	}
	return err
}

// RecordRefusal records that a stranger was not let in; a flood of like ones is
// counted, not written.
func (g *Guard) RecordRefusal(ctx context.Context, address, reason string) {
	g.recordRefusedStranger(ctx, audit.Peer{Address: address}, doorAPI, reason)
}

var errForbidden = fault.New(fault.Denied,
	"guard: you may not do this; an administrator can say why: collimator audit tail")

// judgeAPI judges about a route, and records a refusal.
func (g *Guard) judgeAPI(ctx context.Context, c *Caller, route Route) error {
	if route.Anybody || route.Verb == "" && c.session != nil {
		return nil
	}

	reason := "a token may not do this, only a person who is signed in"
	if route.Verb != "" {
		d := g.decideAPI(c, route)
		if d.Allow {
			c.rule = d.Reason
			c.sight = d.Sight
			return nil
		}
		reason = d.Reason
	}

	r := c.Entry(audit.SecurityAlert, audit.Execute, audit.MinorFailure, reason)
	r.Objects = append(r.Objects, audit.Object{Detail: route.Pattern})
	g.recordRefusedCaller(ctx, c, r)
	return errForbidden
}

// UnauthenticatedError is for who has shown nothing that counts, where something
// has to be shown. It is of the kind of its cause.
type UnauthenticatedError struct{ Err error }

// Error implements error.
func (e *UnauthenticatedError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *UnauthenticatedError) Unwrap() error { return e.Err }
