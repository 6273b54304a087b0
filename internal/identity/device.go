package identity

import (
	"context"
	"crypto/x509"
	"net/netip"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/policy"
	"collimator/internal/tlsprofile"
)

// Device is an AE title with what it may do and how it is recognised.
type Device struct {
	AETitle string `json:"aeTitle"`
	// Address, where set, is the only IP address the device may come from.
	Address string        `json:"address,omitempty"`
	Verbs   []policy.Verb `json:"allow"`
	// Destinations are the AE titles to which its C-MOVE may send, besides itself.
	Destinations []string `json:"moveTo,omitempty"`
	// Listen is host:port where it accepts associations as a C-MOVE destination.
	Listen string `json:"listen,omitempty"`
	// PlaintextUntil ends the exception that lets it in without TLS from Address; zero: no exception.
	PlaintextUntil time.Time `json:"plaintextUntil,omitzero"`
	// NoCertificateUntil ends the exception that lets it in with TLS, from Address,
	// and without a certificate of its own; zero: no exception.
	NoCertificateUntil time.Time     `json:"noCertificateUntil,omitzero"`
	Created            time.Time     `json:"created"`
	Certificates       []Certificate `json:"certificates,omitempty"`
}

// Certificate is one by which a device is recognised.
type Certificate struct {
	Fingerprint string    `json:"fingerprint"` // SHA-256, lower-case hex
	Subject     string    `json:"subject"`
	NotAfter    time.Time `json:"notAfter"`
	// Weakness says what is wrong with its key; empty: nothing.
	Weakness string `json:"weakness,omitempty"`
}

// Principal is the device as policy sees it, where it came in by a way.
func (d *Device) Principal(way Way) policy.Principal {
	p := policy.Principal{Kind: policy.Device, Name: d.AETitle, Verbs: d.Verbs, Destinations: d.Destinations}
	switch way {
	case Plain:
		p.Plaintext = true
		p.Until = d.PlaintextUntil
	case WithoutCertificate:
		p.Until = d.NoCertificateUntil
	}
	return p
}

// WithoutCertificate reports whether the device may now come with TLS and
// without a certificate.
func (d *Device) WithoutCertificate(now time.Time) bool {
	return d.Address != "" && now.Before(d.NoCertificateUntil)
}

// Plaintext reports whether the device may now come without TLS.
func (d *Device) Plaintext(now time.Time) bool {
	return d.Address != "" && now.Before(d.PlaintextUntil)
}

// Put registers a device or changes one; its certificates stay. A removed
// title comes back without the certificates it had.
func (r *Registry) Put(ctx context.Context, d Device) error {
	if err := checkDevice(d); err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error { return r.putTx(ctx, tx, d) })
}

// Add registers a device that is not registered yet; fault.Conflict for one that is.
func (r *Registry) Add(ctx context.Context, d Device) error {
	if err := checkDevice(d); err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		switch _, err := device(ctx, tx, d.AETitle); {
		case err == nil:
			return errRegistered
		case fault.Of(err) != fault.NotFound:
			return err
		}
		return r.putTx(ctx, tx, d)
	})
}

var errRegistered = fault.New(fault.Conflict,
	"identity: this AE title is registered already; change the device, or renew its certificate")

// Change gives a registered device another registration, made of the one that counts: what others change at the
// same moment is not lost. It returns the one that counted before.
func (r *Registry) Change(ctx context.Context, aeTitle string, to func(old *Device) (Device, error)) (old *Device, d Device, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		if old, err = device(ctx, tx, aeTitle); err != nil {
			return err
		}
		if d, err = to(old); err != nil {
			return err
		}
		if err := checkDevice(d); err != nil {
			return err
		}
		return r.putTx(ctx, tx, d)
	})
	return old, d, err
}

