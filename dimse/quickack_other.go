//go:build !linux

package dimse

import "net"

// tuned sets up a connection for request and response.
func tuned(conn net.Conn) net.Conn {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetNoDelay(true)
	}
	return conn
}
