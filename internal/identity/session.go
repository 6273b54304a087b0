package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// SessionLimits bound how long somebody stays signed in.
type SessionLimits struct {
	Idle     time.Duration // without a request; 0 means 30 minutes
	Absolute time.Duration // whatever happens; 0 means 12 hours
}

// Bounds of sessions that are not settings.
const (
	halfLifetime = 10 * time.Minute // of a session that waits for the second factor
	touchEvery   = time.Minute      // how often a session writes when it was seen
	maxSessions  = 50               // of one person, whole ones and half ones apart; the oldest give way
)

// MethodProvider is the Method of a session that began at the identity provider.
const MethodProvider = "oidc"

// Session is a browser in which somebody signed in, without its secret.
type Session struct {
	ID       string    `json:"id"`
	Person   string    `json:"person"`
	Complete bool      `json:"complete"`           // false: the second factor is still to come
	Method   string    `json:"method"`             // the last that was shown: password, totp, recovery, passkey, oidc
	Provider string    `json:"provider,omitempty"` // issuer of the identity provider at which it began; empty: none
	Address  string    `json:"address"`
	Created  time.Time `json:"created"`
	Seen     time.Time `json:"seen"` // to the minute
	Expires  time.Time `json:"expires"`
	Proven   time.Time `json:"proven,omitzero"` // when a second factor was last shown
}

// Sessions keeps who is signed in. Another process may end one at any time:
// nothing is cached. Safe for concurrent use.
type Sessions struct {
	*Registry
	limits SessionLimits
}

// NewSessions keeps sessions in the register's database.
func NewSessions(r *Registry, l SessionLimits) *Sessions {
	if l.Idle <= 0 {
		l.Idle = 30 * time.Minute
	}
	if l.Absolute <= 0 {
		l.Absolute = 12 * time.Hour
	}
	return &Sessions{r, l}
}

// Limits are those in force.
func (s *Sessions) Limits() SessionLimits { return s.limits }

// Start signs a person in and returns the secret for the cookie, which is kept
// nowhere. replaced, where it is not empty, is the ID of the session that this
// one takes the place of: the secret changes with every step of signing in, so
// that nobody gains by planting one before.
func (s *Sessions) Start(ctx context.Context, person, method, address string, complete bool, replaced string) (*Session, string, error) {
	return s.start(ctx, &Session{Person: person, Method: method, Address: address, Complete: complete}, replaced)
}

// StartAtProvider is Start for somebody who signed in at the identity provider of
// an issuer this moment: only in such a session count the groups that it named.
func (s *Sessions) StartAtProvider(ctx context.Context, issuer, person, address, replaced string) (*Session, string, error) {
	return s.start(ctx, &Session{Person: person, Method: MethodProvider, Provider: issuer, Address: address, Complete: true}, replaced)
}

func (s *Sessions) start(ctx context.Context, x *Session, replaced string) (*Session, string, error) {
	var id [6]byte
	rand.Read(id[:]) // never returns an error (crypto/rand)
	x.ID = hex.EncodeToString(id[:])
	text := randomText()
	now := s.now()

	lifetime := s.limits.Absolute
	if x.Complete {
		x.Proven = now
	} else {
		lifetime = min(lifetime, halfLifetime)
	}
	x.Created = now
	x.Seen = now
	x.Expires = now.Add(lifetime)

	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := present(ctx, tx, x.Person); err != nil {
			return err
		}
		if err := s.clean(ctx, tx, x.Person, x.Complete, replaced); err != nil {
			return err
		}

		_, err := s.book.Exec(ctx, tx,
			`INSERT INTO session (hash, id, person, complete, method, address, created, seen, expires, proven, provider)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10)`,
			secretHash(text), x.ID, x.Person, x.Complete, x.Method, x.Address, db.Millis(now), db.Millis(x.Expires),
			db.Millis(x.Proven), x.Provider)
		return err
	})
	return x, text, err
}

// Prove writes down that a second factor was shown again in a session that is
// whole, and returns another secret for its cookie: a copy of the one before
// gains nothing by it. When the session ends stays as it was.
func (s *Sessions) Prove(ctx context.Context, x *Session, method string) (string, error) {
	text := randomText()
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := s.book.Exec(ctx, tx,
			`UPDATE session SET hash = ?2, proven = ?3, seen = ?3, method = ?4 WHERE id = ?1 AND complete`, x.ID,
			secretHash(text), db.Millis(s.now()), method)
		if err == nil && n == 0 {
			return ErrCredentials
		}
		return err
	})
	if err == nil {
		x.Proven = s.now()
		x.Method = method
	}
	return text, err
}

// Running reports whether a session that was found before still runs.
func (s *Sessions) Running(ctx context.Context, id string) (running bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		x, err := scanSession(tx.QueryRow(ctx, `SELECT `+sessionColumns+` FROM session WHERE id = ?1`, id).Scan)
		running = err == nil && s.now().Before(x.Expires)
		return err
	})
	if fault.Of(err) == fault.NotFound {
		err = nil
	}
	return running, err
}

