package messages

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/gate/kind"
	"collimator/internal/house/housetest"
	"collimator/internal/tlsprofile"
)

// newSecureSystem is a system behind that takes TLS alone, and wants a certificate.
func newSecureSystem(t *testing.T, own *tls.Certificate) *system {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*own}, ClientAuth: tls.RequireAnyClientCert})
	if err != nil {
		t.Fatal(err)
	}
	s := &system{address: ln.Addr().String(), answer: func(string) string { return ackOf("AA", "77") }}
	housetest.EachConnection(t, ln, s.serve)
	return s
}

// pemFile writes a certificate as the file that ca names.
func pemFile(t *testing.T, cert *tls.Certificate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASystemBehindWithTLSIsKnownByItsCertificate(t *testing.T) {
	t.Parallel()
	mine, _ := certificate(t)
	its, _ := certificate(t)
	another, _ := certificate(t)
	behind := newSecureSystem(t, its)
	_, port, _ := net.SplitHostPort(behind.address)
	plain := newSystem(t)
	pin := func(c *tls.Certificate) string {
		return kind.FingerprintPrefix + strings.ToUpper(tlsprofile.Fingerprint(c.Leaf))
	}

	for name, c := range map[string]struct {
		to, ca, fingerprint string
		reached             bool
	}{
		"its fingerprint":                       {behind.address, "", pin(its), true},
		"who vouches for it":                    {"localhost:" + port, pemFile(t, its), "", true},
		"the fingerprint of another":            {behind.address, "", pin(another), false},
		"vouched for by another":                {"localhost:" + port, pemFile(t, another), "", false},
		"vouched for under another name":        {behind.address, pemFile(t, its), "", false},
		"no file":                               {"localhost:" + port, filepath.Join(t.TempDir(), "none"), "", false},
		"without TLS":                           {behind.address, "", "", false},
		"a system without TLS by a fingerprint": {plain.address, "", pin(its), false},
	} {
		t.Run(name, func(t *testing.T) {
			g, at := newGate(t), free(t)
			g.Certificate = func() (*tls.Certificate, error) { return mine, nil }
			r := plainRoute(at, c.to)
			r.CA = c.ca
			r.Fingerprint = c.fingerprint
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
			g.Take([]Route{r})
			before := len(behind.seen())
			s := send(t, at)
			for range 3 { // one connection, that is looked at before each
				got := s.tell(admit)
				if c.reached && got != ackOf("AA", "77") || !c.reached && !strings.Contains(got, "MSA|AE|77|") {
					t.Errorf("%q", got)
				}
			}
			if n := len(behind.seen()) - before; c.reached != (n == 3) || !c.reached && n > 0 {
				t.Errorf("%d messages came", n)
			}
			if told := g.told(); strings.Contains(told, "answered AA") != c.reached || strings.Contains(told, "ZZPHI") {
				t.Errorf("%s", told)
			}
		})
	}
	if got := plain.seen(); len(got) > 0 {
		t.Errorf("without TLS came %q", got)
	}
}

// The certificate of the system behind is renewed, and the route says so while senders
// stay connected.
func TestANewFingerprintCountsFromTheNextMessageOn(t *testing.T) {
	t.Parallel()
	mine, _ := certificate(t)
	its, _ := certificate(t)
	behind := newSecureSystem(t, its)
	g, at := newGate(t), free(t)
	g.Certificate = func() (*tls.Certificate, error) { return mine, nil }
	r := plainRoute(at, behind.address)
	var s *sending
	for _, c := range []struct {
		cert *tls.Certificate
		want string
	}{{its, "MSA|AA|77"}, {mine, "MSA|AE|77"}, {its, "MSA|AA|77"}} {
		r.Fingerprint = kind.FingerprintPrefix + tlsprofile.Fingerprint(c.cert.Leaf)
		g.Take([]Route{r})
		if s == nil {
			s = send(t, at)
		}
		if got := s.tell(admit); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %s", got, c.want)
		}
	}
	if n := len(behind.seen()); n != 2 {
		t.Errorf("%d messages came through", n)
	}
}
