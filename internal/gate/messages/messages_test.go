package messages

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	"collimator/internal/fault"
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

func TestWhatIsGrantedGoesThroughUnchangedAndTheAnswerComesBack(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	odd := "\xEF\xBB\xBFMSH|^~\\&|||||||ORU^R01|78|P|2.3\r\nOBX|1|TX|||\xFF\xFE ZZPHI \\X0D\\\r\n"
	for _, c := range []struct{ message, id string }{{admit, "77"}, {odd, "78"}, {strings.ReplaceAll(admit, "|77|", "||"), ""}} {
		want := ackOf("AE", c.id)
		behind.says(func(string) string { return want })
		if got := s.tell(c.message); got != want {
			t.Errorf("%q is answered %q", c.message, got)
		}
		if got := behind.seen(); got[len(got)-1] != c.message {
			t.Errorf("%q came as %q", c.message, got)
		}
	}
	if told := g.told(); strings.Contains(told, "ZZPHI") || !strings.Contains(told, "admissions: ADT^A01, 77 bytes, answered AE HL7") {
		t.Errorf("%s", told)
	}
}

func TestWhatIsNotGrantedIsRejectedWithTheRuleAndReachesNobody(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	of := func(kind string) string { return strings.Replace(admit, "ADT^A01", kind, 1) }
	for name, c := range map[string]struct {
		message, code, want string
		ends                bool
	}{
		"type":              {of("ADT^A02"), "AR", "other types of messages than ADT A02", false},
		"type of another":   {of("SIU^S12"), "AR", "other types", false},
		"too long for it":   {admit + strings.Repeat("x", 3000), "AR", "rule admissions grants messages of up to 2 KiB", false},
		"too long for all":  {admit + strings.Repeat("x", 5000), "AR", "more than 4 KiB", true},
		"batch":             {admit + admit, "AR", "more than one message", false},
		"enhanced":          {strings.Replace(of("ADT^A02"), "|2.5", "|2.5|||AL|NE", 1), "CR", "other types", false},
		"on errors alone":   {strings.Replace(admit, "|2.5", "|2.5|||ER|NE", 1), "AR", "ER and SU", false},
		"no header":         {"PID|1||ZZPHI", "", "", true},
		"batch in front":    {"BHS|^~\\&|\r" + admit, "", "", true},
		"type of a patient": {of("ZZPHI^ONE"), "", "", true},
		"nobody waits":      {strings.Replace(of("ADT^A02"), "|2.5", "|2.5|||NE|NE", 1), "", "", true},
	} {
		s := send(t, at)
		got := s.tell(c.message)
		if c.code == "" && got != "" || c.code != "" && (!strings.Contains(got, "MSA|"+c.code+"|77|") || !strings.Contains(got, c.want)) || strings.Contains(got, "ZZPHI") {
			t.Errorf("%s: %q", name, got)
		}
		if again := s.tell(admit); (again == "") != c.ends {
			t.Errorf("%s: afterwards %q", name, again)
		}
	}
	for _, got := range behind.seen() {
		if got != admit {
			t.Errorf("%q came through", got)
		}
	}
	if strings.Contains(g.told(), "ZZPHI") {
		t.Errorf("%s", g.told())
	}
}

func TestBytesThatAreNoFrameEndTheConnection(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	for _, bytes := range []string{
		"GET / HTTP/1.1\r\n\r\n", "\x0B" + admit + "\x0B" + admit + "\x1C\r", "\x0B" + admit + "\x1CZZ\x1C\r", "\x0B" + admit + "\x1C\n",
		"\x0B\x1C\r", "\r\n\r\n\r\n\x0B" + admit + "\x1C\r",
	} {
		if got := send(t, at).raw(bytes); got != "" {
			t.Errorf("%q: %q", bytes, got)
		}
	}
	if len(behind.seen()) > 0 {
		t.Errorf("%q", behind.seen())
	}
}

func TestTheGateNeverAcknowledgesInThePlaceOfTheSystemBehind(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	for name, answer := range map[string]string{
		"none": "", "of another message": ackOf("AA", "76"), "without MSA": "MSH|^~\\&|||||||ACK|1|P|2.3\r", "twice": ackOf("AA", "77") + "MSA|AA|77\r",
		"of the other mode": ackOf("CA", "77"), "no code": ackOf("YES", "77"), "with another message": ackOf("AA", "77") + "\x1C\r\x0B" + ackOf("AA", "77"),
		"no frame": "\x1C", "no HL7": "hello",
	} {
		behind.says(func(string) string { return answer })
		if got := send(t, at).tell(admit); !strings.Contains(got, "MSA|AE|77|gate, route HL7: ") {
			t.Errorf("%s: %q", name, got)
		}
	}
	g.Take([]Route{plainRoute(at, free(t))})
	if got := send(t, at).tell(admit); !strings.Contains(got, "MSA|AE|77|") {
		t.Errorf("nobody there: %q", got)
	}
	if strings.Contains(g.told(), "answered AA") {
		t.Errorf("%s", g.told())
	}
}

// After an answer that came too late the next message has its own.
func TestALateAnswerIsNotTakenForThatOfTheNextMessage(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	behind.says(func(string) string { time.Sleep(400 * time.Millisecond); return ackOf("AA", "77") })
	if got := s.tell(admit); !strings.Contains(got, "MSA|AE|77|") {
		t.Errorf("%q", got)
	}
	behind.says(func(string) string { return ackOf("AR", "77") })
	if got := s.tell(admit); got != ackOf("AR", "77") {
		t.Errorf("%q", got)
	}
}

// A system that answers though nobody waits, late and to a number that comes again.
func TestAnAnswerThatNobodyWaitsForIsNotThatOfTheNextMessage(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	behind.says(func(message string) string {
		if strings.Contains(message, "NE|NE") {
			time.Sleep(100 * time.Millisecond)
			return ackOf("AA", "77")
		}
		return ackOf("AR", "77")
	})
	io.WriteString(s.Conn, "\x0B"+strings.Replace(admit, "|2.5", "|2.5|||NE|NE", 1)+"\x1C\r")
	if got := s.tell(admit); got != ackOf("AR", "77") || len(behind.seen()) != 2 {
		t.Errorf("%q, %d messages", got, len(behind.seen()))
	}
}

func TestEnhancedModeAndSilence(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	behind.says(func(string) string { return ackOf("CA", "77") })
	if got := s.tell(strings.Replace(admit, "|2.5", "|2.5|||AL|NE", 1)); got != ackOf("CA", "77") {
		t.Errorf("%q", got)
	}
	behind.says(func(message string) string {
		if strings.Contains(message, "NE|NE") {
			return ""
		}
		return ackOf("AA", "77")
	})
	io.WriteString(s.Conn, "\x0B"+strings.Replace(admit, "|2.5", "|2.5|||NE|NE", 1)+"\x1C\r")
	if got := s.tell(admit); got != ackOf("AA", "77") || len(behind.seen()) != 3 {
		t.Errorf("%q, %d messages", got, len(behind.seen()))
	}
}

func TestWhatCannotBeRecordedIsNotPassedOn(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	g.full = errors.New("full")
	if got := send(t, at).tell(admit); !strings.Contains(got, "MSA|AE|77|") || len(behind.seen()) > 0 {
		t.Errorf("%q, %q", got, behind.seen())
	}
}

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
