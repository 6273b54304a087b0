package messages

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/hl7"
	"collimator/internal/state"
)

func TestListenersComeAndGoWithTheRoutes(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	r := plainRoute(at, behind.address)
	g.Take([]Route{r})
	s := send(t, at)
	s.tell(admit)

	r.Rules = r.Rules[1:] // from the next message on, on the connection that is there
	g.Take([]Route{r})
	if got := s.tell(admit); !strings.Contains(got, "MSA|AR|77|gate, route HL7: rule results") {
		t.Errorf("%q", got)
	}

	closed := r
	closed.Closed = true
	for name, routes := range map[string][]Route{"closed": {closed}, "removed": nil, "elsewhere": {plainRoute(free(t), behind.address)}} {
		g.Take([]Route{plainRoute(at, behind.address)})
		s := send(t, at)
		s.tell(admit)
		g.Take(routes)
		if _, err := s.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: the connection goes on: %v", name, err)
		}
		if conn, err := net.Dial("tcp", at); err == nil {
			conn.Close()
			t.Errorf("%s: it listens", name)
		}
	}
}

// A route whose address is taken is a state that names it, and listens when it is free.
func TestAListenerThatCannotBeHadIsAState(t *testing.T) {
	t.Parallel()
	g, behind := newGate(t), newSystem(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := taken.Addr().String()
	g.Take([]Route{plainRoute(at, behind.address)})
	text := ""
	for range 500 {
		if all := g.States.All(); len(all) == 1 && all[0].Level == state.Failing {
			text = all[0].Text
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(text, "route HL7 takes no messages") {
		t.Errorf("%+v", g.States.All())
	}
	taken.Close()
	send(t, at).tell(admit)
}

func TestSendersWithTLSAreRegisteredDevices(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	own, roots := certificate(t)
	g.Certificate = func() (*tls.Certificate, error) { return own, nil }
	r := Route{Name: "HL7", Block: Block{Listen: at, To: behind.address, Rules: []Rule{{Name: "adt", Who: []string{"SIS1"}, Types: []string{"ADT"}}}}}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	g.Take([]Route{r})
	send(t, at).Close()

	dial := func(config *tls.Config) string {
		conn, err := tls.Dial("tcp", at, config)
		if err != nil {
			return ""
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		return (&sending{t, conn, hl7.NewReader(conn)}).tell(admit)
	}
	known := &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{*own}}
	if got := dial(known); got != ackOf("AA", "77") || !strings.Contains(g.told(), "adt: ADT^A01") {
		t.Errorf("%q, %s", got, g.told())
	}
	if got := dial(&tls.Config{RootCAs: roots, ServerName: "localhost"}); got != "" {
		t.Errorf("without a certificate: %q", got)
	}
	if got := send(t, at).tell(admit); got != "" {
		t.Errorf("without TLS: %q", got)
	}
	conn, err := tls.Dial("tcp", at, known)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	stays := &sending{t, conn, hl7.NewReader(conn)}
	if got := stays.tell(admit); got != ackOf("AA", "77") {
		t.Errorf("%q", got)
	}

	g.mu.Lock()
	g.gone = fault.New(fault.Denied, "identity: nobody")
	g.mu.Unlock()
	if got := stays.tell(admit); !strings.Contains(got, "MSA|AR|77|gate, route HL7: this sender is not registered any more") {
		t.Errorf("on the connection of before: %q", got)
	}
	if got := stays.tell(admit); got != "" {
		t.Errorf("and it goes on: %q", got)
	}
	if got := dial(known); got != "" {
		t.Errorf("not registered: %q", got)
	}
	if n := len(behind.seen()); n != 2 {
		t.Errorf("%d messages came through", n)
	}
}

// A sender that stops in the middle, or sends without end, holds what arrived and harms
// no other.
func TestSendersThatStopHoldNoOther(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	for i := range fromMost - 1 {
		s := send(t, at)
		io.WriteString(s.Conn, "\x0BMSH|"+strings.Repeat("x", i))
	}
	if got := send(t, at).tell(admit); got != ackOf("AA", "77") {
		t.Errorf("another sender: %q", got)
	}
	endless := send(t, at)
	endless.Write(append([]byte("\x0B"), bytes.Repeat([]byte("x"), 1<<20)...))
	if got := endless.tell(admit); got != "" {
		t.Errorf("%q", got)
	}
}

// Strangers who fill the places keep out nobody who was let in before.
func TestStrangersKeepNoSenderOut(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	r := plainRoute(at, behind.address)
	own, roots := certificate(t)
	g.Certificate = func() (*tls.Certificate, error) { return own, nil }
	r.Plain = false
	r.Rules = []Rule{{Name: "adt", Who: []string{"SIS1"}, Types: []string{"ADT"}}}
	g.Take([]Route{r})
	send(t, at).Close()

	dial := func() string {
		d := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{*own}}}
		conn, err := d.DialContext(t.Context(), "tcp", at)
		if err != nil {
			return err.Error()
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		return (&sending{t, conn, hl7.NewReader(conn)}).tell(admit)
	}
	if got := dial(); got != ackOf("AA", "77") {
		t.Fatalf("%q", got)
	}
	for i := range 80 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/10))}}
		if conn, err := d.DialContext(t.Context(), "tcp", at); err == nil {
			defer conn.Close()
			io.WriteString(conn, "\x16")
		}
	}
	if got := dial(); got != ackOf("AA", "77") {
		t.Errorf("%q", got)
	}
}
