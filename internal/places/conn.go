package places

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// Conn is a connection that has a place.
type Conn struct {
	*net.TCPConn
	room   *Room
	ip     netip.Addr
	remote string
	kind   int
	came   time.Time
	spoke  atomic.Bool // a byte came

	// Guarded by Room.mu.
	place  *list.Element // among those that wait; nil once somebody was admitted
	timer  *time.Timer
	asking int       // requests that are being answered
	rests  time.Time // since when nothing is asked for, after something was; only where ConnState says so
	left   bool
}

// TCP is the connection itself, for what is set on sockets.
func (c *Conn) TCP() *net.TCPConn { return c.TCPConn }

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 && !c.spoke.Load() {
		c.room.speaks(c)
	}
	return n, err
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	c.room.mu.Lock()
	c.room.leave(c)
	c.room.mu.Unlock()
	return c.TCPConn.Close()
}

// speaks notes the first byte: from here on the time to ask for something counts.
func (r *Room) speaks(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()

	c.spoke.Store(true)
	if !c.left && c.place != nil {
		c.timer.Stop()
		c.timer = time.AfterFunc(time.Until(c.came.Add(r.lim.Ask)), c.idle)
	}
}

// silent ends a connection on which no byte came.
func (c *Conn) silent() { c.end("no byte came in time", func() bool { return !c.spoke.Load() }) }

// idle ends a connection on which nobody was admitted and nothing is asked for.
func (c *Conn) idle() {
	c.end("nothing was asked for in time", func() bool { return c.place != nil && c.asking == 0 })
}

func (c *Conn) end(reason string, when func() bool) {
	c.room.mu.Lock()

	ends := !c.left && when()
	if ends {
		c.room.leave(c)
	}
	c.room.mu.Unlock()

	if ends {
		c.TCPConn.Close()
		c.room.refuse(c.TCPConn.RemoteAddr(), reason)
	}
}

// listener gives places to what it accepts.
type listener struct {
	net.Listener
	room *Room
}

// Listen puts a door in front of a room: connections that find no place are
// closed and never returned by Accept.
func (r *Room) Listen(ln net.Listener) net.Listener { return &listener{ln, r} }

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}

		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return conn, nil
		}

		if c := l.room.enter(tcp); c != nil {
			return c, nil
		}
		tcp.Close()
	}
}

// ConnState is the hook of http.Server of that name: a connection on which a
// request is being answered does not give way.
func (r *Room) ConnState(conn net.Conn, state http.ConnState) {
	inner, ok := conn.(interface{ NetConn() net.Conn })
	if ok {
		conn = inner.NetConn()
	}
	c, ok := conn.(*Conn)
	if !ok {
		return
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	switch state {
	case http.StateActive:
		c.asking = 1
		c.rests = time.Time{}
		c.timer.Stop()
	case http.StateIdle:
		c.asking = 0
		c.rests = time.Now()
	}
}
