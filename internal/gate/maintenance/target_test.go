package maintenance

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"collimator/internal/fault"
)

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
