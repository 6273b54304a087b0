// Package tlsprofile makes the TLS configurations of the project: versions,
// suites and curves of the BCP 195 TLS Secure Transport Connection Profile
// (PS3.15 B.12, RFC 9325), for servers that ask the peer for its certificate
// and for clients that pin the server's. It keeps no keys and decides no access.
package tlsprofile

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
)

// suites are the TLS 1.2 suites of RFC 9325 4.2: ECDHE with AEAD only. TLS 1.3
// suites are not configurable and all meet the profile.
func suites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

func base() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		CipherSuites: suites(),
		CurvePreferences: []tls.CurveID{
			tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521,
		},
		Renegotiation: tls.RenegotiateNever,
	}
}

// AssociationServer is the profile of the DICOM listener. Every peer must
// present a certificate and prove that it holds the key; whether that
// certificate belongs to a device is decided above, where the AE titles are
// known too, so that an unknown peer is refused with a reject it understands
// and can be approved. certificate is asked on every handshake, so that a
// renewed one is used without a restart. Session tickets are off: a removed
// device must not come back on an old one.
func AssociationServer(certificate func() (*tls.Certificate, error)) *tls.Config {
	c := base()
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate() }
	c.ClientAuth = tls.RequireAnyClientCert
	c.SessionTicketsDisabled = true
	return c
}

// WithoutCertificate has a configuration of AssociationServer let peers of some
// addresses come without a certificate: it is asked for all the same. The others
// are refused in the handshake as before. may is called for each handshake.
func WithoutCertificate(c *tls.Config, may func(net.Addr) bool) *tls.Config {
	asks := c.Clone()
	asks.ClientAuth = tls.RequestClientCert
	c = c.Clone()

	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if may(hello.Conn.RemoteAddr()) {
			return asks, nil
		}
		return nil, nil
	}

	return c
}

// WebServer is the profile of the HTTPS listener; no client certificate is asked for.
func WebServer(certificate func() (*tls.Certificate, error)) *tls.Config {
	c := base()
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate() }
	c.NextProtos = []string{"h2", "http/1.1"}
	return c
}

// Client is the profile of a client of other services, such as an audit record
// repository, with its own certificate where the server asks for one. The
// server needs a certificate for serverName from one of the roots; nil stands
// for those of the system.
func Client(certificate func() (*tls.Certificate, error), roots *x509.CertPool, serverName string) *tls.Config {
	c := base()
	c.RootCAs = roots
	c.ServerName = serverName
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate() }
	return c
}

// Trust says which server a client accepts. An AE title is not a host name, so
// the name in the certificate is not compared: a certificate counts when its
// fingerprint is pinned or a root vouches for it.
type Trust struct {
	// Fingerprints are SHA-256 hashes of certificates, as Fingerprint prints them.
	Fingerprints []string
	// Roots may be nil. With pinned fingerprints the pin decides alone.
	Roots *x509.CertPool
	// ServerName, where set, must also be in the certificate (RFC 9525).
	ServerName string
	// Unit, where set, must be an organizational unit of the certificate's subject:
	// an authority that issues certificates for several uses writes there which.
	Unit string
}

// AssociationClient is the profile of an association requestor with its own
// certificate. It refuses a server that trust does not name.
func AssociationClient(own *tls.Certificate, trust Trust) *tls.Config {
	c := base()
	if own != nil {
		// Presented whatever authorities the server names: a device of ours may be pinned there.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil }
	}

	c.ServerName = trust.ServerName
	c.InsecureSkipVerify = true // VerifyConnection below does the verification, on resumption too
	c.VerifyConnection = trust.verify
	return c
}

// ErrUntrusted is wrapped by the handshake error of a client whose server is
// neither pinned nor vouched for.
var ErrUntrusted = errors.New("tlsprofile: certificate is not trusted")

// VerifyCaller holds the certificate of a peer that called us against t. The
// handshake of AssociationServer proves only that the peer has the key of it.
func (t Trust) VerifyCaller(cs tls.ConnectionState) error {
	return t.verifyFor(cs, x509.ExtKeyUsageClientAuth)
}

func (t Trust) verify(cs tls.ConnectionState) error {
	return t.verifyFor(cs, x509.ExtKeyUsageServerAuth)
}

func (t Trust) verifyFor(cs tls.ConnectionState, usage x509.ExtKeyUsage) error {
	if len(cs.PeerCertificates) == 0 {
		return fmt.Errorf("%w: none was presented", ErrUntrusted)
	}
	leaf := cs.PeerCertificates[0]

	if len(t.Fingerprints) > 0 {
		for _, f := range t.Fingerprints {
			if f == Fingerprint(leaf) {
				return nil
			}
		}
		return fmt.Errorf("%w: fingerprint %s is not the pinned one", ErrUntrusted, Fingerprint(leaf))
	}

	opts := x509.VerifyOptions{
		Roots:         t.Roots,
		Intermediates: x509.NewCertPool(),
		DNSName:       t.ServerName,
		KeyUsages:     []x509.ExtKeyUsage{usage},
	}
	if opts.Roots == nil {
		return fmt.Errorf("%w: neither a root nor a fingerprint was given", ErrUntrusted)
	}

	for _, c := range cs.PeerCertificates[1:] {
		opts.Intermediates.AddCert(c)
	}

	if _, err := leaf.Verify(opts); err != nil {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}

	if t.Unit != "" && !slices.Contains(leaf.Subject.OrganizationalUnit, t.Unit) {
		return fmt.Errorf("%w: it is not that of a %s", ErrUntrusted, t.Unit)
	}
	return nil
}

// Fingerprint is the SHA-256 of the certificate in lower-case hex.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
