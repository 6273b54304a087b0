package messages

import (
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/budget"
	"collimator/internal/hl7"
	"collimator/internal/house/housetest"
	"collimator/internal/state"
)

const admit = "MSH|^~\\&|SIS|WARD|RIS|RAD|20261130||ADT^A01|77|P|2.5\rPID|1||ZZPHI-1||ZZPHI^ONE\r"

// system is one behind a route: it answers by what a test says, and keeps what it got.
type system struct {
	address string

	mu     sync.Mutex
	got    []string
	answer func(message string) string // empty: none
}

func ackOf(code, id string) string {
	return "MSH|^~\\&|RIS|RAD|SIS|WARD|1||ACK^A01|9|P|2.5\rMSA|" + code + "|" + id + "\r"
}

func newSystem(t *testing.T) *system {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &system{address: ln.Addr().String(), answer: func(string) string { return ackOf("AA", "77") }}
	housetest.EachConnection(t, ln, s.serve)
	return s
}

func (s *system) serve(conn net.Conn) {
	in := hl7.NewReader(conn)
	for in.Begin() == nil {
		message, err := in.Message(8 << 20)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.got = append(s.got, string(message))
		answer := s.answer(string(message))
		s.mu.Unlock()
		if answer != "" {
			io.WriteString(conn, "\x0B"+answer+"\x1C\r")
		}
	}
}

func (s *system) says(answer func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *system) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.got...)
}

// gate is a server of messages whose trail is kept.
type gate struct {
	*testing.T
	*Messages

	mu      sync.Mutex
	records []audit.Record
	full    error // why nothing can be recorded
	gone    error // why the device is not let in
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{T: t}
	g.Messages = New(Options{
		Device: func(context.Context, *x509.Certificate, netip.Addr) (string, error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			return "SIS1", g.gone
		},
		Ready: func() error { g.mu.Lock(); defer g.mu.Unlock(); return g.full },
		Keep: func(_ context.Context, r audit.Record) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.records = append(g.records, r)
		},
		Repeated: func(string, string) (int, bool) { return 0, true },
		Memory:   budget.New(64 << 20), States: state.New(time.Now), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Retry: 10 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); g.Messages.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return g
}

func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// plainRoute lets loopback send admissions of up to 2 KiB, and laboratory results.
func plainRoute(listen, to string) Route {
	return Route{Name: "HL7", Block: Block{Listen: listen, Plain: true, To: to, Wait: 300 * time.Millisecond, Rules: []Rule{
		{Name: "admissions", From: []string{"127.0.0.1"}, Types: []string{"ADT^A01"}, MostKiB: 2},
		{Name: "results", From: []string{"127.0.0.0/8"}, Types: []string{"ORU"}, MostKiB: 4},
		{Name: "elsewhere", From: []string{"10.0.0.9"}, Types: []string{"SIU"}, MostKiB: 1},
	}}}
}

// sending is the end of a sender.
type sending struct {
	*testing.T
	net.Conn
	in *hl7.Reader
}

func send(t *testing.T, address string) *sending {
	t.Helper()
	for range 500 {
		if conn, err := net.Dial("tcp", address); err == nil {
			t.Cleanup(func() { conn.Close() })
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			return &sending{t, conn, hl7.NewReader(conn)}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nobody listens at " + address)
	return nil
}

// tell sends a message and gives the answer; empty where the connection ends.
func (s *sending) tell(message string) string {
	s.Helper()
	return s.raw("\x0B" + message + "\x1C\r")
}

func (s *sending) raw(text string) string {
	s.Helper()
	io.WriteString(s.Conn, text)
	if s.in.Begin() != nil {
		return ""
	}
	answer, err := s.in.Message(1 << 20)
	if err != nil {
		s.Fatal(err)
	}
	return string(answer)
}

func (g *gate) told() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b strings.Builder
	for _, r := range g.records {
		b.WriteString(r.Rule + ": " + r.Describe() + " " + r.Peer.CalledAETitle + "\n")
	}
	return b.String()
}