// clean ends the session that is replaced, all that are over, and of this
// person the oldest above the bound. Whole sessions and half ones have a bound
// each: who knows the password alone signs nobody out.
func (s *Sessions) clean(ctx context.Context, tx *db.Tx, person string, complete bool, replaced string) error {
	now := s.now()
	if _, err := s.book.Exec(ctx, tx, `DELETE FROM session WHERE id = ?1 AND person = ?2`, replaced, person); err != nil {
		return err
	}
	if _, err := s.book.Exec(ctx, tx, `DELETE FROM session WHERE expires <= ?1 OR seen <= ?2`, db.Millis(now),
		db.Millis(now.Add(-s.limits.Idle))); err != nil {
		return err
	}
	_, err := s.book.Exec(ctx, tx, `DELETE FROM session WHERE person = ?1 AND complete = ?3 AND id IN
		(SELECT id FROM session WHERE person = ?1 AND complete = ?3
			ORDER BY created DESC, id LIMIT 1000000 OFFSET ?2)`, person, maxSessions-1, complete)
	return err
}

// Authenticate finds the session of a cookie and its person, who must still be
// there. Anything that does not count is ErrCredentials.
func (s *Sessions) Authenticate(ctx context.Context, secret string) (*Session, *PersonInfo, error) {
	if len(secret) != 43 {
		return nil, nil, ErrCredentials
	}
	return s.find(ctx, `hash = ?1`, secretHash(secret))
}

// Resume is Authenticate for what was bound to a session by its ID, which is no secret: to use
// it is to use the session.
func (s *Sessions) Resume(ctx context.Context, id string) (*Session, *PersonInfo, error) {
	return s.find(ctx, `id = ?1`, id)
}

func (s *Sessions) find(ctx context.Context, where string, key any) (*Session, *PersonInfo, error) {
	var x *Session
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		x, err = scanSession(tx.QueryRow(ctx, `SELECT `+sessionColumns+` FROM session WHERE `+where, key).Scan)
		return err
	})
	if fault.Of(err) == fault.NotFound {
		return nil, nil, ErrCredentials
	}
	if err != nil {
		return nil, nil, err
	}

	now := s.now()
	if !s.running(x, now) {
		return nil, nil, ErrCredentials
	}

	p, err := s.Person(ctx, x.Person)
	if fault.Of(err) == fault.NotFound {
		return nil, nil, ErrCredentials
	}

	if err == nil && now.Sub(x.Seen) >= touchEvery {
		err = s.touch(ctx, x.ID, now)
		x.Seen = now
	}
	return x, p, err
}

func (s *Sessions) running(x *Session, now time.Time) bool {
	return now.Before(x.Expires) && now.Before(x.Seen.Add(s.limits.Idle))
}

func (s *Sessions) touch(ctx context.Context, id string, now time.Time) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := s.book.Touch(ctx, tx, `UPDATE session SET seen = ?2 WHERE id = ?1`, id, db.Millis(now))
		return err
	})
}

// List gives the sessions of a person that run, the newest first.
func (s *Sessions) List(ctx context.Context, person string) (list []*Session, err error) {
	now := s.now()
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanSession,
			`SELECT `+sessionColumns+` FROM session WHERE person = ?1 ORDER BY created DESC, id`, person)

		return err
	})
	list = slices.DeleteFunc(list, func(x *Session) bool { return !s.running(x, now) })

	return list, err
}

// End ends one session of a person; kind NotFound where there is none.
func (s *Sessions) End(ctx context.Context, person, id string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := s.book.Exec(ctx, tx, `DELETE FROM session WHERE person = ?1 AND id = ?2`, person, id)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "identity: no such session, or it is over")
		}
		return err
	})
}

// endSessions is for changes after which nobody stays signed in.
func (r *Registry) endSessions(ctx context.Context, tx *db.Tx, person string) error {
	_, err := r.book.Exec(ctx, tx, `DELETE FROM session WHERE person = ?1`, person)
	return err
}

const sessionColumns = `id, person, complete, method, address, created, seen, expires, proven, provider`

func scanSession(scan db.Scan) (*Session, error) {
	var x Session
	var created, seen, expires, proven int64
	if err := scan(&x.ID, &x.Person, &x.Complete, &x.Method, &x.Address, &created, &seen, &expires, &proven, &x.Provider); err != nil {
		return nil, err
	}
	x.Created = db.Instant(created)
	x.Seen = db.Instant(seen)
	x.Expires = db.Instant(expires)
	x.Proven = db.Instant(proven)
	return &x, nil
}

// secretHash is how a secret of 256 random bits is kept: it cannot be guessed,
// so that a fast hash is enough.
func secretHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// SignedInFrom is the addresses from which somebody is signed in, those where
// that was seen longest ago first.
func (r *Registry) SignedInFrom(ctx context.Context) (addresses []string, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		addresses, err = db.Column[string](ctx, tx, `SELECT address FROM session WHERE complete GROUP BY address ORDER BY MAX(seen)`)
		return err
	})
	return addresses, err
}
