package identity

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/tlsprofile"
)

// Pending is a caller that was refused and might be approved.
type Pending struct {
	ID             int64     `json:"id"`
	CallingAETitle string    `json:"callingAETitle"`
	CalledAETitle  string    `json:"calledAETitle"`
	Address        string    `json:"address"`
	Fingerprint    string    `json:"fingerprint,omitempty"` // empty: it showed no certificate
	Reason         string    `json:"reason"`
	Implementation string    `json:"implementation,omitempty"` // class UID and version name
	Contexts       []string  `json:"contexts,omitempty"`       // abstract syntaxes it proposed
	FirstSeen      time.Time `json:"firstSeen"`
	LastSeen       time.Time `json:"lastSeen"`
	Attempts       int64     `json:"attempts"`

	Certificate *x509.Certificate `json:"-"`
}

// Bounds of what is kept: abstract syntaxes of one proposal, bytes of a
// certificate, and callers from one address, so that one stranger with many
// titles does not push all others off the list.
const (
	maxPendingContexts    = 128
	maxPendingCertificate = 16 << 10
	maxPendingPerAddress  = 50
)

// Remember keeps a refused caller. Repeats raise a count; above most rows the
// ones not seen for longest give way, first those of the same address, so that
// a flood costs no space. A certificate of absurd length is not kept, nor its caller.
func (r *Registry) Remember(ctx context.Context, p Pending, most int) error {
	var der []byte
	if p.Certificate != nil && len(p.Certificate.Raw) > maxPendingCertificate {
		return nil
	}
	if p.Certificate != nil {
		der = p.Certificate.Raw
		p.Fingerprint = tlsprofile.Fingerprint(p.Certificate)
	}
	if der == nil {
		der = []byte{}
	}

	contexts := p.Contexts[:min(len(p.Contexts), maxPendingContexts)]
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO pending_device
			(calling, called, address, fingerprint, certificate, reason, implementation, contexts, first_seen, last_seen, attempts)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1)
			ON CONFLICT (calling, address, fingerprint) DO UPDATE SET
			called = ?2, reason = ?6, implementation = ?7, contexts = ?8, last_seen = ?9, attempts = pending_device.attempts + 1`,
			p.CallingAETitle, p.CalledAETitle, p.Address, p.Fingerprint, der, p.Reason, p.Implementation,
			strings.Join(contexts, `\`), db.Millis(r.now()))
		if err != nil {
			return err
		}

		_, err = tx.Exec(ctx, `DELETE FROM pending_device WHERE id IN
			(SELECT id FROM pending_device WHERE address = ?1
				ORDER BY last_seen DESC, id DESC LIMIT 1000000 OFFSET ?2)`, p.Address, maxPendingPerAddress)
		if err != nil {
			return err
		}

		_, err = tx.Exec(ctx, `DELETE FROM pending_device WHERE id IN
			(SELECT id FROM pending_device ORDER BY last_seen DESC, id DESC LIMIT 1000000 OFFSET ?1)`, most)
		return err
	})
}

const pendingColumns = `id, calling, called, address, fingerprint, certificate, reason, implementation, contexts, first_seen, last_seen, attempts`

// ListPending lists refused callers, the latest first.
func (r *Registry) ListPending(ctx context.Context) (list []Pending, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanPending, `SELECT `+pendingColumns+` FROM pending_device ORDER BY last_seen DESC, id DESC`)

		return err
	})
	return list, err
}

// Approve registers a refused caller: with the certificate it showed, or, where
// it came without TLS, with the plaintext exception d carries. The entry and
// all others of that title and address are done with. A short key is refused as
// by Bind.
func (r *Registry) Approve(ctx context.Context, id int64, d Device) error {
	return r.approve(ctx, id, d, checkKey)
}

// InsecureApprove is Approve for a certificate whose key may be short.
func (r *Registry) InsecureApprove(ctx context.Context, id int64, d Device) error {
	return r.approve(ctx, id, d, func(*x509.Certificate) error { return nil })
}

func (r *Registry) approve(ctx context.Context, id int64, d Device, check func(*x509.Certificate) error) error {
	if err := checkDevice(d); err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		p, err := scanPending(tx.QueryRow(ctx, `SELECT `+pendingColumns+` FROM pending_device WHERE id = ?1`, id).Scan)
		if fault.Of(err) == fault.NotFound {
			return fault.Newf(fault.NotFound, "identity: no refused caller has number %d; see 'collimator device pending'", id)
		}
		if err != nil {
			return err
		}
		if p.Certificate == nil && d.PlaintextUntil.IsZero() && d.NoCertificateUntil.IsZero() {
			return fault.New(fault.Invalid,
				"identity: this caller showed no certificate. Give it a certificate with 'collimator device add', "+
					"or let it in as it is with --plaintext --until DATE, or where it speaks TLS with --no-certificate-until DATE")
		}
		if p.Certificate != nil {
			if err := check(p.Certificate); err != nil {
				return err
			}
		}

		d.AETitle = p.CallingAETitle
		if err := r.putTx(ctx, tx, d); err != nil {
			return err
		}
		if p.Certificate != nil {
			if err := r.bindTx(ctx, tx, d.AETitle, p.Certificate); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `DELETE FROM pending_device WHERE calling = ?1 AND address = ?2`, p.CallingAETitle, p.Address)
		return err
	})
}

// Forget deletes a refused caller from the list.
func (r *Registry) Forget(ctx context.Context, id int64) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM pending_device WHERE id = ?1`, id)
		if err == nil && n == 0 {
			return fault.Newf(fault.NotFound, "identity: no refused caller has number %d; see 'collimator device pending'", id)
		}
		return err
	})
}

func scanPending(scan db.Scan) (Pending, error) {
	var p Pending
	var der []byte
	var contexts string
	var first, last int64

	err := scan(&p.ID, &p.CallingAETitle, &p.CalledAETitle, &p.Address, &p.Fingerprint, &der, &p.Reason,
		&p.Implementation, &contexts, &first, &last, &p.Attempts)
	if err != nil {
		return p, err
	}

	if len(der) > 0 {
		if p.Certificate, err = x509.ParseCertificate(der); err != nil {
			return p, err
		}
	}

	if contexts != "" {
		p.Contexts = strings.Split(contexts, `\`)
	}
	p.FirstSeen = db.Instant(first)
	p.LastSeen = db.Instant(last)
	return p, nil
}
