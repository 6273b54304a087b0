package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// SharePrefix marks the secret of a link, so that scanners find one that was
// published by mistake.
const SharePrefix = "clms_"

// maxShareLifetime bounds how long a link may be valid.
const maxShareLifetime = 92 * 24 * time.Hour

// Share is a link to one study, without its secret.
type Share struct {
	ID           string    `json:"id"`
	Owner        string    `json:"owner,omitempty"` // empty: the operator of the machine
	Study        string    `json:"study"`
	Deidentified bool      `json:"deidentified"`
	HasPassword  bool      `json:"hasPassword"`
	Created      time.Time `json:"created"`
	Expires      time.Time `json:"expires"`
	Revoked      time.Time `json:"revoked,omitzero"`
	Used         time.Time `json:"used,omitzero"` // last, to the minute
}

// Principal is the link as policy sees it.
func (s *Share) Principal() policy.Principal {
	return policy.Principal{
		Kind:         policy.Share,
		Name:         "share " + s.ID,
		Studies:      []string{s.Study},
		Deidentified: s.Deidentified,
		Until:        s.Expires,
	}
}

// NewShare says what link to make.
type NewShare struct {
	Owner        string
	Study        string
	Deidentified bool
	Password     bool // make one, too
	Lifetime     time.Duration
}

// CreateShare makes a link and returns its secret and, where one was asked for,
// a password of 80 random bits. Neither is kept.
func (r *Registry) CreateShare(ctx context.Context, n NewShare) (s Share, secret, password string, err error) {
	if n.Lifetime <= 0 || n.Lifetime > maxShareLifetime {
		return s, "", "", fault.New(fault.Invalid, "identity: a link is valid for more than nothing and at most 92 days")
	}
	if n.Study == "" {
		return s, "", "", fault.New(fault.Invalid, "identity: a link is for one study")
	}
	if n.Owner != "" {
		if _, err := r.Person(ctx, n.Owner); err != nil {
			return s, "", "", err
		}
	}

	var b [32]byte
	var id [5]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	rand.Read(id[:])
	secret = SharePrefix + base64.RawURLEncoding.EncodeToString(b[:])

	hash := ""
	if n.Password {
		password = newSharePassword()
	}

	now := r.now()
	if password != "" {
		hash = sharePasswordHash(hex.EncodeToString(id[:]), password)
	}

	s = Share{
		ID:           hex.EncodeToString(id[:]),
		Owner:        n.Owner,
		Study:        n.Study,
		Deidentified: n.Deidentified,
		HasPassword:  n.Password,
		Created:      now,
		Expires:      now.Add(n.Lifetime),
	}
	sum := sha256.Sum256([]byte(secret))

	err = r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.book.Exec(ctx, tx,
			`INSERT INTO share (id, hash, owner, study, deidentified, password_hash, created, expires, revoked, used)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0)`,
			s.ID, sum[:], s.Owner, s.Study, s.Deidentified, hash, db.Millis(s.Created), db.Millis(s.Expires))
		return err
	})
	return s, secret, password, err
}

// newSharePassword is four groups of four characters that can be read out.
func newSharePassword() string {
	var b [10]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	text := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-")
}

// sharePasswordHash is a plain hash: 80 random bits cannot be guessed, so it
// need not be slow.
func sharePasswordHash(id, password string) string {
	sum := sha256.Sum256([]byte(id + "\x00" + password))
	return hex.EncodeToString(sum[:])
}

// ErrSharePassword: the link counts, and its password is missing or wrong.
var ErrSharePassword = fault.NewCode(fault.Denied, "share-password", "identity: this link has a password, and it was not that")

// AuthenticateShare finds the link of a secret. What does not count, because it
// is unknown, ended or revoked, or because its owner is gone, is
// ErrCredentials; a password that is missing or wrong is ErrSharePassword.
func (r *Registry) AuthenticateShare(ctx context.Context, secret, password string) (*Share, error) {
	if !strings.HasPrefix(secret, SharePrefix) || len(secret) > 128 || len(password) > maxPassword {
		return nil, ErrCredentials
	}

	sum := sha256.Sum256([]byte(secret))
	s, hash, err := r.share(ctx, `hash = ?1`, sum[:])
	if err != nil {
		return nil, err
	}

	given := sharePasswordHash(s.ID, strings.ToLower(strings.TrimSpace(password)))
	if hash != "" && subtle.ConstantTimeCompare([]byte(hash), []byte(given)) == 0 {
		return nil, ErrSharePassword
	}
	return s, r.useShare(ctx, s)
}

// Share finds a link that counts, by its ID; ErrCredentials where there is none.
func (r *Registry) Share(ctx context.Context, id string) (*Share, error) {
	s, _, err := r.share(ctx, `id = ?1`, id)
	return s, err
}

func (r *Registry) share(ctx context.Context, where string, arg any) (s *Share, hash string, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) (err error) {
		s, hash, err = scanShare(tx.QueryRow(ctx, `SELECT `+shareColumns+` FROM share WHERE `+where, arg).Scan)
		return err
	})
	if fault.Of(err) == fault.NotFound || err == nil && (!s.Revoked.IsZero() || !r.now().Before(s.Expires)) {
		return nil, "", ErrCredentials
	}

	if err != nil {
		return nil, "", err
	}

	if s.Owner != "" {
		_, err = r.Person(ctx, s.Owner)
		if fault.Of(err) == fault.NotFound {
			return nil, "", ErrCredentials
		}
	}
	return s, hash, err
}

// useShare writes down that a link was used, once a minute at most.
func (r *Registry) useShare(ctx context.Context, s *Share) error {
	if r.now().Sub(s.Used) < time.Minute {
		return nil
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.book.Touch(ctx, tx, `UPDATE share SET used = ?2 WHERE id = ?1`, s.ID, db.Millis(r.now()))
		return err
	})
}

const shareColumns = `id, owner, study, deidentified, password_hash, created, expires, revoked, used`

func scanShare(scan db.Scan) (*Share, string, error) {
	var s Share
	var hash string
	var created, expires, revoked, used int64
	if err := scan(&s.ID, &s.Owner, &s.Study, &s.Deidentified, &hash, &created, &expires, &revoked, &used); err != nil {
		return nil, "", err
	}

	s.HasPassword = hash != ""
	s.Created = db.Instant(created)
	s.Expires = db.Instant(expires)
	s.Revoked = db.Instant(revoked)
	s.Used = db.Instant(used)
	return &s, hash, nil
}

// Shares lists the links, those that ended too, the newest first. owner, where
// it is not empty, leaves out those of others.
func (r *Registry) Shares(ctx context.Context, owner string) (list []*Share, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, func(scan db.Scan) (*Share, error) {
			s, _, err := scanShare(scan)
			return s, err
		}, `SELECT `+shareColumns+` FROM share WHERE ?1 = '' OR owner = ?1 ORDER BY created DESC, id`, owner)

		return err
	})
	return list, err
}

// RevokeShare ends a link now. owner, where it is not empty, must be the link's.
func (r *Registry) RevokeShare(ctx context.Context, id, owner string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := r.book.Exec(ctx, tx,
			`UPDATE share SET revoked = ?2 WHERE id = ?1 AND revoked = 0 AND (?3 = '' OR owner = ?3)`, id, db.Millis(r.now()), owner)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "identity: no such link, or it is revoked already; see 'collimator share list'")
		}
		return err
	})
}
