package house_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"collimator/internal/config"
	"collimator/internal/house/sitetest"
)

const acmeHost = "pacs.example.test"

// acmeAuthority is a small authority that speaks RFC 8555 and validates by
// TLS-ALPN-01 at one address.
type acmeAuthority struct {
	*testing.T
	url    string
	target string // host:port that stands for every host
	roots  string // PEM file of the certificate of its own HTTPS
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey

	mu      sync.Mutex
	nonces  map[string]bool
	account jose.JSONWebKey
	valid   bool   // the authorization
	issued  []byte // PEM
	orders  int
}

func newACME(t *testing.T) *acmeAuthority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := &acmeAuthority{T: t, key: key, nonces: map[string]bool{}}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /directory", func(w http.ResponseWriter, _ *http.Request) {
		a.reply(w, 200, map[string]any{"newNonce": a.url + "/nonce", "newAccount": a.url + "/account", "newOrder": a.url + "/order", "meta": map[string]any{"termsOfService": a.url + "/terms"}})
	})
	mux.HandleFunc("HEAD /nonce", func(w http.ResponseWriter, _ *http.Request) { a.nonce(w) })
	mux.HandleFunc("POST /account", a.signed(a.newAccount))
	mux.HandleFunc("POST /order", a.signed(func(w http.ResponseWriter, _ []byte, _ *jose.JSONWebKey) {
		a.orders++
		w.Header().Set("Location", a.url+"/order/1")
		a.reply(w, 201, a.order())
	}))
	mux.HandleFunc("POST /order/1", a.signed(func(w http.ResponseWriter, _ []byte, _ *jose.JSONWebKey) { a.reply(w, 200, a.order()) }))
	mux.HandleFunc("POST /authz/1", a.signed(func(w http.ResponseWriter, _ []byte, _ *jose.JSONWebKey) { a.reply(w, 200, a.authorization()) }))
	mux.HandleFunc("POST /challenge/1", a.signed(a.validate))
	mux.HandleFunc("POST /finalize/1", a.signed(a.finalize))
	mux.HandleFunc("POST /cert/1", a.signed(func(w http.ResponseWriter, _ []byte, _ *jose.JSONWebKey) {
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Write(a.issued)
	}))
	h := httptest.NewTLSServer(mux)
	t.Cleanup(h.Close)
	a.url, a.roots = h.URL, filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(a.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *acmeAuthority) nonce(w http.ResponseWriter) {
	n := rand.Text()
	a.nonces[n] = true
	w.Header().Set("Replay-Nonce", n)
}

func (a *acmeAuthority) reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// signed takes only what is signed by the account, with a nonce of ours.
func (a *acmeAuthority) signed(next func(http.ResponseWriter, []byte, *jose.JSONWebKey)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		b, _ := io.ReadAll(r.Body) // what is cut short does not parse
		jws, err := jose.ParseSignedJSON(string(b), []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			a.Errorf("%s: %v", r.URL.Path, err)
			http.Error(w, "{}", 400)
			return
		}
		h := jws.Signatures[0].Protected
		key := h.JSONWebKey
		if key == nil {
			key = &a.account
		}
		payload, err := jws.Verify(key)
		if err != nil || !a.nonces[h.Nonce] || h.ExtraHeaders["url"] != a.url+r.URL.Path {
			a.Errorf("%s: not signed as it should be: %v", r.URL.Path, err)
		}
		delete(a.nonces, h.Nonce)
		a.nonce(w)
		next(w, payload, key)
	}
}

func (a *acmeAuthority) newAccount(w http.ResponseWriter, payload []byte, key *jose.JSONWebKey) {
	var in struct {
		Terms   bool            `json:"termsOfServiceAgreed"`
		Contact []string        `json:"contact"`
		Binding json.RawMessage `json:"externalAccountBinding"`
	}
	if json.Unmarshal(payload, &in) != nil || !in.Terms || !slices.Equal(in.Contact, []string{"mailto:it@example.test"}) {
		a.Errorf("account: %s", payload)
	}
	a.bound(in.Binding)
	a.account = *key
	w.Header().Set("Location", a.url+"/account/1")
	a.reply(w, 201, map[string]any{"status": "valid"})
}

// The account that the authority knows already.
const (
	boundID  = "customer-7"
	boundKey = "a key of the test, 32 bytes long"
)

// bound holds the external account binding against the account that is known
// (RFC 8555 7.3.4).
func (a *acmeAuthority) bound(raw json.RawMessage) {
	jws, err := jose.ParseSignedJSON(string(raw), []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		a.Errorf("external account binding: %v", err)
		return
	}
	if _, err := jws.Verify([]byte(boundKey)); err != nil || jws.Signatures[0].Protected.KeyID != boundID {
		a.Errorf("external account binding of %q: %v", jws.Signatures[0].Protected.KeyID, err)
	}
}

func (a *acmeAuthority) order() map[string]any {
	o := map[string]any{"status": "pending", "identifiers": []any{map[string]string{"type": "dns", "value": acmeHost}},
		"authorizations": []string{a.url + "/authz/1"}, "finalize": a.url + "/finalize/1"}
	if a.valid {
		o["status"] = "ready"
	}
	if a.issued != nil {
		o["status"], o["certificate"] = "valid", a.url+"/cert/1"
	}
	return o
}

