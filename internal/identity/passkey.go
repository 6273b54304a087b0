package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// maxPasskeys bounds how many passkeys a person has.
const maxPasskeys = 20

// PasskeyInfo is a registered passkey without its key.
type PasskeyInfo struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Host    string    `json:"host"` // it works for this host name alone
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
	// Copied: its counter went back once, so that there are two of it. It counts no more.
	Copied bool `json:"copied,omitempty"`
}

// keyHolder is a person as the ceremonies see one.
type keyHolder struct {
	name        string
	handle      []byte
	credentials []webauthn.Credential
}

var _ webauthn.User = (*keyHolder)(nil)

// WebAuthnID implements webauthn.User.
func (h *keyHolder) WebAuthnID() []byte { return h.handle }

// WebAuthnName implements webauthn.User.
func (h *keyHolder) WebAuthnName() string { return h.name }

// WebAuthnDisplayName implements webauthn.User.
func (h *keyHolder) WebAuthnDisplayName() string { return h.name }

// WebAuthnCredentials implements webauthn.User.
func (h *keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// holder finds a person with the passkeys for a host; the handle is made at the first use.
func (r *Registry) holder(ctx context.Context, name, rp string) (*keyHolder, error) {
	handle := make([]byte, 32)
	rand.Read(handle) // never returns an error (crypto/rand)

	h := &keyHolder{name: name}
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		if err := present(ctx, tx, name); err != nil {
			return err
		}

		if _, err := r.book.Exec(ctx, tx,
			`INSERT INTO passkey_handle (person, handle) VALUES (?1, ?2) ON CONFLICT (person) DO NOTHING`, name, handle); err != nil {
			return err
		}

		if err := tx.QueryRow(ctx, `SELECT handle FROM passkey_handle WHERE person = ?1`, name).Scan(&h.handle); err != nil {
			return err
		}

		return loadCredentials(ctx, tx, h, rp)
	})
	return h, err
}

// holderOf finds the person of a handle; kind NotFound where there is none.
func (r *Registry) holderOf(ctx context.Context, handle []byte, rp string) (*keyHolder, error) {
	h := &keyHolder{handle: handle}
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx,
			`SELECT p.name FROM passkey_handle h JOIN person p ON p.name = h.person WHERE h.handle = ?1
				AND p.disabled = 0`, handle).Scan(&h.name)
		if err != nil {
			return err
		}
		return loadCredentials(ctx, tx, h, rp)
	})
	return h, err
}

func loadCredentials(ctx context.Context, tx *db.Tx, h *keyHolder, rp string) error {
	list, err := db.All(ctx, tx, scanCredential,
		`SELECT credential FROM passkey WHERE person = ?1 AND rp = ?2 ORDER BY created, id`, h.name, rp)
	h.credentials = append(h.credentials, list...)

	return err
}

func scanCredential(scan db.Scan) (c webauthn.Credential, err error) {
	var b []byte
	if err := scan(&b); err != nil {
		return c, err
	}

	return readCredential(b)
}

func readCredential(b []byte) (c webauthn.Credential, err error) {
	err = json.Unmarshal(b, &c)
	return c, fault.Wrap(fault.Internal, err, "identity: a stored passkey cannot be read")
}

func credentialID(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (r *Registry) addPasskey(ctx context.Context, person, rp, name string, c *webauthn.Credential) error {
	b, err := json.Marshal(c)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "identity: keep the passkey")
	}

	return r.db.Write(ctx, func(tx *db.Tx) error {
		f, err := factors(ctx, tx, person)
		if err != nil {
			return err
		}

		if f.Passkeys >= maxPasskeys {
			return fault.Newf(fault.Conflict, "identity: the most passkeys that a person has are %d; remove one first", maxPasskeys)
		}

		n, err := r.book.Exec(ctx, tx,
			`INSERT INTO passkey (id, person, rp, name, credential, created, used)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT (id) DO NOTHING`,
			credentialID(c.ID), person, rp, name, b, db.Millis(r.now()))
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "identity: this passkey is registered already")
		}
		return err
	})
}

