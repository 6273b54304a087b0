package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// LinkLifetime is how long a one-time link is valid.
const LinkLifetime = 24 * time.Hour

// Purpose is what a one-time link is for.
type Purpose string

// The purposes.
const (
	FirstAdministrator Purpose = "first-administrator" // whoever has it chooses a name
	NewPerson          Purpose = "new-person"
	NewPassword        Purpose = "password"
)

// Link is a one-time link without its secret.
type Link struct {
	Purpose Purpose   `json:"purpose"`
	Person  string    `json:"name,omitempty"`
	Role    string    `json:"role,omitempty"`
	Factors bool      `json:"dropsSecondFactors"` // what counted beside the password is dropped
	Expires time.Time `json:"expires"`
	Maker   string    `json:"maker,omitempty"` // empty: the operator of the machine
}

// FirstLink makes the link by which the first administrator registers, in place
// of an earlier one. It is refused with kind Conflict where there is an administrator.
func (r *Registry) FirstLink(ctx context.Context) (Link, string, error) {
	return r.newLink(ctx, Link{Purpose: FirstAdministrator, Role: Administrator}, func(tx *db.Tx) error {
		return noAdministrator(ctx, tx)
	})
}

// PersonLink makes a link for a person who is new, and gets the role, or for
// one who is registered and needs another password; then role is empty. The
// operator of the machine makes it.
func (r *Registry) PersonLink(ctx context.Context, name, role string, factors bool) (Link, string, error) {
	return r.personLink(ctx, name, role, factors, "")
}

// Invite is PersonLink for a person who is new, in the name of one who is
// registered: the link ends with what that person made.
func (r *Registry) Invite(ctx context.Context, name, role, maker string) (Link, string, error) {
	if err := CheckRole(role); err != nil {
		return Link{}, "", err
	}
	return r.personLink(ctx, name, role, false, maker)
}

// LinkBy is PersonLink for somebody who is registered, in the name of another: the link ends with
// what that person made.
func (r *Registry) LinkBy(ctx context.Context, name string, factors bool, maker string) (Link, string, error) {
	return r.personLink(ctx, name, "", factors, maker)
}

func (r *Registry) personLink(ctx context.Context, name, role string, factors bool, maker string) (Link, string, error) {
	l := Link{Purpose: NewPassword, Person: name, Factors: factors, Maker: maker}
	if role != "" {
		l.Purpose = NewPerson
		l.Role = role
		l.Factors = false
		if err := CheckRole(role); err != nil {
			return l, "", err
		}
		if err := checkName(name); err != nil {
			return l, "", err
		}
	}

	return r.newLink(ctx, l, func(tx *db.Tx) error {
		err := known(ctx, tx, name)
		if role == "" {
			return err
		}
		if err == nil {
			return errTaken
		}
		if errors.Is(err, errNobody) {
			return nil
		}
		return err
	})
}

var (
	errTaken    = fault.NewCode(fault.Conflict, "name-taken", "identity: a person of this name is registered already")
	errDisabled = fault.NewCode(fault.Conflict, "person-disabled", "identity: the person of this name is disabled; 'collimator user enable NAME' lets the person come back")
)

// known is present, but says of somebody who is disabled what to do: the name is not free.
func known(ctx context.Context, tx *db.Tx, name string) error {
	var disabled int64
	err := tx.QueryRow(ctx, `SELECT disabled FROM person WHERE name = ?1`, name).Scan(&disabled)
	switch {
	case fault.Of(err) == fault.NotFound:
		return errNobody
	case err == nil && disabled != 0:
		return errDisabled
	}
	return err
}

func noAdministrator(ctx context.Context, tx *db.Tx) error {
	var has bool
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) > 0 FROM person WHERE role = ?1 AND disabled = 0`, Administrator).Scan(&has); err != nil {
		return err
	}
	if has {
		return fault.NewCode(fault.Conflict, "administrator-exists", "identity: there is an administrator already")
	}
	return nil
}

func (r *Registry) newLink(ctx context.Context, l Link, check func(*db.Tx) error) (Link, string, error) {
	var secret [32]byte
	rand.Read(secret[:]) // never returns an error (crypto/rand)
	text := base64.RawURLEncoding.EncodeToString(secret[:])

	l.Expires = r.now().Add(LinkLifetime)
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		if err := check(tx); err != nil {
			return err
		}

		if _, err := r.book.Exec(ctx, tx, `DELETE FROM person_link WHERE person = ?1 OR expires <= ?2`, l.Person,
			db.Millis(r.now())); err != nil {
			return err
		}

		_, err := r.book.Exec(ctx, tx,
			`INSERT INTO person_link (hash, purpose, person, role, factors, expires, maker) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
			secretHash(text), string(l.Purpose), l.Person, l.Role, l.Factors, db.Millis(l.Expires), l.Maker)
		return err
	})
	return l, text, err
}

