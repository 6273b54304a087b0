package kind

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// lookUpMost is how long the addresses of a name may take.
const lookUpMost = 5 * time.Second

// How long the addresses of a name count, and how long that nobody knows a name; and how
// many names are remembered.
const (
	namesFor   = time.Minute
	unknownFor = 10 * time.Second
	namesMost  = 4096
)

type resolver = func(ctx context.Context, host string) ([]netip.Addr, error)

// Names remembers for a while which addresses names have, so that who calls often asks
// no resolver each time. The zero value is ready. Safe for concurrent use.
type Names struct {
	// LookUp finds the addresses of a name; nil asks the resolver of this machine.
	LookUp resolver

	mu    sync.Mutex
	known map[string]named
}

// named is what was found under a name.
type named struct {
	addresses []netip.Addr // the last that were known
	on        time.Time
	err       error // why they are not known now
}

// fresh reports what need not be looked up again.
func (n named) fresh() bool {
	if n.err != nil {
		return time.Since(n.on) < unknownFor
	}
	return time.Since(n.on) < namesFor
}

// Addresses are the IP addresses of a host, which may be one itself. With an error they
// are those that it had before, if any. The list is not to be changed.
func (n *Names) Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	before, ok := n.known[host]
	n.mu.Unlock()
	if ok && before.fresh() {
		return before.addresses, before.err
	}

	// Who asks may leave; what is found counts for others.
	found, err := lookUp(context.WithoutCancel(ctx), host, n.LookUp)
	if err != nil {
		found = before.addresses
	}
	n.remember(host, named{addresses: found, err: err})
	return found, err
}

func (n *Names) remember(host string, found named) {
	found.on = time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= namesMost {
		n.known = map[string]named{} // nobody has so many: each is asked for again
	}
	n.known[host] = found
}

// lookUp finds the addresses of a host by a resolver; nil is that of this machine.
func lookUp(ctx context.Context, host string, resolve resolver) (list []netip.Addr, err error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	if resolve == nil {
		resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}

	ctx, cancel := context.WithTimeout(ctx, lookUpMost)
	defer cancel()
	found, err := resolve(ctx, host)
	for _, ip := range found {
		list = append(list, ip.Unmap())
	}
	return list, err
}

// AddressesOf is the IP addresses of host:port, looked up now; none of a name that is not
// found.
func AddressesOf(ctx context.Context, hostPort string) []netip.Addr {
	host, _, _ := net.SplitHostPort(hostPort)
	list, err := lookUp(ctx, host, nil)
	if err != nil {
		return nil
	}
	return list
}