func (a *acmeAuthority) authorization() map[string]any {
	status := "pending"
	if a.valid {
		status = "valid"
	}
	return map[string]any{"status": status, "identifier": map[string]string{"type": "dns", "value": acmeHost}, "challenges": []any{a.challenge(status)}}
}

func (a *acmeAuthority) challenge(status string) map[string]any {
	return map[string]any{"type": "tls-alpn-01", "url": a.url + "/challenge/1", "token": "token-of-the-challenge", "status": status}
}

// validate connects as RFC 8737 3 says and looks at the certificate it is shown.
func (a *acmeAuthority) validate(w http.ResponseWriter, _ []byte, _ *jose.JSONWebKey) {
	thumb, err := a.account.Thumbprint(crypto.SHA256)
	if err != nil {
		a.Error(err)
	}
	sum := sha256.Sum256([]byte("token-of-the-challenge." + base64.RawURLEncoding.EncodeToString(thumb)))
	want, _ := asn1.Marshal(sum[:]) // an octet string
	conn, err := tls.Dial("tcp", a.target, &tls.Config{ServerName: acmeHost, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		a.Error(err)
		a.reply(w, 200, a.challenge("invalid"))
		return
	}
	defer conn.Close()
	for _, x := range conn.ConnectionState().PeerCertificates[0].Extensions {
		if x.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && x.Critical && bytes.Equal(x.Value, want) {
			a.valid = true
		}
	}
	if !a.valid {
		a.Error("the certificate of the challenge does not answer it")
	}
	a.reply(w, 200, a.challenge("valid"))
}

func (a *acmeAuthority) finalize(w http.ResponseWriter, payload []byte, _ *jose.JSONWebKey) {
	var in struct{ CSR string }
	json.Unmarshal(payload, &in) // what is missing does not parse below
	der, _ := base64.RawURLEncoding.DecodeString(in.CSR)
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || csr.CheckSignature() != nil || !slices.Equal(csr.DNSNames, []string{acmeHost}) {
		a.Errorf("certificate request: %v", err)
		http.Error(w, "{}", 400)
		return
	}
	cert, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, a.cert, csr.PublicKey, a.key)
	if err != nil {
		a.Error(err)
	}
	a.issued = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})...)
	w.Header().Set("Location", a.url+"/order/1")
	a.reply(w, 200, a.order())
}

// certificateShown is the certificate that a name sees at the listener.
func certificateShown(x *sitetest.Site, name string) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", x.Address, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

func TestCertificatesComeFromAnACMEAuthority(t *testing.T) {
	t.Parallel()
	a := newACME(t)
	key := filepath.Join(t.TempDir(), "eab")
	if err := os.WriteFile(key, []byte(base64.RawURLEncoding.EncodeToString([]byte(boundKey))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := sitetest.NewPeopledSite(t, func(c *config.Config) {
		c.TLS.ACME = config.ACME{Directory: a.url + "/directory", Email: "it@example.test", AcceptTerms: true, Hosts: []string{acmeHost}, Roots: a.roots, EABKeyID: boundID, EABKeyFile: key}
	})
	a.mu.Lock()
	a.target = x.Address
	a.mu.Unlock()
	for range 2 {
		cert, err := certificateShown(x, acmeHost)
		if err != nil {
			t.Fatal(err)
		}
		if cert.VerifyHostname(acmeHost) != nil || cert.CheckSignatureFrom(a.cert) != nil {
			t.Errorf("shown: %v issued by %v", cert.DNSNames, cert.Issuer)
		}
	}
	if a.orders != 1 {
		t.Errorf("%d orders, want 1", a.orders)
	}
	// Other names see the server's own certificate, and cost the authority nothing.
	x.Browser().Must(401, "GET", "/api/v1/session", nil)
	if cert, err := certificateShown(x, "evil.example"); err != nil || cert.VerifyHostname("localhost") != nil {
		t.Errorf("another name: %v", err)
	}
	if a.orders != 1 {
		t.Error("a name nobody configured was ordered")
	}
	info, err := os.Stat(filepath.Join(x.In.Config.Data, "keys", "acme"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory of the certificates: %v", err)
	}
}

func writeCertificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	certPEM, keyPEM, err := sitetest.SelfSigned(serial)
	if err != nil {
		t.Fatal(err)
	}

	for path, b := range map[string][]byte{cert: certPEM, key: keyPEM} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateFilesAreReadAgainWithoutDroppingAnybody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, 100)
	x := sitetest.NewPeopledSite(t, func(c *config.Config) { c.TLS.Certificate, c.TLS.Key = cert, key })
	serial := func() int64 {
		c, err := certificateShown(x, "localhost")
		if err != nil {
			t.Fatal(err)
		}
		return c.SerialNumber.Int64()
	}
	open, err := tls.Dial("tcp", x.Address, &tls.Config{ServerName: "localhost", InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if serial() != 100 {
		t.Error("the files are not used")
	}
	writeCertificate(t, cert, key, 101)
	if err := x.Server.FileCertificate.Reload(); err != nil || serial() != 101 {
		t.Errorf("after a change: %v", err)
	}
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if x.Server.FileCertificate.Reload() == nil || serial() != 101 {
		t.Error("a bad file is used")
	}
	// The connection from before goes on.
	if _, err := io.WriteString(open, "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(open)
	if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 401") {
		t.Errorf("an open connection was dropped: %v", err)
	}
}