// ErrLink is what somebody is told whose link does not count, whatever the reason.
var ErrLink = fault.NewCode(fault.Denied, "link", "identity: the link does not count: it was used, has ended or was replaced. Ask for another one")

// Link finds what a secret is for.
func (r *Registry) Link(ctx context.Context, secret string) (l Link, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error { l, err = r.link(ctx, tx, secret); return err })
	return l, err
}

// Links lists the one-time links that somebody could still use, by name.
func (r *Registry) Links(ctx context.Context) (list []Link, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, readLink, `SELECT purpose, person, role, factors, expires, maker FROM person_link
			WHERE expires > ?1 AND (maker = '' OR maker IN (SELECT name FROM person WHERE disabled = 0))
				ORDER BY person, expires`, db.Millis(r.now()))
		return err
	})
	return list, err
}

func readLink(scan db.Scan) (l Link, err error) {
	var expires int64
	err = scan(&l.Purpose, &l.Person, &l.Role, &l.Factors, &expires, &l.Maker)
	l.Expires = db.Instant(expires)
	return l, err
}

// EndLink withdraws the one-time link of a person: whoever has it cannot use it
// any more. The error is of kind NotFound where there is none.
func (r *Registry) EndLink(ctx context.Context, name string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := r.book.Exec(ctx, tx, `DELETE FROM person_link WHERE person = ?1 AND purpose <> ?2`, name, string(FirstAdministrator))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "identity: there is no one-time link for this person; see 'collimator user links'")
		}
		return err
	})
}

func (r *Registry) link(ctx context.Context, tx *db.Tx, secret string) (l Link, err error) {
	l, err = readLink(tx.QueryRow(ctx,
		`SELECT purpose, person, role, factors, expires, maker FROM person_link WHERE hash = ?1`, secretHash(secret)).Scan)
	if fault.Of(err) == fault.NotFound || err == nil && !r.now().Before(l.Expires) {
		return Link{}, ErrLink
	}
	if err == nil && l.Maker != "" { // a person who is gone invites nobody
		if err = present(ctx, tx, l.Maker); fault.Of(err) == fault.NotFound {
			return Link{}, ErrLink
		}
	}
	return l, err
}

// UseLink sets a password by a link, and makes the person where the link is for
// a new one. name counts for the first administrator alone. The link is gone
// then, and every session of the person has ended.
func (r *Registry) UseLink(ctx context.Context, secret, name, password string) (Link, error) {
	l, err := r.Link(ctx, secret)
	if err != nil {
		return l, err
	}

	if l.Purpose == FirstAdministrator {
		l.Person = name
	}

	if err := CheckNewPerson(l.Person, password); err != nil {
		return l, err
	}

	hash, err := r.hash(ctx, password)
	if err != nil {
		return l, err
	}

	err = r.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := r.link(ctx, tx, secret); err != nil { // somebody else was faster
			return err
		}
		if _, err := r.book.Exec(ctx, tx, `DELETE FROM person_link WHERE hash = ?1`, secretHash(secret)); err != nil {
			return err
		}
		return r.settle(ctx, tx, l, hash)
	})
	return l, err
}

func (r *Registry) settle(ctx context.Context, tx *db.Tx, l Link, hash string) error {
	if l.Purpose == NewPassword {
		if l.Factors {
			if err := r.dropFactors(ctx, tx, l.Person); err != nil {
				return err
			}
		}
		_, err := r.setHash(ctx, tx, l.Person, hash)
		return err
	}

	if l.Purpose == FirstAdministrator {
		if err := noAdministrator(ctx, tx); err != nil {
			return err
		}
	}
	return r.insertPerson(ctx, tx, l.Person, l.Role, hash)
}
