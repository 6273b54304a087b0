package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair writes a certificate that begins at a time, and its key.
func writePair(t *testing.T, cert, key string, serial int64, begins time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: begins, NotAfter: begins.Add(90 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}

	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, begins); err != nil { // so that the change is seen
			t.Fatal(err)
		}
	}
}

// A certificate that was put in place early, or by a clock that is ahead, is told of
// once and served as soon as it is valid, without another change of the files.
func TestACertificateForLaterIsTakenUpWhenItsTimeComes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	writePair(t, cert, key, 1, now.Add(-time.Hour))
	told := 0
	f, err := NewFileCertificate(cert, key, func() time.Time { return now }, func(error) { told++ })
	if err != nil {
		t.Fatal(err)
	}

	writePair(t, cert, key, 2, now.Add(10*time.Minute))
	for _, at := range []struct {
		after  time.Duration
		serial int64
	}{{fileLook, 1}, {5 * time.Minute, 1}, {5 * time.Minute, 2}} {
		now = now.Add(at.after)
		c, err := f.Get()
		if err != nil || c.Leaf.SerialNumber.Int64() != at.serial || told != 1 {
			t.Errorf("%v: serial %v, want %d; told %d times: %v", now, c.Leaf.SerialNumber, at.serial, told, err)
		}
	}
}

// After a power failure the clock of many a machine is behind until the network
// tells it the time. Images must be seen meanwhile.
func TestACertificateForLaterIsInForceWhereThereIsNoOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	writePair(t, cert, key, 1, now.Add(5*365*24*time.Hour))

	var told []error
	f, err := NewFileCertificate(cert, key, func() time.Time { return now }, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	if c, err := f.Get(); err != nil || c.Leaf.SerialNumber.Int64() != 1 {
		t.Errorf("%v, %v", c, err)
	}
	if len(told) != 1 || !strings.Contains(told[0].Error(), "clock") {
		t.Errorf("told: %v", told)
	}
}
