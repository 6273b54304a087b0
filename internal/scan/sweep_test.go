package scan

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// network answers connections as it is told, by address and number of the try.
type network struct {
	mu    sync.Mutex
	tries map[string]int
	says  func(address string, try int) error
}

func (n *network) dial(_ context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	if n.tries == nil {
		n.tries = map[string]int{}
	}
	n.tries[address]++
	try := n.tries[address]
	n.mu.Unlock()
	if err := n.says(address, try); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	a, b := net.Pipe()
	b.Close()
	return a, nil
}

func privateNetwork(t *testing.T, says func(address string, try int) error) (*Result, error) {
	t.Helper()
	p := netip.MustParsePrefix("10.9.0.0/30")
	n := &network{says: says}
	return Run(t.Context(), Options{Targets: targets(t, p.String()), Scope: &Scope{Ranges: []Range{{Range: Prefix{p}, Owned: true}}},
		Dial: n.dial, Timeout: 50 * time.Millisecond, ConnectTimeout: 50 * time.Millisecond, Pause: time.Microsecond, NoHost: true})
}

func found4242(r *Result) bool {
	return r != nil && len(r.Hosts) == 1 && r.Hosts[0].Facts.Address.String() == "10.9.0.2" && r.Hosts[0].Facts.Services[0].Port == 4242
}

func TestAFirewallThatSaysUnreachableForClosedPortsHidesNothing(t *testing.T) {
	t.Parallel()
	r, err := privateNetwork(t, func(address string, _ int) error {
		switch {
		case address == "10.9.0.2:4242":
			return nil
		case strings.HasPrefix(address, "10.9.0.2:"):
			return os.NewSyscallError("connect", syscall.EHOSTUNREACH)
		}
		return os.ErrDeadlineExceeded
	})
	if err != nil || !found4242(r) {
		t.Errorf("%v %+v", err, r)
	}
}

func TestOneLostPacketMissesNoService(t *testing.T) {
	t.Parallel()
	r, err := privateNetwork(t, func(address string, try int) error {
		switch {
		case address == "10.9.0.2:4242" && try > 1:
			return nil
		case address == "10.9.0.2:4242":
			return os.ErrDeadlineExceeded
		case strings.HasPrefix(address, "10.9.0.2:"):
			return os.NewSyscallError("connect", syscall.ECONNREFUSED)
		}
		return os.ErrDeadlineExceeded
	})
	if err != nil || !found4242(r) {
		t.Errorf("%v %+v", err, r)
	}
}

func TestAMachineWithoutSocketsWaitsAndNeverMissesInSilence(t *testing.T) {
	t.Parallel()
	says := func(lasting bool) func(string, int) error {
		return func(address string, try int) error {
			switch {
			case address == "10.9.0.2:4242" && (lasting || try < 3):
				return os.NewSyscallError("socket", syscall.EMFILE)
			case address == "10.9.0.2:4242":
				return nil
			}
			return os.NewSyscallError("connect", syscall.ECONNREFUSED)
		}
	}
	if r, err := privateNetwork(t, says(false)); err != nil || !found4242(r) {
		t.Errorf("sockets came back: %v %+v", err, r)
	}
	r, err := privateNetwork(t, says(true))
	if err == nil || !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "limit of open files") {
		t.Errorf("no sockets: %v", err)
	}
	if r.Looked >= 4 {
		t.Errorf("%d of 4 addresses count as looked at", r.Looked)
	}
}

func TestSpellingsOfAddressesThatDeceiveAreRefused(t *testing.T) {
	t.Parallel()
	asked := func(_ context.Context, host string) ([]netip.Addr, error) {
		t.Errorf("%s was given to the resolver", host)
		return nil, errors.New("no")
	}
	for _, s := range []string{"2130706433", "0x7f000001", "0x7F.1", "127.1", "010.0.0.1", "10.010.0.1", "0300.0250.0.1", "10.0.0.1.", "10.0.0.256", "1e1.2.3.4", "::ffff:0:0/96", "::ffff:10.0.0.0/104",
		"fe80::1%eth0", "10.0.0.1/33", "10.0.0.0/", "", ":104", "[::1", "10.0.0.1 10.0.0.2", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:1-", "10.0.0.5-9"} {
		if got, err := ParseTarget(t.Context(), s, asked); err == nil {
			t.Errorf("%q was taken for %v", s, got)
		}
	}
}