func (r *Registry) putTx(ctx context.Context, tx *db.Tx, d Device) error {
	_, err := r.book.Exec(ctx, tx,
		`INSERT INTO device (ae_title, address, verbs, destinations, listen, plaintext_until, created, removed, no_certificate_until)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)
		ON CONFLICT (ae_title) DO UPDATE SET address = ?2, verbs = ?3, destinations = ?4, listen = ?5,
			plaintext_until = ?6, no_certificate_until = ?8, removed = 0`,
		d.AETitle, d.Address, joinVerbs(d.Verbs), strings.Join(d.Destinations, `\`), d.Listen,
		db.Millis(d.PlaintextUntil), db.Millis(r.now()), db.Millis(d.NoCertificateUntil))
	return err
}

func checkDevice(d Device) error {
	if d.Address != "" {
		if _, err := netip.ParseAddr(d.Address); err != nil {
			return fault.New(fault.Invalid, "identity: the address of a device is an IP address, without port")
		}
	}

	if !d.PlaintextUntil.IsZero() && d.Address == "" {
		return fault.New(fault.Invalid, "identity: without TLS the address is all that tells the device from others: give --address")
	}
	if !d.NoCertificateUntil.IsZero() && d.Address == "" {
		return fault.New(fault.Invalid,
			"identity: without a certificate the address is all that tells the device from others: give --address")
	}
	return nil
}

// Bind lets a device be recognised by a certificate. A certificate belongs to
// one device only: it is refused where another one has it, and where it was removed.
func (r *Registry) Bind(ctx context.Context, aeTitle string, cert *x509.Certificate) error {
	if err := checkKey(cert); err != nil {
		return err
	}
	return r.InsecureBind(ctx, aeTitle, cert)
}

// InsecureBind is Bind for a certificate whose key may be short; the device is
// marked with it.
func (r *Registry) InsecureBind(ctx context.Context, aeTitle string, cert *x509.Certificate) error {
	return r.db.Write(ctx, func(tx *db.Tx) error { return r.bindTx(ctx, tx, aeTitle, cert) })
}

func (r *Registry) bindTx(ctx context.Context, tx *db.Tx, aeTitle string, cert *x509.Certificate) error {
	fp := tlsprofile.Fingerprint(cert)
	var owner string
	var removed int64
	err := tx.QueryRow(ctx, `SELECT ae_title, removed FROM device_certificate WHERE fingerprint = ?1`, fp).Scan(&owner, &removed)

	switch {
	case err == nil && removed != 0:
		return fault.New(fault.Conflict,
			"identity: this certificate was removed once and is not taken again; make a new one with 'collimator device renew'")
	case err == nil && owner != aeTitle:
		return fault.Newf(fault.Conflict, "identity: this certificate belongs to %s", owner)
	case err == nil:
		return nil
	case fault.Of(err) != fault.NotFound:
		return err
	}

	_, err = r.book.Exec(ctx, tx, `INSERT INTO device_certificate (fingerprint, ae_title, subject, not_after, created, removed, weakness)
		VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)`,
		fp, aeTitle, cert.Subject.String(), db.Millis(cert.NotAfter), db.Millis(r.now()), shortKey(cert))
	if err != nil {
		return err
	}

	// Who was refused with this certificate under this title waits no longer.
	_, err = tx.Exec(ctx, `DELETE FROM pending_device WHERE calling = ?1 AND fingerprint = ?2`, aeTitle, fp)
	return err
}

// Remove takes a device out with all its certificates. An association that is
// open ends at its next request.
func (r *Registry) Remove(ctx context.Context, aeTitle string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := r.book.Exec(ctx, tx, `UPDATE device SET removed = ?2 WHERE ae_title = ?1 AND removed = 0`, aeTitle, db.Millis(r.now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return notRegistered(aeTitle)
		}
		return r.dropCertificates(ctx, tx, aeTitle, "")
	})
}

// Supersede removes all certificates of a device but one.
func (r *Registry) Supersede(ctx context.Context, aeTitle string, keep *x509.Certificate) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		return r.dropCertificates(ctx, tx, aeTitle, tlsprofile.Fingerprint(keep))
	})
}

func (r *Registry) dropCertificates(ctx context.Context, tx *db.Tx, aeTitle, keep string) error {
	_, err := r.book.Exec(ctx, tx, `UPDATE device_certificate SET removed = ?2 WHERE ae_title = ?1 AND removed = 0 AND fingerprint <> ?3`,
		aeTitle, db.Millis(r.now()), keep)
	return err
}

const deviceColumns = `ae_title, address, verbs, destinations, listen, plaintext_until, no_certificate_until, created`

// Device finds a registered device; the error is of kind NotFound where there is none.
func (r *Registry) Device(ctx context.Context, aeTitle string) (*Device, error) {
	var found *Device
	err := r.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = device(ctx, tx, aeTitle)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func device(ctx context.Context, tx *db.Tx, aeTitle string) (*Device, error) {
	found, err := scanDevice(tx.QueryRow(ctx, `SELECT `+deviceColumns+` FROM device WHERE ae_title = ?1 AND removed = 0`, aeTitle).Scan)
	if fault.Of(err) == fault.NotFound {
		return nil, notRegistered(aeTitle)
	}
	if err != nil {
		return nil, err
	}

	found.Certificates, err = certificates(ctx, tx, aeTitle)
	return found, err
}

// Devices lists the registered devices in order of their titles.
func (r *Registry) Devices(ctx context.Context) ([]*Device, error) {
	var list []*Device
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		list, err = db.All(ctx, tx, scanDevice, `SELECT `+deviceColumns+` FROM device WHERE removed = 0 ORDER BY ae_title`)
		if err != nil {
			return err
		}

		for _, d := range list {
			if d.Certificates, err = certificates(ctx, tx, d.AETitle); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// PlaintextOpen reports whether any device may now come without TLS.
func (r *Registry) PlaintextOpen(ctx context.Context) (open bool, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) > 0 FROM device WHERE removed = 0 AND plaintext_until > ?1`,
			db.Millis(r.now())).Scan(&open)
	})
	return open, err
}

