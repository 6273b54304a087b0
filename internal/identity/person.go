package identity

import (
	"context"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// Administrator is the role of who may change everything.
const Administrator = string(policy.Administrator)

// AddPerson registers a person with a role and a password. A name that exists
// is refused with kind Conflict.
func (r *Registry) AddPerson(ctx context.Context, name, role, password string) error {
	if err := CheckRole(role); err != nil {
		return err
	}
	if err := CheckNewPerson(name, password); err != nil {
		return err
	}
	hash, err := r.hash(ctx, password)
	if err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error { return r.insertPerson(ctx, tx, name, role, hash) })
}

func (r *Registry) insertPerson(ctx context.Context, tx *db.Tx, name, role, hash string) error {
	n, err := r.book.Exec(ctx, tx,
		`INSERT INTO person (name, role, password_hash, created, disabled) VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT (name) DO NOTHING`,
		name, role, hash, db.Millis(r.now()))
	if err == nil && n == 0 {
		if err = known(ctx, tx, name); err == nil {
			err = errTaken
		}
	}
	return err
}

// CheckNewPerson says what is wrong with a name or a password, before anything is made.
func CheckNewPerson(name, password string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return checkPassword(password)
}

func checkName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > 128 {
		return fault.NewCode(fault.Invalid, "name-missing", "identity: a name of 1 to 128 bytes is needed")
	}
	return nil
}

// HasAdministrator reports whether anybody can administrate this installation.
func (r *Registry) HasAdministrator(ctx context.Context) (has bool, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) > 0 FROM person WHERE role = ?1 AND disabled = 0`, Administrator).Scan(&has)
	})
	return has, err
}
