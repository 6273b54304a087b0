package identity

import (
	"context"
	"crypto/x509"
	"net/netip"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/tlsprofile"
)

// Caller is what the network tells of the requestor of an association.
type Caller struct {
	CallingAETitle string
	Address        netip.Addr
	// Certificate is the one whose key the caller proved to hold in the TLS
	// handshake; nil where it showed none.
	Certificate *x509.Certificate
	// TLS: the association came with TLS.
	TLS bool
}

// Way is what tells a caller from others.
type Way uint8

// The ways. All but the first need an exception, and the address tells.
const (
	ByCertificate Way = iota
	WithoutCertificate
	Plain // without TLS
)

// Way is how the caller came.
func (c Caller) Way() Way {
	switch {
	case c.Certificate != nil:
		return ByCertificate
	case c.TLS:
		return WithoutCertificate
	}
	return Plain
}

// Refusal is an error that says why a caller is not a registered device. Its
// text names the rule; Pending says that approving it may make sense.
type Refusal struct {
	Text    string
	Pending bool
}

// Error is the text with the package's name.
func (r *Refusal) Error() string { return "identity: " + r.Text }

// Authenticate finds the device a caller is. With a certificate, the AE title
// must be bound to it and an address, where one is set, must fit; without one
// or without TLS, a running exception for that title and address is needed. Anything else is a
// *Refusal.
func (r *Registry) Authenticate(ctx context.Context, c Caller) (*Device, error) {
	d, err := r.Device(ctx, c.CallingAETitle)
	if fault.Of(err) == fault.NotFound {
		return nil, r.stranger(c)
	}
	if err != nil {
		return nil, err
	}

	if err := r.checkWay(d, c); err != nil {
		return nil, err
	}

	if d.Address != "" {
		if want, err := netip.ParseAddr(d.Address); err != nil || want.Unmap() != c.Address.Unmap() {
			return nil, &Refusal{"the device is registered for another address", true}
		}
	}
	return d, nil
}

// AuthenticateCertificate finds the device to which a certificate is bound whose key a
// caller proved to hold, as it may come from an address now: for who names no AE title.
// Anything else is a *Refusal.
func (r *Registry) AuthenticateCertificate(ctx context.Context, cert *x509.Certificate, from netip.Addr) (*Device, error) {
	var title string
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT ae_title FROM device_certificate WHERE fingerprint = ?1 AND removed = 0`,
			tlsprofile.Fingerprint(cert)).Scan(&title)
	})
	if fault.Of(err) == fault.NotFound {
		return nil, &Refusal{"the certificate is not that of a registered device", false}
	}
	if err != nil {
		return nil, err
	}
	return r.Authenticate(ctx, Caller{CallingAETitle: title, Address: from, Certificate: cert, TLS: true})
}

func (r *Registry) checkWay(d *Device, c Caller) error {
	switch c.Way() {
	case Plain:
		if !d.Plaintext(r.now()) {
			return &Refusal{"the device may not come without TLS", true}
		}
	case WithoutCertificate:
		if !d.WithoutCertificate(r.now()) {
			return &Refusal{"the device may not come without a certificate", true}
		}
	default:
		return r.checkCertificate(d, c.Certificate)
	}
	return nil
}

func (r *Registry) stranger(c Caller) error {
	switch c.Way() {
	case WithoutCertificate:
		return &Refusal{"the AE title is not registered and the association came without a certificate", true}
	case Plain:
		return &Refusal{"the AE title is not registered and the association came without TLS", true}
	}
	if err := r.checkValidity(c.Certificate); err != nil {
		return err
	}
	return &Refusal{"the AE title is not registered", true}
}

func (r *Registry) checkCertificate(d *Device, cert *x509.Certificate) error {
	if err := r.checkValidity(cert); err != nil {
		return err
	}
	fp := tlsprofile.Fingerprint(cert)
	for _, c := range d.Certificates {
		if c.Fingerprint == fp {
			return nil
		}
	}
	return &Refusal{"the certificate is not bound to this AE title", true}
}

func (r *Registry) checkValidity(cert *x509.Certificate) error {
	now := r.now()
	if now.After(cert.NotAfter) {
		return &Refusal{"the certificate has expired; renew it with 'collimator device renew'", false}
	}
	if now.Before(cert.NotBefore) {
		return &Refusal{"the certificate is not valid yet; check the clocks", false}
	}
	return nil
}
