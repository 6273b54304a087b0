// Package webapi is the multiplexer of the JSON API: routes with the verb that
// policy judges, the request as a handler sees it, and what is answered. Every
// request passes the guard. It knows no subject of its own: handlers register.
package webapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/guard"
	"collimator/internal/policy"
)

// API is the multiplexer of the JSON API. Each route passes the guard: it is
// registered with the verb that policy judges, or as one's own affair of
// somebody who is signed in. The routes by which people sign in are the only ones
// that take no credentials. Safe for concurrent use once all routes are
// registered.
type API struct {
	door   *guard.Guard
	mux    *http.ServeMux
	open   *http.ServeMux // to sign in
	routes map[string]*route
	ways   Ways
}

// Ways says how people show who they are, for the refusals that ask for it.
type Ways interface {
	// SignIn is the member of that name of a 401: the ways there are.
	SignIn(r *http.Request) any
	// Again is the member "secondFactor" of a 403 that asks c to show one again.
	Again(ctx context.Context, r *http.Request, c *guard.Caller) (any, error)
}

// Handler answers one request. What it returns is sent as JSON, a File, a Page and
// Empty as what they are, nil as 204; an error by its kind.
type Handler func(rq *Request) (any, error)

// route is a route with its handler.
type route struct {
	guard.Route
	handler    Handler
	parameters []string // of the query
	study      bool     // policy judges about the study that is {uid} in the path
	doc        *Doc     // nil until it is described
}

// New makes the multiplexer, without routes. ways may be nil: then refusals do
// not say how to sign in.
func New(door *guard.Guard, ways Ways) *API {
	return &API{door: door, ways: ways, mux: http.NewServeMux(), open: http.NewServeMux(), routes: map[string]*route{}}
}

// Handle registers a route for whoever may do verb. pattern is that of
// http.ServeMux with a method. A request whose query has other parameters than
// those named is refused, here and in the other ways to register a route.
func (a *API) Handle(pattern string, verb policy.Verb, h Handler, parameters ...string) {
	if verb == "" {
		panic("webapi: the route " + pattern + " has no verb")
	}
	a.add(a.mux, &route{Route: guard.Route{Pattern: pattern, Verb: verb}, handler: h, parameters: parameters})
}

// Own registers a route about the caller's own affairs. It takes a session and
// no token: a token must not make others or change how its owner signs in.
func (a *API) Own(pattern string, h Handler, parameters ...string) {
	a.add(a.mux, &route{Route: guard.Route{Pattern: pattern}, handler: h, parameters: parameters})
}

// Anybody registers a route that shows nothing of this installation, for whoever has
// credentials that count.
func (a *API) Anybody(pattern string, h Handler, parameters ...string) {
	a.add(a.mux, &route{Route: guard.Route{Pattern: pattern, Anybody: true}, handler: h, parameters: parameters})
}

// Lasting registers a route whose answer is a Stream: for whoever may do verb, and with an empty one for
// whoever has credentials that count, to whom the handler says what of it they may hear. It ends when that
// is so no more.
func (a *API) Lasting(pattern string, verb policy.Verb, h Handler, parameters ...string) {
	r := guard.Route{Pattern: pattern, Verb: verb, Anybody: verb == "", Lasts: true}
	a.add(a.mux, &route{Route: r, handler: h, parameters: parameters})
}

// Unguarded registers a route to sign in, which takes no credentials and looks
// itself at what the browser has shown so far.
func (a *API) Unguarded(pattern string, h Handler, parameters ...string) {
	a.add(a.open, &route{Route: guard.Route{Pattern: pattern, Open: true}, handler: h, parameters: parameters})
}

func (a *API) add(mux *http.ServeMux, x *route) {
	a.routes[x.Pattern] = x
	mux.HandleFunc(x.Pattern, x.run)
}

