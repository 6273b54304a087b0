package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"collimator/internal/durable"
)

// Files of a rotation: the authority that is to come, and the certificate of the
// one that was, without its key.
const (
	nextCAFile   = "ca.next.key.pem"
	formerCAFile = "ca.former.cert.pem"
)

// RotateServer gives the archive a new key and certificate from its authority.
// A server that runs takes it up at its next handshake. Who trusts the authority
// notices nothing; who pinned the certificate has to pin the new one.
func RotateServer(a *Authority, hosts []string) (*ServerCertificate, error) {
	s := newServerCertificate(a, hosts)
	return s, s.renew()
}

// RotateDevices makes a new authority for the certificates of devices that are
// issued from now on. Those that were issued go on: a device is known by its very
// certificate, and not by who issued it.
func (a *Authority) RotateDevices() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := remove(filepath.Join(a.dir, deviceKeyFile)); err != nil {
		return err
	}
	a.devices = nil
	return nil
}

// BeginRotation makes the authority that is to come. From here on CertPEM gives
// both certificates, so that whoever is handed ca.pem trusts the archive before
// and after FinishRotation.
func (a *Authority) BeginRotation() error {
	next, err := a.open(nextCAFile, "Collimator archive CA")
	if err != nil {
		return err
	}
	a.next = next
	return writeWhole(filepath.Join(a.dir, caCertFile), a.CertPEM(), 0o644)
}

// ErrNoRotation: there is no authority that is to come.
var ErrNoRotation = errors.New("identity: no rotation of the authority was begun")

// FinishRotation puts the authority that is to come in the place of the other,
// whose key is destroyed. Who was not given the new certificate trusts the
// archive no more.
func (a *Authority) FinishRotation() error {
	if a.next == nil {
		return ErrNoRotation
	}
	if err := writeWhole(filepath.Join(a.dir, formerCAFile), encodeCert(a.cert.Raw), 0o644); err != nil {
		return err
	}
	if err := durable.Relocate(filepath.Join(a.dir, nextCAFile), filepath.Join(a.dir, caKeyFile)); err != nil {
		return fmt.Errorf("identity: rotate the authority: %w", err)
	}

	a.cert = a.next.cert
	a.key = a.next.key
	a.next = nil
	return writeWhole(filepath.Join(a.dir, caCertFile), a.CertPEM(), 0o644)
}

// loadNext reads the authority that is to come, if there is one.
func (a *Authority) loadNext() error {
	if _, err := os.Stat(filepath.Join(a.dir, nextCAFile)); err != nil {
		return nil // there is none, or it says so when it is read
	}
	next, err := a.open(nextCAFile, "Collimator archive CA")
	a.next = next
	return err
}

func remove(path string) error {
	if err := durable.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("identity: remove %s: %w", filepath.Base(path), err)
	}
	return nil
}
