package identity

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"collimator/internal/durable"
)

// Lifetimes of certificates.
const (
	authorityLifetime = 15 * 365 * 24 * time.Hour
	serverLifetime    = 2 * 365 * 24 * time.Hour
	// DeviceLifetime is how long a device certificate is valid when nothing else is asked for.
	DeviceLifetime = 2 * 365 * 24 * time.Hour
	// renewBefore is how long before its end the server's own certificate is replaced.
	renewBefore = 60 * 24 * time.Hour
	// backdate makes up for peers whose clock runs behind.
	backdate = time.Hour
)

// keyBits is the size of RSA keys. RSA and not ECDSA, because every suite list
// of PS3.15 B has it and modalities exist that know nothing else.
const keyBits = 3072

// Names of the files of the key directory and of what a device is given.
const (
	caKeyFile      = "ca.key.pem"
	caCertFile     = "ca.cert.pem"
	deviceKeyFile  = "deviceca.key.pem"
	serverKeyFile  = "server.key.pem"
	serverCertFile = "server.cert.pem"
)

// ServerUnit and DeviceUnit are the organizational units in the certificates of
// the archive and of its devices.
const (
	ServerUnit = "server"
	DeviceUnit = "DICOM device"
)

// Authority is the two certificate authorities of one installation: that of the
// archive's own certificate, which devices and browsers trust, and that of
// devices, which nobody trusts by itself, because a device is known by its very
// certificate. So no certificate of a device passes for the archive. Their keys
// never leave the key directory (mode 0700). Safe for concurrent use.
type Authority struct {
	dir  string
	now  func() time.Time
	make func() (*rsa.PrivateKey, error) // the key of what is issued
	cert *x509.Certificate               // of the archive's authority
	key  crypto.Signer

	next    *issuer // that is to come, while a rotation is under way
	mu      sync.Mutex
	devices *issuer // made when it is first needed
}

// issuer is an authority with its key.
type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// Issued is a new key with its certificate, both as PEM.
type Issued struct {
	KeyPEM, CertPEM []byte
	Certificate     *x509.Certificate
}

// OpenAuthority loads the authority of dir, or makes it at the first start.
// Two processes that start at once agree on one: the file of the key is linked
// into place whole, and who comes second takes the first's.
func OpenAuthority(dir string, now func() time.Time) (*Authority, error) {
	if err := durable.Directory(dir); err != nil {
		return nil, fmt.Errorf("identity: key directory: %w", err)
	}
	a := &Authority{dir: dir, now: now, make: newKey}

	own, err := a.open(caKeyFile, "Collimator archive CA")
	if err != nil {
		return nil, err
	}
	a.cert = own.cert
	a.key = own.key

	if err := a.loadNext(); err != nil {
		return nil, err
	}

	// The certificate alone stands in its own file for people and tools.
	return a, writeOnce(filepath.Join(dir, caCertFile), a.CertPEM(), 0o644)
}

// open loads an authority from its file, or makes it.
func (a *Authority) open(file, name string) (*issuer, error) {
	pair, err := os.ReadFile(filepath.Join(a.dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		if pair, err = a.create(file, name); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("identity: certificate authority: %w", err)
	}

	loaded, err := tls.X509KeyPair(pair, pair)
	if err != nil {
		return nil, fmt.Errorf("identity: %s: %w; restore it from a backup", file, err)
	}
	return &issuer{loaded.Leaf, loaded.PrivateKey.(crypto.Signer)}, nil
}

// deviceIssuer is the authority of devices.
func (a *Authority) deviceIssuer() (*issuer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.devices != nil {
		return a.devices, nil
	}

	devices, err := a.open(deviceKeyFile, "Collimator device CA")
	if err != nil {
		return nil, err
	}
	a.devices = devices
	return devices, nil
}

// create makes an authority's key and self-signed certificate in one file.
func (a *Authority) create(file, name string) ([]byte, error) {
	key, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("identity: make key: %w", err)
	}

	serial := newSerial()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s %x", name, serial.Bytes()[:4]), Organization: []string{"Collimator"}},
		NotBefore:             a.now().Add(-backdate),
		NotAfter:              a.now().Add(authorityLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}

	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("identity: make certificate authority: %w", err)
	}

	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}

	path := filepath.Join(a.dir, file)
	if err := writeOnce(path, append(keyPEM, encodeCert(der)...), 0o600); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// CertPEM is the certificate of the archive's authority, and behind it that of
