// Package signin is how people sign in, and what they do about their own ways to
// do so: passwords, codes of an authenticator app, passkeys, an identity provider,
// one-time links, links to a study, sessions and tokens of one's own. Its handlers
// are routes of the JSON API; who is let in by what they made is the guard's to
// say. A handler answers by what it returns: a value, or an error that says what
// is to come (lockout.WaitError, guard.UnauthenticatedError, guard.ProofError).
package signin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/webapi"
)

// Options say how people sign in; the zero value demands a second factor.
type Options struct {
	// InsecureOneFactor lets a password alone be enough for who has no second factor.
	InsecureOneFactor bool
	// Passkeys runs their ceremonies; nil: there are none.
	Passkeys *identity.RelyingParty
	// OIDC is the identity provider; nil: there is none.
	OIDC *identity.OIDC
	// ProviderOnly lets people in by the identity provider alone, but for those of
	// BreakGlass, by name: for the day on which it does not answer.
	ProviderOnly bool
	BreakGlass   []string
	// Origins are the addresses under which browsers reach the server, as https://host:port.
	Origins []string
	// Name is this installation in the list of an authenticator app.
	Name string
}

// Local reports whether somebody may sign in by what this archive knows of a
// person: a password, a passkey, a one-time link.
func (o Options) Local(name string) bool {
	return !o.ProviderOnly || slices.Contains(o.BreakGlass, name)
}

var errNotLocal = fault.NewCode(fault.Conflict, "provider-only",
	"signin: people sign in at the identity provider here, and by nothing else (signin.local)")

// accountBuckets is how many names the lock-out tells apart. It counts by a
// keyed hash, so that names that do not exist cost no more than those that do.
const accountBuckets = 8192

// accountQuiet is how long an account must be left alone until its failures
// are forgotten: who knows the password must not get through all codes.
const accountQuiet = 24 * time.Hour

// Service has the routes by which people sign in. Safe for concurrent use.
type Service struct {
	Options
	door      *guard.Guard
	passwords *lockout.Table // by account, from wherever
	codes     *lockout.Table // of the second factor, by account
	secret    [32]byte       // tells names apart without keeping them
}

// New makes the service in front of a door, whose Local is that of the options.
func New(door *guard.Guard, o Options) *Service {
	s := &Service{
		Options:   o,
		door:      door,
		passwords: lockout.New(door.Now, lockout.Usual(accountQuiet)),
		codes:     lockout.New(door.Now, lockout.Usual(accountQuiet)),
	}
	rand.Read(s.secret[:]) // never returns an error (crypto/rand)
	return s
}

// NewAPI makes the multiplexer of the JSON API with the routes to sign in.
func (s *Service) NewAPI() *webapi.API {
	a := webapi.New(s.door, s)
	s.registerSignIn(a)
	s.registerOwn(a)
	describe(a)
	return a
}

// registerSignIn registers the routes without credentials: each looks itself at
// what the browser has shown so far.
func (s *Service) registerSignIn(a *webapi.API) {
	for pattern, h := range map[string]handler{
		"GET /api/v1/session":                       (*request).state,
		"DELETE /api/v1/session":                    (*request).signOut,
		"POST /api/v1/session/password":             (*request).password,
		"POST /api/v1/session/totp":                 (*request).totp,
		"POST /api/v1/session/recovery":             (*request).recovery,
		"POST /api/v1/session/passkey/begin":        (*request).passkeyBegin,
		"POST /api/v1/session/passkey/finish":       (*request).passkeyFinish,
		"POST /api/v1/session/oidc":                 (*request).oidcBegin,
		"POST " + oidcLogout:                        (*request).oidcEnd,
		"POST /api/v1/session/enrol/totp":           (*request).enrolTOTP,
		"POST /api/v1/session/enrol/totp/confirm":   (*request).confirmTOTP,
		"POST /api/v1/session/enrol/passkey/begin":  (*request).enrolPasskey,
		"POST /api/v1/session/enrol/passkey/finish": (*request).keepPasskey,
		"POST /api/v1/session/share":                (*request).openShare,
		"POST /api/v1/setup/look":                   (*request).lookAtLink,
		"POST /api/v1/setup":                        (*request).setUp,
	} {
		a.Unguarded(pattern, s.handle(h))
	}

	a.Unguarded("GET "+CallbackPath, s.handle((*request).oidcFinish), webapi.AnyParameter)
	a.SetUp("POST /api/v1/setup/look", "POST /api/v1/setup")
}

