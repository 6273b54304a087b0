package guard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// doorAPI is the way in of the JSON API, as it stands in the record.
const doorAPI = audit.DoorAPI

// API is the multiplexer of the JSON API. Each route passes the guard: it is
// registered with the verb that policy judges, or as one's own affair of
// somebody who is signed in. The routes by which people sign in are the
// guard's own and the only ones without. Safe for concurrent use once all
// routes are registered.
type API struct {
	g      *Guard
	mux    *http.ServeMux
	verbs  map[string]policy.Verb // of a pattern; empty: one's own affair
	proven map[string]bool        // patterns that need a second factor of late
	costs  map[string]int64       // bytes that requests to patterns hold, where they are many
	public *http.ServeMux         // to sign in
	opened []string               // patterns of public
}

// Handler answers one request. What it returns is sent as JSON, nil as 204; an
// error by its kind.
type Handler func(rq *Request) (any, error)

// NewAPI makes the multiplexer with the routes to sign in.
func (g *Guard) NewAPI() *API {
	a := &API{g: g, mux: http.NewServeMux(), verbs: map[string]policy.Verb{}, proven: map[string]bool{}, costs: map[string]int64{}, public: http.NewServeMux()}
	a.signInRoutes()
	a.setUpRoutes()
	return a
}

// Handle registers a route for whoever may do verb. pattern is that of
// http.ServeMux with a method. A request whose query has other parameters than
// those named is refused, here and in the other ways to register a route.
func (a *API) Handle(pattern string, verb policy.Verb, h Handler, parameters ...string) {
	if verb == "" {
		panic("guard: the route " + pattern + " has no verb")
	}
	a.add(pattern, verb, h, parameters)
}

// Own registers a route about the caller's own affairs. It takes a session and
// no token: a token must not make others or change how its owner signs in.
func (a *API) Own(pattern string, h Handler, parameters ...string) {
	a.add(pattern, "", h, parameters)
}

func (a *API) add(pattern string, verb policy.Verb, h Handler, parameters []string) {
	a.verbs[pattern] = verb
	a.mux.HandleFunc(pattern, a.run(pattern, h, parameters))
}

// open registers a route to sign in, which takes no credentials.
func (a *API) open(pattern string, h Handler, parameters ...string) {
	a.opened = append(a.opened, pattern)
	a.public.HandleFunc(pattern, a.run(pattern, h, parameters))
}

// Routes lists the patterns of all routes but those to sign in.
func (a *API) Routes() []string {
	return slices.Sorted(maps.Keys(a.verbs))
}

// OpenRoutes lists the patterns of the routes to sign in, which take no credentials.
func (a *API) OpenRoutes() []string { return slices.Sorted(slices.Values(a.opened)) }

type requestKey struct{}

// run runs a handler with the Request that ServeHTTP made, where the route knows
// all parameters of its query and there is memory for it.
func (a *API) run(pattern string, h Handler, parameters []string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		rq := r.Context().Value(requestKey{}).(*Request)
		rq.r = r
		if err := rq.known(parameters); err != nil {
			rq.answer(nil, err)
			return
		}

		done, err := rq.reserve(a.cost(pattern))
		if err != nil {
			rq.answer(nil, err)
			return
		}
		defer done()
		rq.answer(h(rq))
	}
}

// errCrossOrigin is for a request that a page of another origin made a browser send.
var errCrossOrigin = fault.New(fault.Denied, "guard: a page of another origin may not do this")

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, address := r.Context(), webAddress(r)
	rq := &Request{g: a.g, w: w, r: r, address: address}
	defer func() {
		if p := recover(); p != nil {
			a.g.Log.Error("panic in a request", "door", doorAPI, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			rq.fail(http.StatusInternalServerError, errInternal)
		}
	}()
	if err := a.g.origins.Check(r); err != nil {
		a.g.refused(ctx, audit.Peer{Address: address}, doorAPI, "a page of another origin sent this")
		rq.fail(http.StatusForbidden, errCrossOrigin)
		return
	}
	has, err := a.g.hasAdministrator(ctx)
	if err != nil {
		rq.answer(nil, err)
		return
	}
	if !has && !strings.HasPrefix(r.URL.Path, setUpPath) {
		rq.answer(nil, errNoAdministrator)
		return
	}
	rq.r = r.WithContext(context.WithValue(ctx, requestKey{}, rq))
	if _, pattern := a.public.Handler(r); pattern != "" {
		a.public.ServeHTTP(w, rq.r)
		return
	}
	a.guarded(rq)
}

// guarded lets a request through that needs credentials. Who has none learns
// nothing of which addresses exist.
func (a *API) guarded(rq *Request) {
	ctx, r := rq.r.Context(), rq.r
	c, err := a.g.authenticateWeb(ctx, r, rq.address, doorAPI)
	if err == nil && c.session != nil && !c.session.Complete {
		err = errHalf
	}
	switch {
	case errors.Is(err, errTwoCredentials):
		a.g.refused(ctx, audit.Peer{Address: rq.address}, doorAPI, "two credentials at once")
		rq.fail(http.StatusBadRequest, err)
		return
	case fault.Of(err) == fault.Denied:
		a.g.refused(ctx, audit.Peer{Address: rq.address}, doorAPI, "no credentials that count")
		rq.unauthenticated(err)
		return
	case err != nil:
		rq.answer(nil, err)
		return
	}
	rq.c = c
	h, pattern := a.mux.Handler(r)
	if pattern == "" {
		rq.lost(h)
		return
	}
	if !a.allowed(rq, a.verbs[pattern], pattern) {
		rq.fail(http.StatusForbidden, errForbidden)
		return
	}
	if !a.g.admitWeb(c, r.RemoteAddr) {
		rq.answer(nil, errCrowded)
		return
	}
	if a.proven[pattern] && rq.proof() != nil {
		rq.answer(nil, errProof)
		return
	}
	a.mux.ServeHTTP(rq.w, r.WithContext(identityContext(ctx, c)))
}

var errForbidden = fault.New(fault.Denied, "guard: you may not do this; an administrator can say why: collimator audit tail")

// allowed judges a route, and records a refusal.
func (a *API) allowed(rq *Request, verb policy.Verb, pattern string) bool {
	reason := "a token may not do this, only a person who is signed in"
	if verb == "" && rq.c.session != nil {
		return true
	}
	if verb != "" {
		d := a.g.decide(rq.c, policy.Request{Verb: verb})
		if d.Allow {
			rq.c.rule = d.Reason
			rq.c.sight = d.Sight
			return true
		}
		reason = d.Reason
	}
	r := rq.c.entry(audit.SecurityAlert, audit.Execute, audit.MinorFailure, reason)
	r.Objects = append(r.Objects, audit.Object{Detail: pattern})
	a.g.refusedCaller(rq.r.Context(), rq.c, r)
	return false
}
