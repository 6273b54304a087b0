package maintenance

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
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

func TestACodeCountsOnceForItsPersonWithASecondFactor(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	x, secret := s.opened()
	for name, c := range map[string]struct {
		who  Visitor
		code string
	}{
		"another person": {visitor("eve", "s9", "totp"), secret}, "a password alone": {visitor("acme", "s1", "password"), secret},
		"a provider of which nobody knows the factor": {visitor("acme", "s1", "oidc"), secret},
		"a guess": {acme, newSecret()}, "nothing": {acme, ""},
	} {
		if _, err := s.Claim(t.Context(), c.who, c.code); fault.Of(err) != fault.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Connect(t.Context(), acme); fault.Of(err) != fault.NotFound {
		t.Errorf("before the code: %v", err)
	}

	got, err := s.Claim(t.Context(), acme, secret)
	if err != nil || got.Number != x.Number {
		t.Fatal(got, err)
	}
	for _, again := range []Visitor{acme, visitor("acme", "s2", "totp")} {
		if _, err := s.Claim(t.Context(), again, secret); fault.Of(err) != fault.Denied {
			t.Errorf("a second time: %v", err)
		}
	}
	if _, err := s.Connect(t.Context(), visitor("acme", "s2", "totp")); fault.Of(err) != fault.NotFound {
		t.Errorf("another session of the same person: %v", err)
	}

	first, second := s.carried(), s.carried() // a viewer comes again
	wantEcho(t, first)
	wantEcho(t, second)
	if told := s.details(); !strings.Contains(told, "shown by somebody else") || strings.Contains(told, secret) || strings.Contains(told, "ping") {
		t.Errorf("recorded: %s", told)
	}
}

func TestADoorEndsWithWhatItWasOpenedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(*site, Door)
		why     string
	}{
		"shut": {func(s *site, x Door) {
			if _, err := s.Shut(s.Context(), x.Number, s.note); err != nil {
				s.Error(err)
			}
		}, "it was shut"},
		"shut by a command beside the server": {func(s *site, x Door) {
			if _, err := New(s.Options).Shut(s.Context(), x.Number, s.note); err != nil {
				s.Error(err)
			}
		}, "it was shut"},
		"route closed": {func(s *site, _ Door) {
			s.set(func() { s.place = fault.New(fault.Conflict, "gate: the route is closed") })
		}, "closed"},
		"person gone": {func(s *site, _ Door) {
			s.set(func() { s.may = fault.New(fault.NotFound, "identity: nobody of this name") })
		}, "may not come any more"},
		"signed out":     {func(s *site, _ Door) { s.set(func() { s.session = false }) }, "session ended"},
		"time over":      {func(s *site, _ Door) { s.reg.Clock.Advance(time.Hour) }, "time is over"},
		"client silent":  {func(s *site, _ Door) { s.reg.Clock.Advance(silentMost) }, "not heard"},
		"left":           {func(s *site, _ Door) { s.Leave(s.Context(), acme) }, "acme left"},
		"server stopped": {func(s *site, _ Door) { s.Doors.Close() }, "server stops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestSite(t)
			x, secret := s.opened()
			if _, err := s.Claim(t.Context(), acme, secret); err != nil {
				t.Fatal(err)
			}
			conn := s.carried()
			wantEcho(t, conn)

			c.happens(s, x)
			wantEnd(t, conn)
			if _, err := s.Connect(t.Context(), acme); err == nil {
				t.Error("another connection is carried")
			}
			s.Doors.Close() // waits for the record
			list, err := s.List(t.Context())
			if err != nil || list[0].Ended.IsZero() || !strings.Contains(list[0].Why, c.why) {
				t.Errorf("%+v, %v", list, err)
			}
			if told := s.details(); !strings.Contains(told, "carried, to "+s.target.String()+" for acme: 4 bytes to the target, 4 from it") ||
				!strings.Contains(told, "1 connection, 4 bytes to the target, 4 from it") {
				t.Errorf("recorded: %s", told)
			}
		})
	}
}

func TestADoorThroughWhichNobodyCameEndsToo(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	x, secret := s.opened()
	if err := s.look(t.Context()); err != nil || !strings.Contains(s.States.All()[0].Text, "number 1 to "+s.target.String()+" for acme at CT2") {
		t.Errorf("%+v, %v", s.States.All(), err)
	}
	s.reg.Clock.Set(x.Until)
	if _, err := s.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Denied {
		t.Errorf("at its end: %v", err)
	}
	s.look(t.Context())
	s.look(t.Context())
	if list, _ := s.List(t.Context()); list[0].Why != "its time is over" || len(s.States.All()) != 0 {
		t.Errorf("%+v, %+v", list, s.States.All())
	}
}

// A clock that is set back gives no door another time.
func TestADoorEndsWhenTheClockIsSetBackBehindItsOpening(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	x, secret := s.opened()
	s.reg.Clock.Set(x.Opened.Add(-time.Hour))
	if _, err := s.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Denied {
		t.Errorf("%v", err)
	}
	s.look(t.Context())
	if list, _ := s.List(t.Context()); !strings.Contains(list[0].Why, "clock") {
		t.Errorf("%+v", list)
	}
}

