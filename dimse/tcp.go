package dimse

import "net"

// tcpOf is the TCP connection in a connection, nil where there is none: a
// listener may wrap what it accepts, and offer TCP to get at it.
func tcpOf(conn net.Conn) *net.TCPConn {
	switch c := conn.(type) {
	case *net.TCPConn:
		return c
	case interface{ TCP() *net.TCPConn }:
		return c.TCP()
	}
	return nil
}
