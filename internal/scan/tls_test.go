package scan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"io"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"collimator/internal/finding"
)

func serverCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func tlsService(t *testing.T, address string, cfg *tls.Config, talk func(net.Conn)) {
	t.Helper()
	service(t, address, func(c net.Conn) {
		s := tls.Server(c, cfg)
		if s.Handshake() == nil {
			talk(s)
		}
	})
}

func facts(t *testing.T, opt Options, target string) *finding.Service {
	t.Helper()
	opt.Targets = targets(t, target)
	r := run(t, opt)
	if len(r.Hosts) != 1 {
		t.Fatalf("%d hosts", len(r.Hosts))
	}
	if r.Hosts[0].Facts.Stopped != "" {
		t.Errorf("%s", r.Hosts[0].Facts.Stopped)
	}
	return r.Hosts[0].Facts.Services[0]
}

func TestEveryTLSVersionOfAServerIsSeen(t *testing.T) {
	t.Parallel()
	cert := serverCertificate(t)
	for i, c := range []struct {
		lowest, highest uint16
		want            []string
	}{
		{tls.VersionTLS13, tls.VersionTLS13, []string{"TLS 1.3"}},
		{tls.VersionTLS12, tls.VersionTLS13, []string{"TLS 1.3"}},
		{tls.VersionTLS12, tls.VersionTLS12, []string{"TLS 1.2"}},
		{tls.VersionTLS10, tls.VersionTLS12, []string{"TLS 1.2", "TLS 1.1", "TLS 1.0"}},
		{tls.VersionTLS10, tls.VersionTLS10, []string{"TLS 1.0"}},
		{tls.VersionTLS11, tls.VersionTLS11, []string{"TLS 1.1"}},
	} {
		address := net.JoinHostPort("127.90.10."+string(rune('1'+i)), "2762")
		tlsService(t, address, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: c.lowest, MaxVersion: c.highest}, entity)
		s := facts(t, Options{}, address)
		if s.TLS == nil || !slices.Equal(s.TLS.Versions, c.want) {
			t.Errorf("%x to %x: %+v, want %v", c.lowest, c.highest, s.TLS, c.want)
			continue
		}
		if s.DICOM == nil || !s.DICOM.TLS || s.TLS.Certificate == nil || !s.TLS.Certificate.SelfSigned || s.TLS.ClientRequested {
			t.Errorf("%x to %x: %+v", c.lowest, c.highest, s.TLS)
		}
	}
}

func TestWeakSuitesAreFoundByTheirClass(t *testing.T) {
	t.Parallel()
	cfg := &tls.Config{Certificates: []tls.Certificate{serverCertificate(t)}, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}
	tlsService(t, "127.90.11.1:2762", cfg, entity)
	weak := facts(t, Options{}, "127.90.11.1:2762").TLS.Weak
	for _, class := range []string{"RC4", "3DES", "static RSA"} {
		if weak[class] == "" {
			t.Errorf("%s is not found", class)
		}
	}
	for _, class := range []string{"NULL", "anonymous", "export", "CBC with SHA-1"} {
		if weak[class] != "" {
			t.Errorf("%s is invented: %s", class, weak[class])
		}
	}
}

func TestAnyClientCertificateIsTold(t *testing.T) {
	t.Parallel()
	cert := serverCertificate(t)
	tlsService(t, "127.90.12.1:2762", &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}, entity)
	s := facts(t, Options{}, "127.90.12.1:2762")
	if !s.TLS.ClientRequested || !s.TLS.Throwaway || s.DICOM == nil || !s.DICOM.Stranger() {
		t.Errorf("any certificate: %+v", s.TLS)
	}
	tlsService(t, "127.90.12.2:2762", &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}, entity)
	s = facts(t, Options{}, "127.90.12.2:2762")
	if !s.TLS.ClientRequested || s.TLS.Throwaway || s.DICOM != nil {
		t.Errorf("verified certificates: %+v", s.TLS)
	}
}

func TestAPublishedKeyIsRecognised(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(3), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(der)
	sum := sha256.Sum256(parsed.RawSubjectPublicKeyInfo)
	tlsService(t, "127.90.13.1:2762", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, entity)
	s := facts(t, Options{KnownKeys: map[string]string{hex.EncodeToString(sum[:]): "sample"}}, "127.90.13.1:2762")
	if s.TLS.Certificate.PublicKeyKnown != "sample" {
		t.Errorf("%+v", s.TLS.Certificate)
	}
}

// TestSSL30IsFoundAtAHandMadeServer: no library speaks it any more.
func TestSSL30IsFoundAtAHandMadeServer(t *testing.T) {
	t.Parallel()
	service(t, "127.90.14.1:2762", func(c net.Conn) {
		head := make([]byte, 5)
		if _, err := io.ReadFull(c, head); err != nil || head[0] != 22 {
			c.Write([]byte{21, 3, 0, 0, 2, 2, 40})
			return
		}
		body := make([]byte, int(head[3])<<8|int(head[4]))
		io.ReadFull(c, body)
		if body[5] != 0 { // offers more than SSL 3.0
			c.Write([]byte{21, 3, 0, 0, 2, 2, 70})
			return
		}
		hello := append([]byte{3, 0}, make([]byte, 32)...)
		hello = append(hello, 0, 0, 5, 0) // RC4 with SHA-1
		message := append([]byte{2, 0, 0, byte(len(hello))}, hello...)
		message = append(message, 14, 0, 0, 0)
		c.Write(append([]byte{22, 3, 0, 0, byte(len(message))}, message...))
		io.Copy(io.Discard, c)
	})
	s := facts(t, Options{}, "127.90.14.1:2762")
	if s.TLS == nil || !slices.Contains(s.TLS.Versions, "SSL 3.0") {
		t.Errorf("%+v", s.TLS)
	}
}
