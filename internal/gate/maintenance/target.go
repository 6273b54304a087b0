package maintenance

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"collimator/internal/fault"
)

// Place is what stands behind a route.
type Place struct {
	// Guarded are the addresses of its system with the port that the rules of the route
	// guard; port 0 is that of a system that is called at none.
	Guarded []netip.AddrPort
	// Others are what the rules of the other routes guard, those closed among them.
	Others []netip.AddrPort
	// Listeners are the ports on which routes listen on this machine.
	Listeners []uint16
}

// metadata are addresses at which machines of a provider tell their secrets, beside
// 169.254.169.254, which is link-local.
var metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200")}

// parseTarget reads IP:PORT. Names are none: what they mean may change.
func parseTarget(flag, text string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(text)
	if err != nil || at.Port() == 0 || at.Addr().Zone() != "" {
		return at, fault.Newf(fault.Invalid, "maintenance: %s: %q is not IP:PORT, such as 10.0.0.9:5900; "+
			"a name may come to mean another machine", flag, text)
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}

// target reads the target of an order and says whether it is another machine than the
// route's.
func (o Order) target(p Place) (at netip.AddrPort, elsewhere bool, err error) {
	if at, err = parseTarget("--to", o.To); err != nil {
		return at, false, err
	}
	if p.has(at.Addr()) {
		return at, false, nil
	}

	again := netip.AddrPort{}
	if o.Elsewhere != "" {
		if again, err = parseTarget("--elsewhere", o.Elsewhere); err != nil {
			return at, false, err
		}
	}
	if again != at {
		return at, false, fault.Newf(fault.Invalid,
			"maintenance: %s is not the address of the system behind %s; where it is meant, name it a second time: --elsewhere %s",
			at.Addr(), o.Route, at)
	}
	return at, true, nil
}

func (p Place) has(ip netip.Addr) bool {
	return slices.ContainsFunc(p.Guarded, func(at netip.AddrPort) bool { return at.Addr() == ip })
}

// reaches fails where a door does not lead where it may: its route is gone or closed,
// the system behind it has another address now, or the target has become one of this
// machine.
func (d *Doors) reaches(ctx context.Context, x Door) error {
	p, err := d.Place(ctx, x.Route)
	if err != nil {
		return err
	}
	if !x.Elsewhere && !p.has(x.Target.Addr()) {
		return fault.Newf(fault.Conflict, "maintenance: the system behind %s is not at %s any more", x.Route, x.Target.Addr())
	}
	return d.allowed(x.Target, p)
}

// allowed fails for targets to which no door leads, whoever names them.
func (d *Doors) allowed(at netip.AddrPort, p Place) error {
	own, err := d.addresses()
	if err != nil {
		return fault.Newf(fault.Unavailable, "maintenance: the addresses of this machine cannot be read: %v", err)
	}

	ip := at.Addr()
	if inner, ok := within(ip); ok {
		if err := d.allowed(netip.AddrPortFrom(inner, at.Port()), p); err != nil {
			return err
		}
	}
	here := ip.IsLoopback() || slices.Contains(own, ip)
	switch {
	case ip.IsUnspecified(), ip.IsMulticast(), ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fault.Newf(fault.Denied, "maintenance: %s is not the address of one machine", ip)
	case here && (slices.Contains(d.Own, at.Port()) || slices.Contains(p.Listeners, at.Port())):
		return fault.Newf(fault.Denied, "maintenance: %s is this server itself", at)
	case slices.Contains(p.Guarded, at):
		return fault.Newf(fault.Denied, "maintenance: the rules of the route guard %s; a door does not lead past them", at)
	case slices.Contains(p.Others, at):
		return fault.Newf(fault.Denied, "maintenance: the rules of another route guard %s; a door does not lead past them", at)
	case p.has(ip):
		return nil
	case here:
		return fault.Newf(fault.Denied, "maintenance: %s is this machine", ip)
	case ip.IsLinkLocalUnicast(), slices.Contains(metadata, ip):
		return fault.Newf(fault.Denied, "maintenance: %s is an address of this link or of a provider's machine data", ip)
	}
	return nil
}

// Networks of IPv6 in whose addresses one of IPv4 stands, and from which byte on: NAT64,
// 6to4, and what was once compatible.
var translated = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// within is the address of IPv4 that one of IPv6 may lead to.
func within(ip netip.Addr) (inner netip.Addr, ok bool) {
	if !ip.Is6() || ip.IsUnspecified() || ip.IsLoopback() {
		return inner, false
	}
	b := ip.As16()
	for _, t := range translated {
		if t.prefix.Contains(ip) {
			return netip.AddrFrom4([4]byte(b[t.at : t.at+4])), true
		}
	}
	return inner, false
}

// ownAddresses are those of this machine.
func ownAddresses() (list []netip.Addr, err error) {
	all, err := net.InterfaceAddrs()
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				list = append(list, ip.Unmap())
			}
		}
	}
	return list, err
}