// usePasskey keeps the counter and the flags an authenticator showed. The
// counter must still be the one that was checked: of two answers with the same
// one only the first counts.
func (r *Registry) usePasskey(ctx context.Context, before, after *webauthn.Credential) error {
	b, err := json.Marshal(after)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "identity: keep the passkey")
	}

	id := credentialID(after.ID)
	return r.db.Write(ctx, func(tx *db.Tx) error {
		now, err := storedCredential(ctx, tx, id)
		if err != nil {
			return err
		}

		if now.Authenticator.SignCount != before.Authenticator.SignCount || now.Authenticator.CloneWarning {
			return ErrCredentials
		}

		_, err = r.book.Exec(ctx, tx, `UPDATE passkey SET credential = ?2, used = ?3 WHERE id = ?1`, id, b, db.Millis(r.now()))
		return err
	})
}

// storedCredential is one as it is now; ErrCredentials where it is gone.
func storedCredential(ctx context.Context, tx *db.Tx, id string) (c webauthn.Credential, err error) {
	var b []byte
	err = tx.QueryRow(ctx, `SELECT credential FROM passkey WHERE id = ?1`, id).Scan(&b)
	if fault.Of(err) == fault.NotFound {
		return c, ErrCredentials
	}
	if err != nil {
		return c, err
	}
	return readCredential(b)
}

// CopiedPasskey is the error of a passkey of which there are two: nobody knows
// which of them was shown, so that neither counts any more.
type CopiedPasskey struct {
	Person, ID string
	Noticed    bool // by this very answer
}

var errCopied = fault.New(fault.Denied, "identity: this passkey was copied, by its counter, and counts no more; sign in another way, remove it, and tell an administrator")

// Error is what may be shown.
func (*CopiedPasskey) Error() string { return errCopied.Error() }

// Unwrap gives its kind.
func (*CopiedPasskey) Unwrap() error { return errCopied }

// copiedPasskey marks a passkey for good: the counter of a copy catches up.
func (r *Registry) copiedPasskey(ctx context.Context, person string, raw []byte) error {
	x := &CopiedPasskey{Person: person, ID: credentialID(raw)}
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		c, err := storedCredential(ctx, tx, x.ID)
		if err != nil || c.Authenticator.CloneWarning {
			return err
		}

		x.Noticed = true
		c.Authenticator.CloneWarning = true
		b, err := json.Marshal(c)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "identity: keep the passkey")
		}

		_, err = r.book.Exec(ctx, tx, `UPDATE passkey SET credential = ?2 WHERE id = ?1`, x.ID, b)
		return err
	})
	if err != nil {
		return err
	}
	return x
}

// Passkeys lists the passkeys of a person.
func (r *Registry) Passkeys(ctx context.Context, person string) (list []PasskeyInfo, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanPasskey,
			`SELECT id, name, rp, created, used, credential FROM passkey WHERE person = ?1 ORDER BY created, id`, person)

		return err
	})

	return list, err
}

func scanPasskey(scan db.Scan) (k PasskeyInfo, err error) {
	var created, used int64
	var credential []byte
	if err := scan(&k.ID, &k.Name, &k.Host, &created, &used, &credential); err != nil {
		return k, err
	}
	c, err := readCredential(credential)
	if err != nil {
		return k, err
	}
	k.Copied = c.Authenticator.CloneWarning
	k.Created = db.Instant(created)
	k.Used = db.Instant(used)

	return k, nil
}

// RemovePasskey forgets one of a person's passkeys. With keepOne the last
// second factor stays, with kind Conflict.
func (r *Registry) RemovePasskey(ctx context.Context, person, id string, keepOne bool) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		f, err := factors(ctx, tx, person)
		if err != nil {
			return err
		}
		if keepOne && f.Passkeys == 1 && !f.TOTP {
			return errLastFactor
		}
		n, err := r.book.Exec(ctx, tx, `DELETE FROM passkey WHERE person = ?1 AND id = ?2`, person, id)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "identity: no such passkey")
		}
		return err
	})
}
