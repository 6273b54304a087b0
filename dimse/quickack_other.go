//go:build !linux

package dimse

import "net"

// tuned sets up a connection for request and response.
func tuned(conn net.Conn) net.Conn {
	if tcp := tcpOf(conn); tcp != nil {
		tcp.SetNoDelay(true)
	}
	return conn
}