// WithoutCertificate are the addresses from which a device may now come with TLS
// and without a certificate, with the end of the last exception of each.
func (r *Registry) WithoutCertificate(ctx context.Context) (map[netip.Addr]time.Time, error) {
	devices, err := r.Devices(ctx)
	if err != nil {
		return nil, err
	}

	open := map[netip.Addr]time.Time{}
	for _, d := range devices {
		if !d.WithoutCertificate(r.now()) {
			continue
		}
		if a, err := netip.ParseAddr(d.Address); err == nil && d.NoCertificateUntil.After(open[a.Unmap()]) {
			open[a.Unmap()] = d.NoCertificateUntil
		}
	}
	return open, nil
}

func certificates(ctx context.Context, tx *db.Tx, aeTitle string) ([]Certificate, error) {
	return db.All(ctx, tx, scanCertificate, `SELECT fingerprint, subject, not_after, weakness FROM device_certificate
		WHERE ae_title = ?1 AND removed = 0 ORDER BY created, fingerprint`, aeTitle)
}

func scanCertificate(scan db.Scan) (c Certificate, err error) {
	var end int64
	err = scan(&c.Fingerprint, &c.Subject, &end, &c.Weakness)
	c.NotAfter = db.Instant(end)

	return c, err
}

func scanDevice(scan db.Scan) (*Device, error) {
	var d Device
	var verbs, destinations string
	var plaintext, bare, created int64
	if err := scan(&d.AETitle, &d.Address, &verbs, &destinations, &d.Listen, &plaintext, &bare, &created); err != nil {
		return nil, err
	}

	var err error
	if d.Verbs, err = policy.ParseVerbs(verbs); err != nil {
		return nil, err
	}

	if destinations != "" {
		d.Destinations = strings.Split(destinations, `\`)
	}

	d.PlaintextUntil = db.Instant(plaintext)
	d.NoCertificateUntil = db.Instant(bare)
	d.Created = db.Instant(created)
	return &d, nil
}

func joinVerbs(verbs []policy.Verb) string {
	words := make([]string, len(verbs))
	for i, v := range verbs {
		words[i] = string(v)
	}
	return strings.Join(words, ",")
}

func notRegistered(aeTitle string) error {
	return fault.Newf(fault.NotFound, "identity: no device %q is registered; see 'collimator device list'", aeTitle)
}
