// Package reverse serves the pages of a system behind the gate, such as Orthanc Explorer, at
// an origin of their own: to people who are signed in at our door, by rules of method and
// path, with the password of the system set by the gate. Requests and answers are written anew;
// cookies and credentials of the system stay here, those of the console are worth nothing there.
//
// It signs nobody in, keeps no pages, and does not look into them but for programs.
package reverse

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/guard"
	"collimator/internal/patch"
	"collimator/internal/state"
)

// Door is what each request has to pass.
type Door interface {
	InterceptPage(ctx context.Context, call *guard.PageCall, next func(context.Context, *guard.Caller) guard.PageOutcome) guard.PageOutcome
	Cuttable(next http.Handler) http.Handler
	RefusedPage(ctx context.Context, route, address, reason string)
}

// Options are the parts of a Server; all but States, Log, Now and Retry are needed.
type Options struct {
	Door Door
	// TLS is the configuration of a listener that browsers reach by a host.
	TLS func(host string) (*tls.Config, error)
	// Address is where to listen for a block that does not say it: the port is that of At.
	Address func(port string) string
	// Console is the origin of the server's own pages, where people sign in.
	Console func() string
	// Credentials are the name and the password at the system behind a route, at an origin;
	// both empty where it has none. They are asked for at each request.
	Credentials func(route, origin string) (name, password string, err error)
	States      *state.Register
	Log         *slog.Logger
	Now         func() time.Time
	// Retry is how often a listener that cannot be had is tried again; 0 is 2 s.
	Retry time.Duration
}

// Server has the pages of all routes and their listeners, which come and go with the file.
// Safe for concurrent use.
type Server struct {
	Options
	tickets *tickets
	sites   *kind.Listeners[Route, *site]
}

// New makes a server without routes. Nothing listens until Run runs.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Options: o, tickets: newTickets(o.Now)}
	s.sites = kind.NewListeners(kind.Listening[Route, *site]{
		Named: func(r Route) (string, bool) { return r.Name, !r.Closed },
		Goes:  func(x *site, r Route) bool { return reflect.DeepEqual(r, x.Route) },
		Start: s.listen,
		Ended: func(name string) { s.States.Forget(part(name)) },
		Retry: o.Retry,
	})
	return s
}

// Take puts routes in place of those before. What is closed, gone or in any way another ends at
// once, with whoever was signed in there.
func (s *Server) Take(routes []Route) { s.sites.Take(routes) }

// Run has listeners for the routes until ctx ends; then all of them are closed.
func (s *Server) Run(ctx context.Context) { s.sites.Run(ctx) }

// Close closes all listeners and what came through them.
func (s *Server) Close() { s.sites.Close() }

// part is the state of the pages of a route.
func part(name string) string { return "gate.pages." + name }

// listen opens the listener of a route, and says how that went.
func (s *Server) listen(r Route) (*site, bool) {
	x, err := s.start(r)
	if err != nil {
		s.States.Failing(part(r.Name), "the pages of route "+r.Name+" are not there: "+fault.Text(err),
			"mend what it says, in 'web' of the route in routes.yaml")
		return nil, false
	}
	s.States.Well(part(r.Name), "the pages of route "+r.Name+" are at "+x.origin)
	s.Log.Info("listening for pages of a system behind a route", "route", r.Name, "address", x.ln.Addr().String())
	return x, true
}

// start opens the listener of a route.
func (s *Server) start(r Route) (*site, error) {
	patches, err := patch.Of(r.Patches)
	if err != nil {
		return nil, err
	}
	config, err := s.TLS(r.Host())
	if err != nil {
		return nil, err
	}
	transport, err := r.transport()
	if err != nil {
		return nil, err
	}

	address := r.Listen
	if address == "" {
		address = s.Address(r.Port())
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return s.serve(r, patches, transport, config, ln), nil
}

// site is one that is open; nil where there is none.
func (s *Server) site(name string) *site {
	x, _ := s.sites.Of(name)
	return x
}

// Usage is how the pages of a route are used now.
type Usage struct {
	Route string
	// Used are requests that the system behind answers, Waiting those that wait for it, and
	// Visits the browsers that are signed in there.
	Used, Waiting, Visits int
}

// Usage lists how the pages of routes are used.
func (s *Server) Usage() (list []Usage) {
	for _, x := range s.sites.All() {
		free, waiting := x.turns.Usage()
		list = append(list, Usage{Route: x.Name, Used: x.requests() - free, Waiting: waiting, Visits: x.visits.count()})
	}
	return list
}
