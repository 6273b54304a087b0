package house

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// bareAddresses are those from which a device may come with TLS and without a
// certificate. The handshake of everybody else demands one.
type bareAddresses struct {
	s *Server

	mu    sync.Mutex
	until map[netip.Addr]time.Time
}

// may reports whether a peer of an address is let through the handshake. Who it
// is, is decided behind it.
func (b *bareAddresses) may(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Before(b.until[tcp.AddrPort().Addr().Unmap()])
}

// Run follows the register until ctx ends.
func (b *bareAddresses) run(ctx context.Context) {
	ticker := time.NewTicker(cmp.Or(b.s.in.LookEvery, exceptionsEvery))
	defer ticker.Stop()
	for {
		b.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look reads the register once; where that fails, what was read before counts.
func (b *bareAddresses) look(ctx context.Context) {
	until, err := b.s.in.Registry.WithoutCertificate(ctx)
	if err != nil {
		if ctx.Err() == nil {
			b.s.log.Error("exceptions without a certificate not read", "error", err)
		}
		return
	}

	b.mu.Lock()
	before := len(b.until)
	b.until = until
	b.mu.Unlock()
	if len(until) > before {
		b.s.log.Warn("devices with an exception may come WITHOUT A CERTIFICATE; see 'collimator device list'", "addresses", len(until))
	}
}