func TestNoDoorSurvivesAStartOfTheServer(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	_, secret := s.opened()
	_, used := s.opened()
	if _, err := s.Claim(t.Context(), acme, used); err != nil {
		t.Fatal(err)
	}
	wantEcho(t, s.carried()) // and then the server is no more, without a word

	again := New(s.Options)
	s.refuse("UPDATE", true)
	if err := again.Begin(t.Context()); err == nil {
		t.Error("doors ended on a disk that is full")
	}
	if _, err := again.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Unavailable {
		t.Errorf("a door of before: %v", err)
	}
	again.look(t.Context())
	s.refuse("UPDATE", false)
	for range 2 {
		if err := again.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := again.Claim(t.Context(), acme, secret); fault.Of(err) != fault.Denied {
		t.Errorf("%v", err)
	}
	told := s.details()
	if strings.Count(told, "the server was started anew") != 2 || strings.Count(told, "started anew; what it carried is not known") != 1 ||
		strings.Count(told, "started anew; 0 connections") != 1 {
		t.Errorf("recorded: %s", told)
	}
}

// refuse makes the register refuse to do something, as a disk that is full does.
func (s *site) refuse(what string, on bool) {
	s.Helper()
	query := `DROP TRIGGER full`
	if on {
		query = `CREATE TRIGGER full BEFORE ` + what + ` ON maintenance_door BEGIN SELECT RAISE(ABORT, 'disk full'); END`
	}
	err := s.DB.Write(s.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(s.Context(), query)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

func TestTheEndOfADoorIsRecordedOnceWhileItCannotBeRegistered(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	s.opened() // nobody comes
	_, secret := s.opened()
	if _, err := s.Claim(t.Context(), acme, secret); err != nil {
		t.Fatal(err)
	}
	conn := s.carried()
	wantEcho(t, conn)

	s.refuse("UPDATE", true)
	s.Leave(t.Context(), acme)
	wantEnd(t, conn)
	s.Doors.going.Wait()
	s.reg.Clock.Advance(time.Hour)
	for range 3 {
		if err := s.look(t.Context()); err == nil {
			t.Error("registered on a disk that is full")
		}
	}
	s.refuse("UPDATE", false)
	for range 2 {
		if err := s.look(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if open, err := s.open(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%+v, %v", open, err)
	}
	if told := s.details(); strings.Count(told, "over, to") != 2 || strings.Count(told, "acme left; 1 connection, 4 bytes") != 1 {
		t.Errorf("recorded: %s", told)
	}
}

func TestOfTwoWithOneCodeAtATimeOneIsLetInAndOneRecordedAsNot(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	_, secret := s.opened()
	const many = 8
	errs := make(chan error, many)
	for range many {
		go func() { _, err := s.Claim(t.Context(), acme, secret); errs <- err }()
	}
	in := 0
	for range many {
		if err := <-errs; err == nil {
			in++
		} else if fault.Of(err) != fault.Denied {
			t.Error(err)
		}
	}
	told := s.details()
	if in != 1 || strings.Count(told, "1 entered, ")-strings.Count(told, "not entered after all") != 1 {
		t.Errorf("%d were let in; recorded: %s", in, told)
	}
}

func TestWhatCannotBeRecordedDoesNotHappen(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	full := fault.New(fault.Unavailable, "audit: the disk is full")
	_, secret := s.opened()

	s.set(func() { s.full = full })
	if _, _, err := s.Open(t.Context(), Order{Route: "CT2", To: s.target.String(), Person: "acme", Minutes: 1}, s.note); !errors.Is(err, full) {
		t.Errorf("opened: %v", err)
	}
	if open, err := s.open(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("open: %+v, %v", open, err)
	}
	if _, err := s.Claim(t.Context(), acme, secret); !errors.Is(err, full) {
		t.Errorf("entered: %v", err)
	}

	s.set(func() { s.full = nil })
	if _, err := s.Claim(t.Context(), acme, secret); err != nil {
		t.Errorf("the code was spent: %v", err)
	}
	s.set(func() { s.full = full })
	if _, err := s.Connect(t.Context(), acme); !errors.Is(err, full) {
		t.Errorf("carried: %v", err)
	}
}

func TestDoorsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	s.addresses = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil }
	for _, c := range []struct{ to, elsewhere, want string }{
		{"10.0.0.5:5900", "", ""}, {"127.0.0.1:5900", "", ""}, {"[::ffff:10.0.0.5]:5900", "", ""}, {"10.0.0.9:22", "10.0.0.9:22", ""},
		{"10.0.0.9:5900", "", "--elsewhere 10.0.0.9:5900"}, {"10.0.0.9:5900", "10.0.0.9:22", "--elsewhere"},
		{"10.0.0.5:104", "", "the rules of the route guard"}, {"ct2.example:5900", "", "IP:PORT"}, {"10.0.0.5:0", "", "IP:PORT"},
		{"10.0.0.5", "", "IP:PORT"}, {"[fe80::1%eth0]:22", "", "IP:PORT"}, {"10.0.0.5:70000", "", "IP:PORT"},
		{"10.0.0.5:2575", "", "another route guard"}, {"10.0.0.9:104", "10.0.0.9:104", "another route guard"},
		{"127.0.0.1:2600", "", "this server itself"}, {"127.0.0.1:8443", "", "this server itself"}, {"10.0.0.1:8443", "10.0.0.1:8443", "this server itself"},
		{"10.0.0.1:22", "10.0.0.1:22", "this machine"}, {"127.0.0.2:22", "127.0.0.2:22", "this machine"}, {"[::1]:22", "[::1]:22", "this machine"},
		{"0.0.0.0:22", "0.0.0.0:22", "one machine"}, {"[::]:22", "[::]:22", "one machine"}, {"224.0.0.1:22", "224.0.0.1:22", "one machine"},
		{"255.255.255.255:22", "255.255.255.255:22", "one machine"}, {"169.254.169.254:80", "169.254.169.254:80", "machine data"},
		{"[fe80::1]:22", "[fe80::1]:22", "machine data"}, {"[fd00:ec2::254]:80", "[fd00:ec2::254]:80", "machine data"},
		{"[64:ff9b::a9fe:a9fe]:80", "[64:ff9b::a9fe:a9fe]:80", "machine data"}, {"[2002:a9fe:a9fe::]:80", "[2002:a9fe:a9fe::]:80", "machine data"},
		{"[64:ff9b::a00:9]:104", "[64:ff9b::a00:9]:104", "another route guard"}, {"[64:ff9b::a00:9]:22", "[64:ff9b::a00:9]:22", ""},
		{"[::10.0.0.1]:22", "[::10.0.0.1]:22", "this machine"},
		{"[::ffff:169.254.169.254]:80", "[::ffff:169.254.169.254]:80", "machine data"},
	} {
		o := Order{Route: "CT2", To: c.to, Elsewhere: c.elsewhere, Person: "acme", Minutes: 1}
		_, err := s.planned(t.Context(), o)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}

	// What has become of this machine meanwhile is no target any more.
	x, _, err := s.Open(t.Context(), Order{Route: "CT2", To: "10.0.0.9:22", Elsewhere: "10.0.0.9:22", Person: "acme", Minutes: 1}, s.note)
	s.addresses = func() ([]netip.Addr, error) { return []netip.Addr{x.Target.Addr()}, nil }
	if why := s.reason(t.Context(), x); err != nil || !strings.Contains(why, "this machine") {
		t.Errorf("%q, %v", why, err)
	}
}

func TestDoorsAreFew(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	for _, minutes := range []int{-1, 0, MinutesMost + 1} {
		if _, _, err := s.Open(t.Context(), Order{Route: "CT2", To: s.target.String(), Person: "acme", Minutes: minutes}, s.note); fault.Of(err) != fault.Invalid {
			t.Errorf("%d minutes: %v", minutes, err)
		}
	}
	_, secret := s.opened()
	for range doorsMost - 1 {
		s.opened()
	}
	if _, _, err := s.Open(t.Context(), Order{Route: "CT2", To: s.target.String(), Person: "acme", Minutes: 1}, s.note); fault.Of(err) != fault.Busy {
		t.Errorf("one more: %v", err)
	}

	if _, err := s.Claim(t.Context(), acme, secret); err != nil {
		t.Fatal(err)
	}
	for range connectionsMost {
		wantEcho(t, s.carried())
	}
	if _, err := s.Connect(t.Context(), acme); fault.Of(err) != fault.Busy {
		t.Errorf("one more connection: %v", err)
	}
}

func TestATargetThatDoesNotAnswerIsSaidAndRecorded(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	s.Options.Dial = func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, errors.New("connection refused") }
	_, secret := s.opened()
	if _, err := s.Claim(t.Context(), acme, secret); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Connect(t.Context(), acme); fault.Of(err) != fault.Unavailable || !strings.Contains(s.details(), "does not answer") {
		t.Errorf("%v; %s", err, s.details())
	}
}

// The hash alone is kept, and doors that ended long ago are forgotten.
func TestTheRegisterHoldsNoCodeAndForgets(t *testing.T) {
	t.Parallel()
	s := newTestSite(t)
	_, secret := s.opened()
	s.Begin(t.Context())
	err := s.DB.Read(t.Context(), func(tx *db.Tx) error {
		hash, err := db.Column[[]byte](t.Context(), tx, `SELECT hash FROM maintenance_door`)
		if err != nil || !slices.Equal(hash[0], secretHash(secret)) || len(hash[0]) != 32 {
			t.Errorf("%x, %v", hash, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}

	s.opened()
	s.Begin(t.Context())
	s.reg.Clock.Advance(endedKept + time.Hour)
	s.opened()
	if list, _ := s.List(t.Context()); len(list) != 2 || list[0].Number != 3 || list[1].Number != 2 {
		t.Errorf("%+v", list)
	}
}
