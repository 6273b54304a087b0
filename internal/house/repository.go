package house

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strconv"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/tlsprofile"
)

// newRepository is the audit record repository of the settings; nil without one.
func (s *Server) newRepository() (*audit.Repository, error) {
	c := s.in.Config.Audit
	if c.Repository == "" {
		return nil, nil
	}

	host, _, err := net.SplitHostPort(c.Repository)
	if err != nil {
		return nil, fault.Usage("audit.repository: want HOST:PORT")
	}

	roots, err := RootsOf("audit.roots", c.Roots)
	if err != nil {
		return nil, err
	}

	machine, err := os.Hostname()
	if err != nil {
		machine = ""
	}

	shown, err := certificateFor(s.in.Config, "audit.certificate", s.Certificate.Get, s.log)
	if err != nil {
		return nil, err
	}

	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: 30 * time.Second}, Config: tlsprofile.Client(shown, roots, host)}
	return &audit.Repository{
		Trail: s.in.Trail, DB: s.in.DB, Name: c.Repository, Log: s.log, States: s.States,
		Origin: audit.Origin{Host: machine, App: "collimator", Process: strconv.Itoa(os.Getpid()), Source: s.in.Config.AE},
		Dial:   func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", c.Repository) },
	}, nil
}

// RootsOf reads whom a setting says to believe; nil stands for the system's roots.
func RootsOf(setting, path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}

	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Usage("%s: %w", setting, err)
	}

	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fault.Usage("%s: no certificate in PEM form in this file", setting)
	}
	return pool, nil
}
