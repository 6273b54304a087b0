package messages

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/budget"
	"collimator/internal/state"
)

// Options are the parts of Messages; all but States, Dial and Retry are needed.
type Options struct {
	// Certificate is that of the gate, for senders and for the system behind.
	Certificate func() (*tls.Certificate, error)
	// Device is the registered device that comes with a certificate, from an address;
	// fault.Denied where none does, now.
	Device func(ctx context.Context, cert *x509.Certificate, from netip.Addr) (aeTitle string, err error)
	// Ready fails while nothing can be recorded, and Keep writes a record now or later.
	Ready func() error
	Keep  func(ctx context.Context, r audit.Record)
	// Repeated joins what an address can cause at will: whether to write of it, and how
	// many like it were left out before.
	Repeated func(address, what string) (before int, write bool)
	// Memory bounds what messages on their way hold.
	Memory *budget.Budget
	// Dial opens a connection; nil is TCP.
	Dial   func(ctx context.Context, address string) (net.Conn, error)
	States *state.Register
	Log    *slog.Logger
	Now    func() time.Time
	// Retry is how often a listener that cannot be had is tried again; 0 is 2 s.
	Retry time.Duration
}

// Messages has the routes of messages and their listeners, which come and go with the
// file. Safe for concurrent use.
type Messages struct {
	Options
	wake chan struct{}

	mu      sync.Mutex
	running bool // Run runs: only then anything listens
	wanted  []Route
	open    map[string]*listener // by name of the route
}

// New makes a server without routes. Nothing listens until Run runs.
func New(o Options) *Messages {
	if o.Dial == nil {
		o.Dial = (&dialer{}).dial
	}
	if o.Retry <= 0 {
		o.Retry = 2 * time.Second
	}
	return &Messages{Options: o, wake: make(chan struct{}, 1), open: map[string]*listener{}}
}

type dialer struct{ net.Dialer }

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	return d.DialContext(ctx, "tcp", address)
}

// Take puts routes in place of those before. What is closed, gone or elsewhere ends at
// once, with its listener; other changes count from the next message on.
func (m *Messages) Take(routes []Route) {
	m.mu.Lock()
	m.wanted = routes
	var ended []*listener
	for name, l := range m.open {
		if r := find(routes, name); r != nil && l.serves(r) {
			l.route.Store(r)
			continue
		}
		delete(m.open, name)
		ended = append(ended, l)
	}
	m.mu.Unlock()

	for _, l := range ended {
		l.close()
		m.States.Forget(part(l.name))
	}
	select {
	case m.wake <- struct{}{}:
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

// part is the state of the listener of a route.
func part(name string) string { return "gate.messages." + name }

// Run has listeners for the routes until ctx ends; then all of them are closed.
func (m *Messages) Run(ctx context.Context) {
	m.setRunning(true)
	defer m.Close()
	ticker := time.NewTicker(m.Retry)
	defer ticker.Stop()
	for {
		m.listen()
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-ticker.C:
		}
	}
}

func (m *Messages) setRunning(running bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = running
}

// Close closes all listeners and what came through them.
func (m *Messages) Close() {
	m.setRunning(false)
	m.Take(nil)
}

// listen opens the listeners that are missing.
func (m *Messages) listen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running {
		return
	}

	for i := range m.wanted {
		r := &m.wanted[i]
		if r.Closed || m.open[r.Name] != nil {
			continue
		}
		ln, err := net.Listen("tcp", r.Listen)
		if err != nil {
			m.States.Failing(part(r.Name), "route "+r.Name+" takes no messages: "+err.Error(),
				"free the address, or name another one at 'listen' of the route in routes.yaml")
			continue
		}

		how := "with TLS"
		if r.Plain {
			how = "WITHOUT TLS"
		}
		m.States.Well(part(r.Name), "route "+r.Name+" takes messages at "+r.Listen+" "+how)
		m.Log.Info("listening for messages", "route", r.Name, "address", r.Listen, "how", how)
		m.open[r.Name] = m.start(r, ln)
	}
}

// serves reports whether a listener is the one that a route needs.
func (l *listener) serves(r *Route) bool {
	now := l.route.Load()
	return now.Listen == r.Listen && now.Plain == r.Plain
}

// sameWay reports whether the system behind is reached as it was.
func sameWay(a, b *Route) bool {
	return a.To == b.To && a.trust() == b.trust()
}
