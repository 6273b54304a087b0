package scan

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"time"
)

// throwaway makes the self-signed client certificate of one scan, when first
// asked for. Its key is forgotten with the scan.
type throwaway struct {
	once sync.Once
	cert tls.Certificate
	err  error
}

func (t *throwaway) certificate() (*tls.Certificate, error) {
	t.once.Do(func() {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.err = err
			return
		}

		template := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()),
			Subject:      pkix.Name{CommonName: "Collimator scan, throwaway"},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(48 * time.Hour),
			KeyUsage:     x509.KeyUsageDigitalSignature,
			ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}

		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		t.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
		t.err = err
	})
	return &t.cert, t.err
}

// config is that of a client who takes any server and presents the throwaway
// certificate; requested, where given, is called when the server asks for one.
// The scan judges the server's certificate, it does not trust it: nothing but
// harmless questions go through the connection.
func (t *throwaway) config(serverName string, requested func()) (*tls.Config, error) {
	cert, err := t.certificate()
	if err != nil {
		return nil, err
	}

	var suites []uint16
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		suites = append(suites, s.ID)
	}

	return &tls.Config{
		InsecureSkipVerify: true,
		ServerName:         serverName,
		MinVersion:         tls.VersionTLS10,
		CipherSuites:       suites,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if requested != nil {
				requested()
			}
			return cert, nil
		},
	}, nil
}
