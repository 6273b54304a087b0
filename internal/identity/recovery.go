package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"collimator/internal/db"
)

// Recovery codes: how many a person gets, and the random bytes of one. Ten
// bytes are too many to search for whoever has the hashes.
const (
	recoveryCodes = 10
	recoveryBytes = 10
)

// NewRecoveryCodes makes ten codes for a person in place of all earlier ones.
// They are kept as hashes only.
func (r *Registry) NewRecoveryCodes(ctx context.Context, name string) ([]string, error) {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = newRecoveryCode()
	}

	err := r.db.Write(ctx, func(tx *db.Tx) error {
		if err := known(ctx, tx, name); err != nil {
			return err
		}

		if _, err := r.book.Exec(ctx, tx, `DELETE FROM recovery_code WHERE person = ?1`, name); err != nil {
			return err
		}

		for _, c := range codes {
			_, err := r.book.Exec(ctx, tx, `INSERT INTO recovery_code (person, hash) VALUES (?1, ?2)`, name, recoveryHash(c))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return codes, err
}

// UseRecoveryCode takes a code, which is gone then; ErrCode where it does not count.
func (r *Registry) UseRecoveryCode(ctx context.Context, name, code string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := r.book.Exec(ctx, tx, `DELETE FROM recovery_code WHERE person = ?1 AND hash = ?2`, name, recoveryHash(code))
		if err == nil && n == 0 {
			return ErrCode
		}
		return err
	})
}

// newRecoveryCode is four groups of four letters and digits.
func newRecoveryCode() string {
	var b [recoveryBytes]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	s := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// recoveryHash reads a code as people type it: with or without dashes and
// blanks, in either case.
func recoveryHash(code string) []byte {
	plain := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
	sum := sha256.Sum256([]byte(plain))
	return sum[:]
}
