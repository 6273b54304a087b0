package harness

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Relay stands between a client and a server and keeps every byte that passes.
type Relay struct {
	Address string

	mu        sync.Mutex
	recorded  bytes.Buffer
	open, max int
	total     int
}

// StartRelay listens at an address until the test ends and passes each
// connection on to another address.
func StartRelay(t testing.TB, listen, to string) *Relay {
	t.Helper()
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}

	r := &Relay{Address: ln.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.begin()
			wg.Go(func() { r.pass(c, to) })
		}
	})

	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
	return r
}

// relayLimit ends a connection that neither side ends.
const relayLimit = time.Minute

func (r *Relay) pass(c net.Conn, to string) {
	defer c.Close()
	ended := sync.OnceFunc(r.end)
	defer ended()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	end := time.Now().Add(relayLimit)
	c.SetDeadline(end)
	s.SetDeadline(end)
	var wg sync.WaitGroup
	one := func(dst, src net.Conn) {
		io.Copy(dst, io.TeeReader(src, r))
		dst.(*net.TCPConn).CloseWrite()
	}
	// When the client is gone, so is the connection to the server.
	wg.Go(func() {
		one(s, c)
		ended()
		s.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	})
	one(c, s)
	c.Close()
	wg.Wait()
}

// grace is how long the end of one connection may take to be seen here after
// the next has come: the two are noticed by different goroutines.
const grace = 250 * time.Millisecond

func (r *Relay) begin() {
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if open, _, _ := r.Connections(); open == 0 {
			break
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	r.total++
	r.max = max(r.max, r.open)
}

func (r *Relay) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
}

// Write implements io.Writer: it keeps what passes.
func (r *Relay) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recorded.Write(p)
}

// Recorded is all that passed, in both directions.
func (r *Relay) Recorded() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.recorded.Bytes())
}

// Connections is how many are open now, how many were at a time at most, and
// how many there were.
func (r *Relay) Connections() (open, most, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open, r.max, r.total
}