// the one that is to come.
func (a *Authority) CertPEM() []byte {
	both := encodeCert(a.cert.Raw)
	if a.next != nil {
		both = append(both, encodeCert(a.next.cert.Raw)...)
	}
	return both
}

// DevicesCertPEM is the certificate of the authority of devices: for devices that
// let each other in.
func (a *Authority) DevicesCertPEM() ([]byte, error) {
	by, err := a.deviceIssuer()
	if err != nil {
		return nil, err
	}
	return encodeCert(by.cert.Raw), nil
}

// Pool holds the certificate of the archive's authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	if a.next != nil {
		pool.AddCert(a.next.cert)
	}
	return pool
}

// IssueDevice makes a key and a certificate with the AE title as common name. One
// that is called, as a destination of C-MOVE, may be a server with it, too.
func (a *Authority) IssueDevice(aeTitle string, lifetime time.Duration, called bool) (*Issued, error) {
	if lifetime <= 0 {
		lifetime = DeviceLifetime
	}
	by, err := a.deviceIssuer()
	if err != nil {
		return nil, err
	}

	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if called {
		usages = append(usages, x509.ExtKeyUsageServerAuth)
	}
	return a.issue(by, &x509.Certificate{
		Subject:     pkix.Name{CommonName: aeTitle, OrganizationalUnit: []string{DeviceUnit}},
		NotAfter:    a.now().Add(lifetime),
		ExtKeyUsage: usages,
	})
}

// issueServer makes the server's own certificate for its host names and addresses.
func (a *Authority) issueServer(hosts []string) (*Issued, error) {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "Collimator", OrganizationalUnit: []string{ServerUnit}},
		NotAfter:    a.now().Add(serverLifetime),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, // it calls destinations of C-MOVE
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if h != "" {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return a.issue(&issuer{a.cert, a.key}, t)
}

// InsecureOneKey gives everything that is issued from now on the same key, which
// takes no time to make: for tests. Not safe for concurrent use.
func (a *Authority) InsecureOneKey(key *rsa.PrivateKey) {
	a.make = func() (*rsa.PrivateKey, error) { return key, nil }
}

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

func (a *Authority) issue(by *issuer, t *x509.Certificate) (*Issued, error) {
	key, err := a.make()
	if err != nil {
		return nil, fmt.Errorf("identity: make key: %w", err)
	}

	t.SerialNumber = newSerial()
	t.NotBefore = a.now().Add(-backdate)
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	t.BasicConstraintsValid = true

	der, err := x509.CreateCertificate(rand.Reader, t, by.cert, key.Public(), by.key)
	if err != nil {
		return nil, fmt.Errorf("identity: issue certificate: %w", err)
	}

	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("identity: issue certificate: %w", err)
	}

	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return &Issued{KeyPEM: keyPEM, CertPEM: encodeCert(der), Certificate: cert}, nil
}

// newSerial makes a serial number of 127 random bits (RFC 5280 4.1.2.2).
func newSerial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	b[0] = b[0]&0x7F | 0x40
	return new(big.Int).SetBytes(b[:])
}

func encodeKey(key *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("identity: encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// ParseCertificate reads the first certificate of a PEM file.
func ParseCertificate(b []byte) (*x509.Certificate, error) {
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return nil, errors.New("identity: no certificate in PEM form found")
}

// writeOnce writes a file that must appear whole and is never replaced. An
// existing file stays as it is, and on a full disk every command still works.
func writeOnce(path string, content []byte, mode fs.FileMode) error {
	err := durable.Once(path, content, mode)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return fmt.Errorf("identity: write %s: %w", filepath.Base(path), err)
}

// writeWhole replaces a file in one step, unless it holds the content already.
func writeWhole(path string, content []byte, mode fs.FileMode) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := durable.Whole(path, content, mode); err != nil {
		return fmt.Errorf("identity: write %s: %w", filepath.Base(path), err)
	}
	return nil
}
