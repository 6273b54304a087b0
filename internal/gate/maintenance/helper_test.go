package maintenance

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/house/housetest"
	"collimator/internal/state"
)

// site is doors over a register, in front of a target that says what it hears.
type site struct {
	*testing.T
	*Doors
	reg    *housetest.Register
	target netip.AddrPort

	mu       sync.Mutex
	place    error // of the route
	may      error
	session  bool // runs
	full     error
	recorded []audit.Record
}

func newTestSite(t *testing.T) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	housetest.EachConnection(t, l, func(conn net.Conn) { io.Copy(conn, conn) })

	s := &site{T: t, reg: housetest.NewRegister(t), target: l.Addr().(*net.TCPAddr).AddrPort(), session: true}
	s.Doors = New(Options{
		DB: s.reg.DB, Registers: s.reg.Registers, Now: s.reg.Clock.Now, Own: []uint16{8443}, States: state.New(s.reg.Clock.Now),
		Place: func(context.Context, string) (Place, error) {
			return Place{
				Guarded:   []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:104"), netip.MustParseAddrPort("10.0.0.5:104")},
				Others:    []netip.AddrPort{netip.MustParseAddrPort("10.0.0.5:2575"), netip.MustParseAddrPort("10.0.0.9:104")},
				Listeners: []uint16{2600},
			}, s.get(&s.place)
		},
		May:     func(context.Context, string) error { return s.get(&s.may) },
		Running: func(context.Context, string) (bool, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.session, nil },
		Record: func(_ context.Context, r audit.Record) error {
			if err := s.get(&s.full); err != nil {
				return err
			}
			s.keep(r)
			return nil
		},
		Keep: func(_ context.Context, r audit.Record) { s.keep(r) },
	})
	t.Cleanup(s.Doors.Close)
	return s
}

func (s *site) get(err *error) error { s.mu.Lock(); defer s.mu.Unlock(); return *err }
func (s *site) set(change func())    { s.mu.Lock(); defer s.mu.Unlock(); change() }

func (s *site) keep(r audit.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recorded = append(s.recorded, r)
}

// details are what was recorded.
func (s *site) details() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, r := range s.recorded {
		list = append(list, r.Describe())
	}
	return strings.Join(list, "\n")
}

func (s *site) note(ctx context.Context, o audit.Object) error {
	return s.Options.Record(ctx, audit.Record{Event: audit.MaintenanceDoor, Objects: []audit.Object{o}})
}

func (s *site) opened() (Door, string) {
	s.Helper()
	x, secret, err := s.Open(s.Context(), Order{Route: "CT2", To: s.target.String(), Person: "acme", Minutes: 60, Opener: "ada"}, s.note)
	if err != nil {
		s.Fatal(err)
	}
	return x, secret
}

func visitor(person, session, method string) Visitor {
	return Visitor{Person: person, Session: session, Method: method, Address: "192.0.2.7",
		Entry: func(event audit.Event, action audit.Action, outcome audit.Outcome, reason string) audit.Record {
			return audit.Record{Event: event, Action: action, Outcome: outcome, Reason: reason, Principal: person}
		}}
}

var acme = visitor("acme", "s1", "totp")

// carried opens a connection by the door and gives the client's end.
func (s *site) carried() net.Conn {
	s.Helper()
	c, err := s.Connect(s.Context(), acme)
	if err != nil {
		s.Fatal(err)
	}
	client, near := pair(s.T)
	go c.Carry(near)
	return client
}

func wantEcho(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.Write([]byte("ping"))
	b := make([]byte, 4)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "ping" {
		t.Fatalf("%q, %v", b, err)
	}
}

// wantEnd wants the end of what a door carries, within seconds.
func wantEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		t.Fatalf("it goes on: %v", err)
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
