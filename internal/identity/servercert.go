package identity

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// ServerCertificate hands out the server's own certificate, which the
// authority issues and renews by itself. Safe for concurrent use.
type ServerCertificate struct {
	authority *Authority
	hosts     []string
	keyFile   string // has the certificate, too
	certFile  string

	mu      sync.Mutex
	current *tls.Certificate
	written time.Time // when its file was
}

// NewServerCertificate makes or loads the certificate for the given host names
// and addresses; localhost and the loopback addresses are always in it.
func NewServerCertificate(a *Authority, hosts []string) (*ServerCertificate, error) {
	s := newServerCertificate(a, hosts)
	_, err := s.Get()
	return s, err
}

func newServerCertificate(a *Authority, hosts []string) *ServerCertificate {
	all := []string{"localhost", "127.0.0.1", "::1"}
	for _, h := range hosts {
		if h != "" && !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	return &ServerCertificate{authority: a, hosts: all, keyFile: serverKeyFile, certFile: serverCertFile}
}

// NewHostCertificate makes or loads a certificate for one host name or address alone, beside that
// of the server, which others pin. The host becomes a part of file names: letters, digits,
// dots, hyphens and colons.
func NewHostCertificate(a *Authority, host string) (*ServerCertificate, error) {
	name := "host-" + strings.ReplaceAll(host, ":", "_")
	s := &ServerCertificate{authority: a, hosts: []string{host}, keyFile: name + ".key.pem", certFile: name + ".cert.pem"}
	_, err := s.Get()
	return s, err
}

// Get is the certificate to present now; it is renewed in time and when a host
// was added.
func (s *ServerCertificate) Get() (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.rotated() {
		if err := s.load(); err != nil {
			return nil, err
		}
	}
	if s.current == nil || !s.fits(s.current) {
		if err := s.renew(); err != nil {
			return nil, err
		}
	}
	return s.current, nil
}

// rotated reports that a command has put another certificate into the file.
func (s *ServerCertificate) rotated() bool {
	info, err := os.Stat(filepath.Join(s.authority.dir, s.keyFile))
	return err == nil && !info.ModTime().Equal(s.written)
}

func (s *ServerCertificate) fits(c *tls.Certificate) bool {
	if s.authority.now().After(c.Leaf.NotAfter.Add(-renewBefore)) || c.Leaf.CheckSignatureFrom(s.authority.cert) != nil {
		return false
	}
	for _, h := range s.hosts {
		if c.Leaf.VerifyHostname(h) != nil {
			return false
		}
	}
	return true
}

// load reads key and certificate, which stand in one file each; the key file
// holds both, so that a crash between two writes cannot part them.
func (s *ServerCertificate) load() error {
	path := filepath.Join(s.authority.dir, s.keyFile)
	if info, err := os.Stat(path); err == nil {
		s.written = info.ModTime()
	}

	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("identity: server certificate: %w", err)
	}

	pair, err := tls.X509KeyPair(b, b)
	if err != nil {
		return fmt.Errorf("identity: %s: %w; remove the file and it is made anew", s.keyFile, err)
	}
	s.current = &pair
	return nil
}

func (s *ServerCertificate) renew() error {
	issued, err := s.authority.issueServer(s.hosts)
	if err != nil {
		return err
	}

	both := append(append([]byte{}, issued.KeyPEM...), issued.CertPEM...)
	both = append(both, encodeCert(s.authority.cert.Raw)...)
	if err := writeWhole(filepath.Join(s.authority.dir, s.keyFile), both, 0o600); err != nil {
		return err
	}

	if info, err := os.Stat(filepath.Join(s.authority.dir, s.keyFile)); err == nil {
		s.written = info.ModTime()
	}

	if err := writeWhole(filepath.Join(s.authority.dir, s.certFile), issued.CertPEM, 0o644); err != nil {
		return err
	}

	pair, err := tls.X509KeyPair(both, both)
	if err != nil {
		return fmt.Errorf("identity: server certificate: %w", err)
	}
	s.current = &pair
	return nil
}