func TestWhatNamesAndMappedAddressesLeadToIsHeldAgainstTheScope(t *testing.T) {
	t.Parallel()
	own := netip.MustParsePrefix("10.1.0.0/16")
	scope := &Scope{Ranges: []Range{{Range: Prefix{own}, Owned: true}}, Exclude: []Prefix{{netip.MustParsePrefix("10.1.9.9/32")}}}
	for address, want := range map[string]string{
		"8.8.8.8": "public", "::ffff:8.8.8.8": "public", "10.2.0.1": "nobody declared", "169.254.169.254": "secrets", "::ffff:169.254.169.254": "secrets", "fd00:ec2::254": "secrets",
		"0.0.0.0": "not the address", "::": "not the address", "255.255.255.255": "not the address", "ff02::1": "not the address", "::ffff:0.0.0.0": "not the address", "10.1.9.9": "excluded", "::ffff:10.1.9.9": "excluded",
		"64:ff9b::a01:1": "public", "2002:a01:1::1": "public", "::10.1.0.1": "public",
	} {
		resolve := func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr(address)}, nil
		}
		list, err := ParseTarget(t.Context(), "rebinding.example:104", resolve)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Run(t.Context(), Options{Targets: list, Scope: scope, Dial: func(context.Context, string, string) (net.Conn, error) {
			t.Errorf("%s: something was sent", address)
			return nil, errors.New("no")
		}})
		if !errors.Is(err, ErrScope) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

func TestWideRangesAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0.0.0.0/0", "::/0", "128.0.0.0/1", "10.0.0.0/7", "126.0.0.0/7", "127.0.0.0/7", "169.254.169.254", "169.254.169.254/32", "::/127", "fc00::/6", "192.168.0.0/15"} {
		list := targets(t, s)
		scope := &Scope{}
		for _, target := range list {
			scope.Own(target.Prefix) // what --own targets does
		}
		if _, err := Run(t.Context(), Options{Targets: list, Scope: scope, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			t.Errorf("%s: %s was dialled", s, address)
			return nil, errors.New("no")
		}}); !errors.Is(err, ErrScope) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestARangeNeverTouchesWhatIsExcluded(t *testing.T) {
	t.Parallel()
	list := targets(t, "169.254.169.0/24")
	scope := &Scope{Exclude: []Prefix{{netip.MustParsePrefix("169.254.169.128/25")}}}
	if err := scope.Own(list[0].Prefix); err != nil {
		t.Fatal(err)
	}
	list = append(list, targets(t, "127.92.0.0/30")...)
	scope.Exclude = append(scope.Exclude, Prefix{netip.MustParsePrefix("127.92.0.1/32")})
	_, err := Run(t.Context(), Options{Targets: list, Scope: scope, Ports: []uint16{104}, HL7Ports: []uint16{}, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		a := netip.MustParseAddrPort(address).Addr()
		if metadata(a) || scope.excluded(a) {
			t.Errorf("%s was dialled", address)
		}
		return nil, syscall.ECONNREFUSED
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestTheSameHostWithAndWithoutPortsIsNoNarrowing(t *testing.T) {
	t.Parallel()
	list := append(targets(t, "127.92.1.1"), targets(t, "127.92.1.1:104")...)
	if _, err := newPlan(list, &Scope{}); err == nil || !strings.Contains(err.Error(), "other ports") {
		t.Errorf("all ports and one port of the same host: %v", err)
	}
	list = append(targets(t, "127.92.1.1:11112"), targets(t, "127.92.1.1:104,105")...)
	if p, err := newPlan(list, &Scope{}); err != nil || len(p.targets) != 1 || len(p.targets[0].Ports) != 3 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestARangeOfIPv6IsLookedAtOnceEach(t *testing.T) {
	t.Parallel()
	p := netip.MustParsePrefix("fd00:9::ff00/120")
	n := &network{says: func(address string, _ int) error {
		if address == "[fd00:9::ff7e]:104" {
			return nil
		}
		return os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}}
	r, err := Run(t.Context(), Options{Targets: targets(t, p.String()), Scope: &Scope{Ranges: []Range{{Range: Prefix{p}, Owned: true}}}, Ports: []uint16{104}, HL7Ports: []uint16{},
		Dial: n.dial, NoHost: true, Pause: time.Microsecond, Timeout: 50 * time.Millisecond})
	if err != nil || len(r.Hosts) != 1 || r.Hosts[0].Facts.Address.String() != "fd00:9::ff7e" || r.Looked != 256 {
		t.Fatalf("%v %+v", err, r)
	}
	for address, tries := range n.tries {
		if tries != 1 && address != "[fd00:9::ff7e]:104" {
			t.Errorf("%s was tried %d times", address, tries)
		}
	}
	if len(n.tries) != 256 {
		t.Errorf("%d addresses were tried", len(n.tries))
	}
}
