package places

import (
	"net/http"
	"net/netip"
	"sync"
)

// Requests bounds how many requests are answered at the same time: one
// connection of HTTP/2 carries hundreds of them, and each holds memory from its
// first byte on, whoever sends it and whatever becomes of it. An address may have
// no more than is left free for everybody else. Safe for concurrent use.
type Requests struct {
	total int

	mu      sync.Mutex
	running int
	by      map[netip.Addr]int // of IPv6 the network of 64 bits
}

// NewRequests makes room for so many requests.
func NewRequests(total int) *Requests {
	return &Requests{total: total, by: map[netip.Addr]int{}}
}

// Bound is next for as many requests as there is room for. The others are full's,
// which must not wait for anybody: by HTTP/2 an answer without a body.
func (q *Requests) Bound(next, full http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ip netip.Addr
		if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			ip = site(at.Addr())
		}

		if !q.begin(ip) {
			full.ServeHTTP(w, r)
			return
		}

		defer q.end(ip)
		next.ServeHTTP(w, r)

		if r.ProtoMajor >= 2 {
			// A short answer is written after the handler, when it would not count any
			// more, and may wait there for a window.
			http.NewResponseController(w).Flush()
		}
	})
}

func (q *Requests) begin(ip netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()

	if q.by[ip]+1 > q.total-q.running-1 {
		return false
	}

	q.by[ip]++
	q.running++
	return true
}

func (q *Requests) end(ip netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	if q.by[ip]--; q.by[ip] == 0 {
		delete(q.by, ip)
	}
}
