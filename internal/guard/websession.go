package guard

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// SessionCookie is the name of the cookie that holds the secret of a session.
// The prefix makes browsers refuse one that another host or an unencrypted
// answer tries to set (RFC 6265).
const SessionCookie = "__Host-session"

// webCaller is who makes a request by HTTP: a person who is signed in, or a
// token and the person it belongs to. Of a token and its owner both must be
// allowed what they ask for.
type webCaller struct {
	caller
	owner   policy.Principal
	info    *identity.PersonInfo
	session *identity.Session // nil with a token
}

// errTwoCredentials is for a request with a session and a token: which of the
// two counts must not be a matter of chance.
var errTwoCredentials = fault.New(fault.Invalid, "guard: send a session or a bearer token, not both, and each once")

// errHalf is for a session whose second factor is still to come.
var errHalf = fault.New(fault.Denied, "guard: the second factor is still to come")

// authenticateWeb finds who asks, by a session or a bearer token. No credentials
// and wrong ones are alike, of kind Denied; two of them are of kind Invalid.
func (g *Guard) authenticateWeb(ctx context.Context, r *http.Request, address, door string) (*webCaller, error) {
	cookies, headers := r.CookiesNamed(SessionCookie), r.Header.Values("Authorization")
	switch {
	case len(cookies)+len(headers) > 1:
		return nil, errTwoCredentials
	case len(cookies) == 1:
		return g.bySession(ctx, cookies[0].Value, address, door)
	case len(headers) == 1:
		return g.byToken(ctx, headers[0], address, door)
	}
	return nil, identity.ErrCredentials
}

// bySession does not count failures: an old cookie is no guess, and nobody
// guesses 256 bits.
func (g *Guard) bySession(ctx context.Context, secret, address, door string) (*webCaller, error) {
	s, p, err := g.sessions.Authenticate(ctx, secret)
	if err != nil {
		return nil, err
	}
	c := &webCaller{info: p, session: s}
	c.who, c.owner, c.door, c.peer.Address, c.association = p.Principal(), p.Principal(), door, address, "session "+s.ID
	return c, nil
}

func (g *Guard) byToken(ctx context.Context, header, address, door string) (*webCaller, error) {
	secret, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || !g.logins.allowed(address) {
		return nil, identity.ErrCredentials
	}
	token, owner, err := g.Registry.AuthenticateToken(ctx, secret)
	if errors.Is(err, fault.Denied) {
		g.logins.failed(address)
	}
	if err != nil {
		return nil, err
	}
	c := &webCaller{owner: owner.Principal(), info: owner}
	c.who, c.door, c.person, c.peer.Address = token.Principal(), door, owner.Name, address
	return c, nil
}

// decide asks policy for the caller, and for the owner of a token: a token
// never reaches further than who made it. Their restrictions add up.
func (g *Guard) decide(c *webCaller, rq policy.Request) policy.Decision {
	rq.Now = g.Now()
	if c.session != nil {
		return g.policy.DecideTogether(rq, c.who)
	}
	return g.policy.DecideTogether(rq, c.who, c.owner)
}

// hasAdministrator reports whether anybody can administrate this installation.
// Once there is one there always is: the last one stays.
func (g *Guard) hasAdministrator(ctx context.Context) (bool, error) {
	if g.administrated.Load() {
		return true, nil
	}
	has, err := g.Registry.HasAdministrator(ctx)
	if has {
		g.administrated.Store(true)
	}
	return has, err
}

// errNoAdministrator is for every request before there is an administrator.
var errNoAdministrator = fault.New(fault.Unavailable, "guard: this server has no administrator yet and answers nothing else until there is one. Open the one-time link that 'collimator serve' printed, or run 'collimator init --admin NAME'")
