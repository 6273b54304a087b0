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
	"sync"
	"time"

	"collimator/internal/fault"
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
	wake    chan struct{}

	mu      sync.Mutex
	running bool // Run runs: only then anything listens
	wanted  []Route
	open    map[string]*site // by name of the route
}

// New makes a server without routes. Nothing listens until Run runs.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Retry <= 0 {
		o.Retry = 2 * time.Second
	}
	return &Server{Options: o, tickets: newTickets(o.Now), wake: make(chan struct{}, 1), open: map[string]*site{}}
}

// Take puts routes in place of those before. What is closed, gone or in any way another ends at
// once, with whoever was signed in there.
func (s *Server) Take(routes []Route) {
	s.mu.Lock()
	s.wanted = routes
	var ended []*site
	for name, x := range s.open {
		if r := find(routes, name); r != nil && reflect.DeepEqual(*r, x.Route) {
			continue
		}
		delete(s.open, name)
		ended = append(ended, x)
	}
	s.mu.Unlock()

	for _, x := range ended {
		x.close()
		s.States.Forget(part(x.Name))
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// find is a route that is open; nil where there is none.
func find(routes []Route, name string) *Route {
	for i := range routes {
		if routes[i].Name == name && !routes[i].Closed {
			return &routes[i]
		}
	}
	return nil
}

// part is the state of the pages of a route.
func part(name string) string { return "gate.pages." + name }

// Run has listeners for the routes until ctx ends; then all of them are closed.
func (s *Server) Run(ctx context.Context) {
	s.setRunning(true)
	defer s.Close()
	ticker := time.NewTicker(s.Retry)
	defer ticker.Stop()
	for {
		s.listen()
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-ticker.C:
		}
	}
}

func (s *Server) setRunning(running bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = running
}

// Close closes all listeners and what came through them.
func (s *Server) Close() {
	s.setRunning(false)
	s.Take(nil)
}

// listen opens the listeners that are missing.
func (s *Server) listen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		return
	}

	for _, r := range s.wanted {
		if r.Closed || s.open[r.Name] != nil {
			continue
		}
		x, err := s.start(r)
		if err != nil {
			s.States.Failing(part(r.Name), "the pages of route "+r.Name+" are not there: "+fault.Text(err),
				"mend what it says, in 'web' of the route in routes.yaml")
			continue
		}
		s.States.Well(part(r.Name), "the pages of route "+r.Name+" are at "+r.At)
		s.Log.Info("listening for pages of a system behind a route", "route", r.Name, "address", x.ln.Addr().String())
		s.open[r.Name] = x
	}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[name]
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.open {
		free, waiting := x.turns.Usage()
		list = append(list, Usage{Route: x.Name, Used: x.requests() - free, Waiting: waiting, Visits: x.visits.count()})
	}
	return list
}
