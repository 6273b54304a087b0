package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// shareSession is how long a browser may go on with a link it opened.
const shareSession = 12 * time.Hour

// maxShareSessions is of one link; the oldest give way.
const maxShareSessions = 200

// OpenShare gives a browser that showed a link the secret for its cookie.
func (r *Registry) OpenShare(ctx context.Context, s *Share) (secret string, expires time.Time, err error) {
	var b [32]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	expires = r.now().Add(shareSession)

	if s.Expires.Before(expires) {
		expires = s.Expires
	}

	err = r.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := r.book.Exec(ctx, tx, `DELETE FROM share_session WHERE expires <= ?1`, db.Millis(r.now())); err != nil {
			return err
		}

		_, err := r.book.Exec(ctx, tx, `DELETE FROM share_session WHERE share = ?1 AND hash IN
			(SELECT hash FROM share_session WHERE share = ?1 ORDER BY expires DESC LIMIT 1000000 OFFSET ?2)`, s.ID, maxShareSessions-1)
		if err != nil {
			return err
		}

		_, err = r.book.Exec(ctx, tx, `INSERT INTO share_session (hash, share, expires) VALUES (?1, ?2, ?3)`,
			secretHash(secret), s.ID, db.Millis(expires))
		return err
	})
	return secret, expires, err
}

// CloseShare ends the session of a browser that opened a link, by its cookie,
// and returns the link; ErrCredentials where there is none.
func (r *Registry) CloseShare(ctx context.Context, secret string) (*Share, error) {
	s, err := r.OpenedShare(ctx, secret)
	if err != nil {
		return nil, err
	}
	return s, r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.book.Exec(ctx, tx, `DELETE FROM share_session WHERE hash = ?1`, secretHash(secret))
		return err
	})
}

// OpenedShare finds the link of a cookie. Anything that does not count, a link
// that was revoked too, is ErrCredentials.
func (r *Registry) OpenedShare(ctx context.Context, secret string) (*Share, error) {
	if len(secret) != 43 {
		return nil, ErrCredentials
	}

	var id string
	var expires int64
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT share, expires FROM share_session WHERE hash = ?1`, secretHash(secret)).Scan(&id, &expires)
	})
	if fault.Of(err) == fault.NotFound || err == nil && !r.now().Before(db.Instant(expires)) {
		return nil, ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	return r.Share(ctx, id)
}
