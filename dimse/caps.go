package dimse

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// caps bounds connections in all, per address, and how fast one address opens them.
type caps struct {
	lim   Limits
	mu    sync.Mutex
	total int
	byIP  map[netip.Addr]*caller
}

// caller is one address. It is forgotten when it has no connection and its tokens are full again.
type caller struct {
	open   int
	tokens float64
	at     time.Time
}

func newCaps(lim Limits) *caps { return &caps{lim: lim, byIP: make(map[netip.Addr]*caller)} }

// take counts a new connection, or says that there is no room for it.
func (c *caps) take(from net.Addr) bool {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()

	ip := address(from)
	w := c.byIP[ip]
	if w == nil {
		if len(c.byIP) >= 4*c.lim.Connections {
			c.forget(now)
		}
		w = &caller{tokens: float64(2 * c.lim.ConnectionRate), at: now}
		c.byIP[ip] = w
	}

	c.refill(w, now)
	if w.tokens < 1 || w.open >= c.lim.ConnectionsPerAddress || c.total >= c.lim.Connections {
		return false
	}

	w.tokens--
	w.open++
	c.total++
	return true
}

func (c *caps) refill(w *caller, now time.Time) {
	w.tokens = min(w.tokens+now.Sub(w.at).Seconds()*float64(c.lim.ConnectionRate), float64(2*c.lim.ConnectionRate))
	w.at = now
}

// give counts a connection that ended.
func (c *caps) give(from net.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if w := c.byIP[address(from)]; w != nil {
		w.open--
	}
}

// forget drops addresses that have nothing to remember.
func (c *caps) forget(now time.Time) {
	for ip, w := range c.byIP {
		c.refill(w, now)
		if w.open == 0 && w.tokens >= float64(2*c.lim.ConnectionRate) {
			delete(c.byIP, ip)
		}
	}
}

// address is the IP address without zone; of IPv6 the /64, which is what one site has.
func address(a net.Addr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}

	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{} // a pipe: all the same caller
	}

	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return ip
}
