package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// tokenPrefix marks the secret of a token, so that scanners find one that was
// published by mistake.
const tokenPrefix = "clmt_"

// maxTokenLifetime bounds how long a token may be valid.
const maxTokenLifetime = 366 * 24 * time.Hour

// AccessToken is a bearer token (RFC 6750) without its secret.
type AccessToken struct {
	ID    string `json:"id"`
	Owner string `json:"owner"`
	// Operator: made at the command line, and not in a session of the owner.
	Operator bool          `json:"madeByOperator"`
	Verbs    []policy.Verb `json:"allow"`
	Studies  []string      `json:"studies,omitempty"` // empty: all of the owner's
	Created  time.Time     `json:"created"`
	Expires  time.Time     `json:"expires"`
	Revoked  time.Time     `json:"revoked,omitzero"`
}

// Principal is the token as policy sees it.
func (t *AccessToken) Principal() policy.Principal {
	return policy.Principal{Kind: policy.Service, Name: "token " + t.ID, Verbs: t.Verbs, Studies: t.Studies, Until: t.Expires}
}

// CreateToken makes a token for a person, who asks for it in a session, and
// returns its secret, which is kept nowhere.
func (r *Registry) CreateToken(ctx context.Context, owner string, verbs []policy.Verb, studies []string,
	lifetime time.Duration) (AccessToken, string, error) {

	return r.createToken(ctx, owner, verbs, studies, lifetime, false)
}

// OperatorToken is CreateToken by the operator of the machine: another password
// of its owner does not end it.
func (r *Registry) OperatorToken(ctx context.Context, owner string, verbs []policy.Verb, studies []string,
	lifetime time.Duration) (AccessToken, string, error) {

	return r.createToken(ctx, owner, verbs, studies, lifetime, true)
}

func (r *Registry) createToken(ctx context.Context, owner string, verbs []policy.Verb, studies []string,
	lifetime time.Duration, operator bool) (AccessToken, string, error) {

	if lifetime <= 0 || lifetime > maxTokenLifetime {
		return AccessToken{}, "", fault.New(fault.Invalid, "identity: a token is valid for more than nothing and at most 366 days")
	}

	if len(verbs) == 0 {
		return AccessToken{}, "", fault.New(fault.Invalid, "identity: a token that may do nothing is of no use")
	}

	var secret [32]byte
	var id [5]byte
	rand.Read(secret[:]) // never returns an error (crypto/rand)
	rand.Read(id[:])
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
	t := AccessToken{
		ID:       hex.EncodeToString(id[:]),
		Owner:    owner,
		Operator: operator,
		Verbs:    verbs,
		Studies:  studies,
		Created:  r.now(),
		Expires:  r.now().Add(lifetime),
	}

	hash := sha256.Sum256([]byte(text))

	err := r.db.Write(ctx, func(tx *db.Tx) error {
		if err := known(ctx, tx, owner); err != nil {
			return err
		}
		_, err := r.book.Exec(ctx, tx,
			`INSERT INTO access_token (id, hash, owner, verbs, studies, created, expires, revoked, operator)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)`,
			t.ID, hash[:], owner, joinVerbs(verbs), strings.Join(studies, `\`), db.Millis(t.Created), db.Millis(t.Expires), operator)
		return err
	})
	return t, text, err
}

// ErrCredentials is what a caller is told whose token or password does not
// count, whatever the reason.
var ErrCredentials = fault.NewCode(fault.Denied, "credentials", "identity: the credentials do not count")

// AuthenticateToken finds the token of a secret and its owner, who must still
// be there. Anything that does not count is ErrCredentials.
func (r *Registry) AuthenticateToken(ctx context.Context, secret string) (*AccessToken, *PersonInfo, error) {
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > 128 {
		return nil, nil, ErrCredentials
	}
	hash := sha256.Sum256([]byte(secret))
	return r.token(ctx, `hash = ?1`, hash[:])
}

// Token is AuthenticateToken for one that was found before, by its ID.
func (r *Registry) Token(ctx context.Context, id string) (*AccessToken, *PersonInfo, error) {
	return r.token(ctx, `id = ?1`, id)
}

func (r *Registry) token(ctx context.Context, where string, arg any) (t *AccessToken, owner *PersonInfo, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) (err error) {
		t, err = scanToken(tx.QueryRow(ctx, `SELECT `+tokenColumns+` FROM access_token WHERE `+where, arg).Scan)
		return err
	})
	if fault.Of(err) == fault.NotFound {
		return nil, nil, ErrCredentials
	}
	if err != nil {
		return nil, nil, err
	}

	if !t.Revoked.IsZero() || !r.now().Before(t.Expires) {
		return nil, nil, ErrCredentials
	}

	owner, err = r.Person(ctx, t.Owner)
	if fault.Of(err) == fault.NotFound {
		return nil, nil, ErrCredentials
	}
	return t, owner, err
}

const tokenColumns = `id, owner, verbs, studies, created, expires, revoked, operator`

func scanToken(scan db.Scan) (*AccessToken, error) {
	var t AccessToken
	var verbs, studies string
	var created, expires, revoked int64
	if err := scan(&t.ID, &t.Owner, &verbs, &studies, &created, &expires, &revoked, &t.Operator); err != nil {
		return nil, err
	}

	for _, v := range strings.Split(verbs, ",") {
		t.Verbs = append(t.Verbs, policy.Verb(v))
	}

	if studies != "" {
		t.Studies = strings.Split(studies, `\`)
	}

	t.Created = db.Instant(created)
	t.Expires = db.Instant(expires)
	t.Revoked = db.Instant(revoked)
	return &t, nil
}

// Tokens lists the tokens, those that ended too, the newest first.
func (r *Registry) Tokens(ctx context.Context) (list []*AccessToken, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanToken, `SELECT `+tokenColumns+` FROM access_token ORDER BY created DESC, id`)

		return err
	})
	return list, err
}

// RevokeToken ends a token now.
func (r *Registry) RevokeToken(ctx context.Context, id string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := r.book.Exec(ctx, tx, `UPDATE access_token SET revoked = ?2 WHERE id = ?1 AND revoked = 0`, id, db.Millis(r.now()))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "identity: no such token, or it is revoked already; see 'collimator token list'")
		}
		return err
	})
}