// Proven marks routes that were registered before: a session may use them only
// with a second factor that was shown within five minutes. A token may use what
// its verbs allow: making it needed one.
func (a *API) Proven(patterns ...string) {
	for _, p := range patterns {
		a.guarded(p).Proven = true
	}
}

// Holds says of routes that were registered before how many bytes each may hold
// where that is more than other requests do: a list that is read as a whole, and
// the answer that is made of it.
func (a *API) Holds(bytes int64, patterns ...string) {
	for _, p := range patterns {
		a.guarded(p).Holds = bytes
	}
}

// OfStudy marks routes that were registered before, of whose path {uid} is a study: policy judges about that study, as
// with DICOMweb, and what leaves has to be as guard.Sight says.
func (a *API) OfStudy(patterns ...string) {
	for _, p := range patterns {
		a.guarded(p).study = true
	}
}

// about is the study in a path.
func (x *route) about(path string) string {
	at := slices.Index(strings.Split(x.Pattern, "/"), "{uid}") // the method ends before the first slash
	if parts := strings.Split(path, "/"); x.study && at >= 0 && at < len(parts) {
		return parts[at]
	}
	return ""
}

// SetUp marks routes to sign in that were registered before: they alone answer
// before there is an administrator, whom they make.
func (a *API) SetUp(patterns ...string) {
	for _, p := range patterns {
		x := a.routes[p]
		if x == nil || !x.Open {
			panic("webapi: " + p + " is not a route to sign in")
		}
		x.SetUp = true
	}
}

func (a *API) guarded(pattern string) *route {
	x := a.routes[pattern]
	if x == nil || x.Open {
		panic("webapi: " + pattern + " is not a route")
	}
	return x
}

// Routes lists the patterns of all routes but those to sign in.
func (a *API) Routes() []string { return a.patterns(false) }

// OpenRoutes lists the patterns of the routes to sign in, which take no credentials.
func (a *API) OpenRoutes() []string { return a.patterns(true) }

func (a *API) patterns(open bool) []string {
	list := slices.Sorted(maps.Keys(a.routes))
	return slices.DeleteFunc(list, func(p string) bool { return a.routes[p].Open != open })
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rq := &Request{api: a, w: w, r: r}
	defer func() {
		if p := recover(); p == Abort {
			panic(p) // which net/http understands, and says nothing
		} else if p != nil {
			a.door.Log.Error("panic in a request", "door", audit.DoorAPI,
				"type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			rq.fail(http.StatusInternalServerError, errInternal)
		}
	}()

	mux, x, lost := a.find(r)
	rq.route = x
	call := &guard.APICall{
		Request: r,
		Route:   x.Route,
		Lost:    lost,
		Inspect: func() error { return known(r, x.parameters) },
	}
	call.Route.Study = x.about(r.URL.Path)

	err := a.door.InterceptAPI(r.Context(), call, func(ctx context.Context, c *guard.Caller) {
		rq.caller = c
		mux.ServeHTTP(w, r.WithContext(context.WithValue(ctx, requestKey{}, rq)))
	})
	if err != nil {
		rq.answer(nil, err)
	}
}

// find finds the route of a request. Where there is none, lost says so: the
// multiplexer knows whether another method would do.
func (a *API) find(r *http.Request) (mux *http.ServeMux, x *route, lost error) {
	if _, pattern := a.open.Handler(r); pattern != "" {
		return a.open, a.routes[pattern], nil
	}

	h, pattern := a.mux.Handler(r)
	if pattern != "" {
		return a.mux, a.routes[pattern], nil
	}
	return a.mux, &route{}, lostAt(h, r)
}

type requestKey struct{}

// run runs the handler with the Request that ServeHTTP made; the multiplexer has
// put into r what the pattern names.
func (x *route) run(_ http.ResponseWriter, r *http.Request) {
	rq := r.Context().Value(requestKey{}).(*Request)
	rq.r = r
	rq.answer(x.handler(rq))
}
