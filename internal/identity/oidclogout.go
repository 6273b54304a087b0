package identity

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// logoutEvent is what a logout token says has happened (OpenID Connect
// Back-Channel Logout 1.0 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// Bounds of logout: how many are judged at a time, and how many tokens are
// remembered until they end.
const (
	logoutsAtOnce = 2
	logoutsMost   = 10_000
)

// logouts remembers the tokens that were used. Safe for concurrent use.
type logouts struct {
	places chan struct{}

	mu   sync.Mutex
	used map[string]time.Time // by jti, until when
}

func newLogouts() *logouts {
	return &logouts{places: make(chan struct{}, logoutsAtOnce), used: map[string]time.Time{}}
}

// first uses up a token; false where it was used before. Where too many are
// remembered nothing counts until some have ended.
func (l *logouts) first(id string, now, until time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for other, end := range l.used {
		if !now.Before(end) {
			delete(l.used, other)
		}
	}

	if _, used := l.used[id]; used {
		return false, nil
	}
	if len(l.used) >= logoutsMost {
		return false, errAsking
	}

	l.used[id] = until
	return true, nil
}

// logoutClaims are those of a logout token that no library looks at.
type logoutClaims struct {
	ID     string                     `json:"jti"`
	Nonce  *string                    `json:"nonce"`
	Events map[string]json.RawMessage `json:"events"`
}

// Logout ends the sessions of whom a logout token of the provider names, and with
// LogoutEndsMade what the person made in them (OpenID Connect Back-Channel Logout
// 1.0 2.6). person is empty where nobody here is meant: that is not an error. A token that
// does not count is an *OIDCFailure.
func (o *OIDC) Logout(ctx context.Context, raw string) (person string, ended Ended, err error) {
	select {
	case o.logouts.places <- struct{}{}:
		defer func() { <-o.logouts.places }()
	default:
		return "", ended, errAsking
	}

	id, err := o.logoutToken(ctx, raw)
	if err != nil {
		return "", ended, err
	}
	person, err = o.boundTo(ctx, id.Subject)
	if err != nil || person == "" {
		return "", ended, err
	}

	if o.o.LogoutEndsMade {
		ended, err = o.registry.EndMade(ctx, person)
	} else {
		ended, err = o.registry.EndSessions(ctx, person)
	}

	return person, ended, err
}

// logoutToken verifies a logout token, in the order of Back-Channel Logout 1.0 2.6.
func (o *OIDC) logoutToken(ctx context.Context, raw string) (*oidc.IDToken, error) {
	if raw == "" || len(raw) > maxToken {
		return nil, &OIDCFailure{Reason: reasonLogout, shown: errOIDC}
	}

	p, err := o.provider.get(ctx)
	if err != nil {
		return nil, &OIDCFailure{Reason: reasonAway, shown: errAway, cause: err}
	}

	c := &oidc.Config{ClientID: o.o.ClientID, SkipExpiryCheck: true} // punctual looks at the times
	id, err := p.Verifier(c).Verify(oidc.ClientContext(ctx, o.provider.client), raw)
	if err != nil {
		return nil, &OIDCFailure{Reason: reasonLogout, shown: errOIDC, cause: err}
	}

	if err := o.punctual(id); err != nil {
		return nil, err
	}

	var claims logoutClaims
	err = id.Claims(&claims)
	event, told := claims.Events[logoutEvent]
	var members map[string]any

	switch {
	case err != nil:
	case !told || json.Unmarshal(event, &members) != nil:
		err = errors.New("it does not say that somebody signed out")
	case claims.Nonce != nil:
		err = errors.New("it has a nonce, as an identity token has")
	case claims.ID == "":
		err = errors.New("it has no jti")
	case id.Subject == "":
		err = errors.New("it names a session and no subject; let the provider send sub")
	}
	if err != nil {
		return nil, &OIDCFailure{Reason: reasonLogout, Subject: id.Subject, shown: errOIDC, cause: err}
	}

	first, err := o.logouts.first(claims.ID, o.registry.now(), id.Expiry.Add(o.o.Leeway))
	if err != nil {
		return nil, err
	}
	if !first {
		return nil, &OIDCFailure{Reason: reasonReplay, Subject: id.Subject, shown: errOIDC}
	}
	return id, nil
}

// boundTo is the person here that a subject of the provider is bound to; empty for
// none.
func (o *OIDC) boundTo(ctx context.Context, subject string) (person string, err error) {
	err = o.registry.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT person FROM person_subject WHERE issuer = ?1 AND subject = ?2`, o.o.Issuer, subject).Scan(&person)
	})
	if fault.Of(err) == fault.NotFound {
		return "", nil
	}
	return person, err
}
