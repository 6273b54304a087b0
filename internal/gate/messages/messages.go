package messages

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"collimator/internal/audit"
	"collimator/internal/budget"
	"collimator/internal/gate/kind"
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
	listeners *kind.Listeners[*Route, *listener]
}

// New makes a server without routes. Nothing listens until Run runs.
func New(o Options) *Messages {
	if o.Dial == nil {
		o.Dial = (&dialer{}).dial
	}
	m := &Messages{Options: o}
	m.listeners = kind.NewListeners(kind.Listening[*Route, *listener]{
		Named: func(r *Route) (string, bool) { return r.Name, !r.Closed },
		Goes:  (*listener).goesOn,
		Start: m.listen,
		Ended: func(name string) { m.States.Forget(part(name)) },
		Retry: o.Retry,
	})
	return m
}

type dialer struct{ net.Dialer }

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	return d.DialContext(ctx, "tcp", address)
}

// Take puts routes in place of those before. What is closed, gone or elsewhere ends at
// once, with its listener; other changes count from the next message on.
func (m *Messages) Take(routes []Route) {
	list := make([]*Route, len(routes))
	for i := range routes {
		list[i] = &routes[i]
	}
	m.listeners.Take(list)
}

// Run has listeners for the routes until ctx ends; then all of them are closed.
func (m *Messages) Run(ctx context.Context) { m.listeners.Run(ctx) }

// Close closes all listeners and what came through them.
func (m *Messages) Close() { m.listeners.Close() }

// part is the state of the listener of a route.
func part(name string) string { return "gate.messages." + name }

// listen opens the listener of a route.
func (m *Messages) listen(r *Route) (l *listener, ok bool) {
	ln, err := net.Listen("tcp", r.Listen)
	if err != nil {
		m.States.Failing(part(r.Name), "route "+r.Name+" takes no messages: "+err.Error(),
			"free the address, or name another one at 'listen' of the route in routes.yaml")
		return nil, false
	}

	how := "with TLS"
	if r.Plain {
		how = "WITHOUT TLS"
	}
	m.States.Well(part(r.Name), "route "+r.Name+" takes messages at "+r.Listen+" "+how)
	m.Log.Info("listening for messages", "route", r.Name, "address", r.Listen, "how", how)
	return m.start(r, ln), true
}

// goesOn reports whether a listener is the one that a route needs; its messages are judged by that from
// then on.
func (l *listener) goesOn(r *Route) bool {
	now := l.route.Load()
	if now.Listen != r.Listen || now.Plain != r.Plain {
		return false
	}
	l.route.Store(r)
	return true
}

// sameWay reports whether the system behind is reached as it was.
func sameWay(a, b *Route) bool {
	return a.To == b.To && a.trust() == b.trust()
}