// registerOwn registers the routes about how the caller signs in, and about tokens,
// by which programs come in.
func (s *Service) registerOwn(a *webapi.API) {
	for pattern, h := range map[string]handler{
		"GET /api/v1/sessions":         (*request).listSessions,
		"DELETE /api/v1/sessions":      (*request).endSessions,
		"DELETE /api/v1/sessions/{id}": (*request).endSession,
		"POST /api/v1/password":        (*request).changePassword,
		"POST /api/v1/recovery-codes":  (*request).renewCodes,
		"DELETE /api/v1/totp":          (*request).dropTOTP,
		"GET /api/v1/passkeys":         (*request).listPasskeys,
		"DELETE /api/v1/passkeys/{id}": (*request).dropPasskey,
		"GET /api/v1/tokens":           (*request).listTokens,
		"POST /api/v1/tokens":          (*request).createToken,
		"DELETE /api/v1/tokens/{id}":   (*request).revokeToken,
	} {
		a.Own(pattern, s.handle(h))
	}

	a.Proven("POST /api/v1/password", "POST /api/v1/recovery-codes", "DELETE /api/v1/totp",
		"DELETE /api/v1/passkeys/{id}", "POST /api/v1/tokens")
	a.Holds(tokensBytes, "GET /api/v1/tokens")
}

// request is a request about signing in.
type request struct {
	*webapi.Request
	s *Service
}

type handler func(rq *request) (any, error)

// handle makes a handler of the API.
func (s *Service) handle(h handler) webapi.Handler {
	return func(rq *webapi.Request) (any, error) { return h(&request{Request: rq, s: s}) }
}

// account is what the lock-out counts a name by.
func (s *Service) account(name string) string {
	mac := hmac.New(sha256.New, s.secret[:])
	mac.Write([]byte(name))
	return "account " + strconv.Itoa(int(binary.BigEndian.Uint32(mac.Sum(nil))%accountBuckets))
}

// attempt judges one try to show something that somebody knows or has, which
// counts in a table of accounts. Too many that did not count make the address
// and the account wait, twice as long each time; a name that does not exist
// waits like one that does. A success forgets what failed in that table alone:
// who knows the password does not wipe out wrong codes.
func (rq *request) attempt(table *lockout.Table, name, what string, judge func() (bool, error)) error {
	s := rq.s
	account := lockout.Slot{Table: table, Key: s.account(name), Forgive: true}
	ok, wait, err := lockout.Try(rq.Context(), judge, s.door.FromAddress(rq.Address()), account)
	if ok || err != nil {
		return err
	}

	principal := ""
	if _, err := s.door.Registry.Person(rq.Context(), name); err == nil {
		principal = name
	}
	rq.event(audit.UserAuthenticated, principal, audit.MinorFailure, what+" did not count", "")
	if wait > 0 {
		rq.event(audit.SecurityAlert, principal, audit.MinorFailure, "locked out after too many attempts", "")
		s.door.Log.Warn("attempts to sign in are slowed down", "address", rq.Address(), "seconds", int(wait.Seconds()))
	}
	return &guard.UnauthenticatedError{Err: identity.ErrCredentials}
}

// knownOrigin is the origin of a request, where the server may be reached under it.
func (rq *request) knownOrigin() (string, error) {
	o := "https://" + rq.HTTP().Host
	if !slices.Contains(rq.s.Origins, o) {
		return "", fault.NewCode(fault.Invalid, "host-unknown",
			"signin: the server does not know itself under this name; add it to 'hosts' or 'signin.origins' in the settings")
	}
	return o, nil
}

// methods are the ways to sign in.
type methods struct {
	Password bool `json:"password"`
	Passkey  bool `json:"passkey"`
	OIDC     bool `json:"oidc"`
}

func (s *Service) methods(r *http.Request) methods {
	local := !s.ProviderOnly || len(s.BreakGlass) > 0
	return methods{
		Password: local,
		Passkey:  local && s.Passkeys != nil && s.Passkeys.Knows(r.Host),
		OIDC:     s.OIDC != nil,
	}
}

// SignIn implements webapi.Ways.
func (s *Service) SignIn(r *http.Request) any { return s.methods(r) }

// proofs says by which means a second factor can be shown again, and how long it
// counts then.
type proofs struct {
	TOTP     bool `json:"totp"`
	Recovery bool `json:"recovery"`
	Passkey  bool `json:"passkey"`
	Password bool `json:"password"` // where it is enough to sign in
	OIDC     bool `json:"oidc"`     // by signing in there again
	Seconds  int  `json:"countsForSeconds"`
}

// Again implements webapi.Ways.
func (s *Service) Again(ctx context.Context, r *http.Request, c *guard.Caller) (any, error) {
	f, err := s.door.Registry.Factors(ctx, c.Person().Name)
	if err != nil {
		return nil, err
	}

	m := s.methods(r)
	return &proofs{
		TOTP:     f.TOTP,
		Recovery: f.Recovery > 0,
		Passkey:  f.Passkeys > 0 && m.Passkey,
		Password: s.InsecureOneFactor && !f.Any(),
		OIDC:     m.OIDC,
		Seconds:  int(guard.ProofFor.Seconds()),
	}, nil
}

var _ webapi.Ways = (*Service)(nil)
