//go:build linux

package dimse

import (
	"net"
	"syscall"
)

// quickConn asks the kernel after every read to acknowledge at once. Peers that
// leave Nagle on and write header and body of a PDU separately (DCMTK and what is
// built on it) wait for that acknowledgement with the body of every PDU.
type quickConn struct {
	*net.TCPConn
	conn net.Conn // what the listener gave: the TCP connection or what it wrapped around it
	raw  syscall.RawConn
	arm  func(fd uintptr)
}

const tcpQuickAck = 12 // TCP_QUICKACK of linux/tcp.h

// tuned sets up a connection for request and response.
func tuned(conn net.Conn) net.Conn {
	tcp := tcpOf(conn)
	if tcp == nil {
		return conn
	}

	tcp.SetNoDelay(true)
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}

	q := &quickConn{TCPConn: tcp, conn: conn, raw: raw}
	q.arm = func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpQuickAck, 1) }
	raw.Control(q.arm)
	return q
}

// Read implements net.Conn. The kernel leaves quick acknowledgement by itself, hence every time.
func (c *quickConn) Read(b []byte) (int, error) {
	n, err := c.conn.Read(b)
	c.raw.Control(c.arm)
	return n, err
}

// Close implements net.Conn.
func (c *quickConn) Close() error { return c.conn.Close() }
