package tlsprofile_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"collimator/internal/tlsprofile"
)

func newPair(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// handshake runs over loopback and returns both ends' errors and what the
// server saw.
func handshake(t *testing.T, server, client *tls.Config) (state tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() { done <- dial(l.Addr().String(), client) }()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	s := tls.Server(conn, server)
	if serverErr = s.Handshake(); serverErr == nil {
		_, serverErr = s.Write([]byte{1})
	}
	return s.ConnectionState(), serverErr, <-done
}

func dial(addr string, config *tls.Config) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	c := tls.Client(conn, config)
	if err := c.Handshake(); err != nil {
		return err
	}
	// TLS 1.3 reports the server's verdict on the certificate with the first read.
	_, err = c.Read(make([]byte, 1))
	return err
}

func pool(c *tls.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c.Leaf)
	return p
}

func TestAssociationServerNeedsACertificateAndModernTLS(t *testing.T) {
	t.Parallel()
	own, device := newPair(t, "server"), newPair(t, "device")
	server := tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return own, nil })
	insecure := func(c *tls.Config) *tls.Config { c.InsecureSkipVerify = true; return c }
	for name, tc := range map[string]struct {
		client *tls.Config
		ok     bool
	}{
		"our client":            {tlsprofile.AssociationClient(device, tlsprofile.Trust{Roots: pool(own)}), true},
		"TLS 1.2 with AEAD":     {insecure(&tls.Config{Certificates: []tls.Certificate{*device}, MaxVersion: tls.VersionTLS12}), true},
		"no certificate":        {insecure(&tls.Config{}), false},
		"TLS 1.1":               {insecure(&tls.Config{Certificates: []tls.Certificate{*device}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), false},
		"TLS 1.2 with CBC only": {insecure(&tls.Config{Certificates: []tls.Certificate{*device}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, serverErr, clientErr := handshake(t, server, tc.client)
			if (serverErr == nil && clientErr == nil) != tc.ok {
				t.Fatalf("server: %v; client: %v; want success = %v", serverErr, clientErr, tc.ok)
			}
			if tc.ok && tlsprofile.Fingerprint(state.PeerCertificates[0]) != tlsprofile.Fingerprint(device.Leaf) {
				t.Error("the server sees another certificate")
			}
		})
	}
}

func TestOnlyNamedAddressesComeWithoutACertificate(t *testing.T) {
	t.Parallel()
	own, device := newPair(t, "server"), newPair(t, "device")
	for _, may := range []bool{true, false} {
		server := tlsprofile.WithoutCertificate(tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return own, nil }), func(net.Addr) bool { return may })
		_, serverErr, clientErr := handshake(t, server, tlsprofile.AssociationClient(nil, tlsprofile.Trust{Roots: pool(own)}))
		if (serverErr == nil && clientErr == nil) != may {
			t.Errorf("may %v: server: %v; client: %v", may, serverErr, clientErr)
		}
		state, serverErr, clientErr := handshake(t, server, tlsprofile.AssociationClient(device, tlsprofile.Trust{Roots: pool(own)}))
		if serverErr != nil || clientErr != nil || len(state.PeerCertificates) != 1 {
			t.Errorf("who has a certificate is not asked for it: %v, %v", serverErr, clientErr)
		}
	}
}

func TestClientRefusesAServerItDoesNotTrust(t *testing.T) {
	t.Parallel()
	own, other, device := newPair(t, "server"), newPair(t, "other"), newPair(t, "device")
	server := tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return own, nil })
	for name, tc := range map[string]struct {
		trust tlsprofile.Trust
		ok    bool
	}{
		"root":                      {tlsprofile.Trust{Roots: pool(own)}, true},
		"root and name":             {tlsprofile.Trust{Roots: pool(own), ServerName: "server"}, true},
		"root and another name":     {tlsprofile.Trust{Roots: pool(own), ServerName: "elsewhere"}, false},
		"another root":              {tlsprofile.Trust{Roots: pool(other)}, false},
		"pin":                       {tlsprofile.Trust{Fingerprints: []string{tlsprofile.Fingerprint(own.Leaf)}}, true},
		"another pin beside a root": {tlsprofile.Trust{Roots: pool(own), Fingerprints: []string{tlsprofile.Fingerprint(other.Leaf)}}, false},
		"nothing trusted":           {tlsprofile.Trust{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := handshake(t, server, tlsprofile.AssociationClient(device, tc.trust))
			if (err == nil) != tc.ok {
				t.Errorf("%v, want trusted = %v", err, tc.ok)
			}
			if err != nil && !errors.Is(err, tlsprofile.ErrUntrusted) {
				t.Errorf("%v does not wrap ErrUntrusted", err)
			}
		})
	}
}
