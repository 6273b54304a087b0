package reverse

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"collimator/internal/fault"
	"collimator/internal/tlsprofile"
)

// Bounds of the system behind.
const (
	dialMost   = 10 * time.Second
	silentMost = 30 * time.Second // between two pieces of what it reads or writes
)

// transport reaches the system behind. It follows no redirect, asks for no compression, and has
// no proxy: what stands between is a cable. Each request has a connection of its own: what a system
// sends after an answer, such as a body to HEAD, must not become the answer to somebody else.
func (r *Route) transport() (*http.Transport, error) {
	t := &http.Transport{
		DialContext:            r.dial,
		DisableCompression:     true,
		ResponseHeaderTimeout:  r.wait(),
		TLSHandshakeTimeout:    dialMost,
		ExpectContinueTimeout:  time.Second,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: headerMost,
		WriteBufferSize:        pieceSize,
		ReadBufferSize:         pieceSize,
	}
	config, err := r.secure()
	t.TLSClientConfig = config
	return t, err
}

// secure is the TLS to the system behind; nil without.
func (r *Route) secure() (*tls.Config, error) {
	var trust tlsprofile.Trust
	switch {
	case r.CA == "" && r.Fingerprint == "":
		return nil, nil
	case r.Fingerprint != "":
		trust.Fingerprints = []string{r.pin()}
	default:
		trust.ServerName, _, _ = net.SplitHostPort(r.Behind())
		trust.Roots = x509.NewCertPool()
		pem, err := os.ReadFile(r.CA)
		if err != nil {
			return nil, err
		}
		if !trust.Roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("ca: there is no certificate in " + r.CA)
		}
	}
	return tlsprofile.AssociationClient(nil, trust), nil
}

func (r *Route) dial(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := r.reach(ctx, address)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// reach opens a connection that ends when nothing moves on it.
func (r *Route) reach(ctx context.Context, address string) (*watchedConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialMost)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "reverse: the system behind is not reached")
	}
	return &watchedConn{Conn: conn, wait: r.wait() + silentMost}, nil
}

// watchedConn is a connection on which every piece has its time.
type watchedConn struct {
	net.Conn
	wait time.Duration // for a piece to read
}

// Read implements net.Conn.
func (c *watchedConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.wait)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *watchedConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(silentMost)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
