package identity

import (
	"context"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Factors are what a person can show beside the password.
type Factors struct {
	TOTP     bool `json:"totp"`
	Passkeys int  `json:"passkeys"`
	Recovery int  `json:"recoveryCodes"` // that were not used
}

// Any reports whether a second factor is there. Recovery codes stand in for
// a factor and are not one.
func (f Factors) Any() bool { return f.TOTP || f.Passkeys > 0 }

// Factors counts the second factors of a person.
func (r *Registry) Factors(ctx context.Context, name string) (f Factors, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error { f, err = factors(ctx, tx, name); return err })
	return f, err
}

func factors(ctx context.Context, tx *db.Tx, name string) (f Factors, err error) {
	err = tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM totp WHERE person = ?1 AND LENGTH(secret) > 0),
		(SELECT COUNT(*) FROM passkey WHERE person = ?1),
		(SELECT COUNT(*) FROM recovery_code WHERE person = ?1)`, name).Scan(&f.TOTP, &f.Passkeys, &f.Recovery)
	return f, err
}

// BeginTOTP makes a secret for a person and keeps it beside the one that
// counts, until a code of it is confirmed. In one session it stays the same: who
// mistypes a code need not scan again. No other session is shown it, so that
// nobody knows the secret that somebody else confirms. An empty session is
// that of the operator, with a new secret each time.
func (r *Registry) BeginTOTP(ctx context.Context, name, issuer, session string) (TOTPSecret, error) {
	key := newTOTPKey()
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		if err := known(ctx, tx, name); err != nil {
			return err
		}

		var pending []byte
		var shown string
		err := tx.QueryRow(ctx, `SELECT pending, session FROM totp WHERE person = ?1`, name).Scan(&pending, &shown)
		if err == nil && len(pending) > 0 && session != "" && shown == session {
			key = pending
			return nil
		}

		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}

		_, err = r.book.Exec(ctx, tx,
			`INSERT INTO totp (person, secret, pending, step, session) VALUES (?1, ?3, ?2, 0, ?4)
				ON CONFLICT (person) DO UPDATE SET pending = ?2, session = ?4`,
			name, key, []byte{}, session)
		return err
	})
	if err != nil {
		return TOTPSecret{}, err
	}
	return totpSecret(key, issuer, name), nil
}

// ErrCode is what somebody is told whose code does not count, whatever the reason.
var ErrCode = fault.NewCode(fault.Denied, "code", "identity: the code does not count; each one counts once, and the clock must be right")

// ConfirmTOTP lets the secret of BeginTOTP count once a code of it was shown, in
// the same session.
func (r *Registry) ConfirmTOTP(ctx context.Context, name, session, code string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		var pending []byte
		var shown string
		err := tx.QueryRow(ctx, `SELECT pending, session FROM totp WHERE person = ?1`, name).Scan(&pending, &shown)
		if fault.Of(err) == fault.NotFound || err == nil && (len(pending) == 0 || shown != session) {
			return fault.NewCode(fault.Conflict, "no-app-begun", "identity: no authenticator app is being set up; begin again")
		}
		if err != nil {
			return err
		}
		step, ok := matchTOTP(pending, code, r.now(), 0)
		if !ok {
			return ErrCode
		}
		_, err = r.book.Exec(ctx, tx,
			`UPDATE totp SET secret = pending, pending = ?3, step = ?2, session = '' WHERE person = ?1`, name, step, []byte{})
		return err
	})
}

// CheckTOTP takes a code of a person's authenticator app; ErrCode where it does
// not count. Each counts once, whoever shows it.
func (r *Registry) CheckTOTP(ctx context.Context, name, code string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		var secret []byte
		var last int64
		err := tx.QueryRow(ctx, `SELECT secret, step FROM totp WHERE person = ?1`, name).Scan(&secret, &last)
		if fault.Of(err) == fault.NotFound || err == nil && len(secret) == 0 {
			return ErrCode
		}
		if err != nil {
			return err
		}
		step, ok := matchTOTP(secret, code, r.now(), last)
		if !ok {
			return ErrCode
		}
		_, err = r.book.Exec(ctx, tx, `UPDATE totp SET step = ?2 WHERE person = ?1`, name, step)
		return err
	})
}

// RemoveTOTP forgets a person's authenticator app. With keepOne the last second
// factor stays, with kind Conflict.
func (r *Registry) RemoveTOTP(ctx context.Context, name string, keepOne bool) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		f, err := factors(ctx, tx, name)
		switch {
		case err != nil:
			return err
		case !f.TOTP:
			return fault.New(fault.NotFound, "identity: no authenticator app is set up")
		case keepOne && f.Passkeys == 0:
			return errLastFactor
		}
		_, err = r.book.Exec(ctx, tx, `DELETE FROM totp WHERE person = ?1`, name)
		return err
	})
}

var errLastFactor = fault.New(fault.Conflict, "identity: this is the last second factor; set up another one first")

// present reports with kind NotFound that nobody of this name is registered.
func present(ctx context.Context, tx *db.Tx, name string) error {
	var n int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM person WHERE name = ?1 AND disabled = 0`, name).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return errNobody
	}
	return nil
}

var errNobody = fault.New(fault.NotFound, "identity: nobody of this name is registered; see 'collimator user list'")

// dropFactors forgets all that counted beside the password.
func (r *Registry) dropFactors(ctx context.Context, tx *db.Tx, name string) error {
	for _, q := range []string{
		`DELETE FROM totp WHERE person = ?1`,
		`DELETE FROM passkey WHERE person = ?1`,
		`DELETE FROM recovery_code WHERE person = ?1`,
	} {
		if _, err := r.book.Exec(ctx, tx, q, name); err != nil {
			return err
		}
	}
	return nil
}
