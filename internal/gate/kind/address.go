package kind

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// lookUpMost is how long the addresses of a name may take.
const lookUpMost = 5 * time.Second

// AddressesOf is the IP addresses of host:port; none of a name that is not found.
func AddressesOf(ctx context.Context, hostPort string) (list []netip.Addr) {
	host, _, _ := net.SplitHostPort(hostPort)
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}
	}

	ctx, cancel := context.WithTimeout(ctx, lookUpMost)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for _, a := range found {
		list = append(list, a.Unmap())
	}
	return list
}
