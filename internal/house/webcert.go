package house

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"collimator/internal/config"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/outward"
	"collimator/internal/tlsprofile"
)

// acmeDir is where what an ACME authority issued is kept, in the data directory.
const acmeDir = "keys/acme"

// webTLS is the TLS configuration of the HTTPS listener: certificate files,
// ACME, or the server's own authority.
func (s *Server) webTLS() (*tls.Config, error) {
	own := s.Certificate.Get
	switch t := s.in.Config.TLS; {
	case t.Certificate != "":
		f, err := identity.NewFileCertificate(t.Certificate, t.Key, time.Now, s.badCertificate)
		if err != nil {
			return nil, err
		}

		s.FileCertificate = f
		s.hangup = make(chan os.Signal, 1)
		signal.Notify(s.hangup, syscall.SIGHUP) // before anybody can connect and know that we run
		return tlsprofile.WebServer(f.Get), nil
	case t.ACME.Directory != "":
		return s.acmeTLS(t.ACME)
	}
	return tlsprofile.WebServer(own), nil
}

func (s *Server) badCertificate(err error) {
	s.log.Error("certificate for browsers not read; the one before, where there is one, stays in force", "error", err)
}

// acmeTLS makes the configuration of a listener whose certificates come from an ACME
// authority. The listener itself answers the challenge (TLS-ALPN-01, RFC 8737). A
// client that asks for a host which a does not name gets the server's own certificate.
func (s *Server) acmeTLS(a config.ACME) (*tls.Config, error) {
	roots, err := RootsOf("tls.acme.roots", a.Roots)
	if err != nil {
		return nil, err
	}

	way, err := outward.New(s.in.Config.Outward.Options())
	if err != nil {
		return nil, fault.Usage("%w", err)
	}
	client := way.Client(30*time.Second, &tls.Config{RootCAs: roots})

	dir := filepath.Join(s.in.Config.Data, filepath.FromSlash(acmeDir))
	if err := durable.Directory(dir); err != nil {
		return nil, fmt.Errorf("make the directory for certificates: %w", err)
	}

	m := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(dir), HostPolicy: autocert.HostWhitelist(a.Hosts...), Email: a.Email,
		Client: &acme.Client{DirectoryURL: a.Directory, HTTPClient: client, UserAgent: "collimator"},
	}

	if a.EABKeyFile != "" {
		binding, err := accountBinding(a)
		if err != nil {
			return nil, err
		}
		m.ExternalAccountBinding = binding
	}

	c := tlsprofile.WebServer(s.Certificate.Get)
	c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
		if !slices.Contains(a.Hosts, host) {
			return s.Certificate.Get()
		}

		cert, err := m.GetCertificate(hello)
		if err != nil {
			s.log.Error("no certificate from the ACME authority", "host", hello.ServerName, "error", err)
		}
		return cert, err
	}
	return c, nil
}

// accountBinding is the account at an ACME authority to which ours is bound. That
// others may read the key is said by CheckOutside, and keeps no server from starting.
func accountBinding(a config.ACME) (*acme.ExternalAccountBinding, error) {
	line, err := lineOf(eabKey, a.EABKeyFile, 1)
	if err != nil {
		return nil, err
	}
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(string(line), "="))
	if err != nil || len(key) == 0 {
		return nil, fault.Usage("%s: want a key in base64url on the first line of %s", eabKey, a.EABKeyFile)
	}
	return &acme.ExternalAccountBinding{KID: a.EABKeyID, Key: key}, nil
}

// reloads reads the certificate files at each SIGHUP until ctx ends. Nothing
// that is open is dropped.
func (s *Server) reloads(ctx context.Context) {
	if s.FileCertificate == nil {
		return
	}

	defer signal.Stop(s.hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.hangup:
			if err := s.FileCertificate.Reload(); err != nil {
				s.badCertificate(err)
			} else {
				s.log.Info("certificate for browsers read again")
			}
		}
	}
}
