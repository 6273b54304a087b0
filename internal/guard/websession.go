package guard

import (
	"context"
	"net/http"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// SessionCookie is the name of the cookie that holds the secret of a session.
// The prefix makes browsers refuse one that another host or an unencrypted
// answer tries to set (RFC 6265).
const SessionCookie = "__Host-session"

// ShareCookie is the name of the cookie of a browser that opened a link. It is
// another one than that of a session, so that looking at a link signs nobody out.
const ShareCookie = "__Host-share"

// errTwoCredentials is for a request with a session and a token: which of the
// two counts must not be a matter of chance.
var errTwoCredentials = fault.New(fault.Invalid, "guard: send a session or a bearer token, not both, and each once")

// ErrHalf is for a session whose second factor is still to come.
var ErrHalf = fault.NewCode(fault.Denied, "second-factor", "guard: the second factor is still to come")

// authenticateWeb finds who asks, by a session, a bearer token, or a link that
// was opened. Who is signed in is so whatever links the browser has opened too. No credentials
// and wrong ones are alike, of kind Denied; two of them are of kind Invalid. A token
// from where too many did not count is a *lockout.WaitError.
func (g *Guard) authenticateWeb(ctx context.Context, r *http.Request, address string, door audit.Door) (*Caller, error) {
	cookies, links, headers := r.CookiesNamed(SessionCookie), r.CookiesNamed(ShareCookie), r.Header.Values("Authorization")
	switch {
	case max(len(cookies), len(links), len(headers)) > 1, len(headers) > 0 && len(cookies)+len(links) > 0:
		return nil, errTwoCredentials
	case len(headers) == 1:
		return g.byToken(ctx, headers[0], address, door)
	}

	err := error(identity.ErrCredentials)
	if len(cookies) == 1 {
		var c *Caller
		if c, err = g.bySession(ctx, cookies[0].Value, address, door); fault.Of(err) != fault.Denied {
			return c, err
		}
	}
	if len(links) == 1 {
		return g.byShare(ctx, links[0].Value, address, door)
	}
	return nil, err
}

// authenticateWhole is authenticateWeb for who may do something: a session whose
// second factor is still to come is ErrHalf.
func (g *Guard) authenticateWhole(ctx context.Context, r *http.Request, address string, door audit.Door) (*Caller, error) {
	c, err := g.authenticateWeb(ctx, r, address, door)
	if err == nil && c.session != nil && !c.session.Complete {
		err = ErrHalf
	}
	return c, err
}

// Authenticate finds who makes a request to the API, whole or half signed in; see
// InterceptAPI for what of that lets somebody in.
func (g *Guard) Authenticate(ctx context.Context, r *http.Request) (*Caller, error) {
	return g.authenticateWeb(ctx, r, RemoteAddress(r), doorAPI)
}

// bySession does not count failures: an old cookie is not a guess, and nobody
// guesses 256 bits.
func (g *Guard) bySession(ctx context.Context, secret, address string, door audit.Door) (*Caller, error) {
	s, p, err := g.Sessions.Authenticate(ctx, secret)
	if err != nil {
		return nil, err
	}
	return g.sessionCaller(s, p, address, door), nil
}

func (g *Guard) sessionCaller(s *identity.Session, p *identity.PersonInfo, address string, door audit.Door) *Caller {
	who := p.PrincipalIn(s, g.Now())
	return &Caller{
		who:         who,
		owner:       who,
		info:        p,
		session:     s,
		door:        door,
		peer:        audit.Peer{Address: address},
		association: "session " + s.ID,
	}
}

func (g *Guard) byToken(ctx context.Context, header, address string, door audit.Door) (*Caller, error) {
	secret, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return nil, identity.ErrCredentials
	}
	if strings.HasPrefix(secret, identity.SharePrefix) {
		return g.byShareSecret(ctx, secret, address, door)
	}

	var owner *identity.PersonInfo
	token, err := lockout.Find(ctx, func() (t *identity.AccessToken, err error) {
		t, owner, err = g.Registry.AuthenticateToken(ctx, secret)
		return t, err
	}, g.FromAddress(address))
	if err != nil {
		return nil, err
	}
	return tokenCaller(token, owner, address, door), nil
}

func tokenCaller(t *identity.AccessToken, owner *identity.PersonInfo, address string, door audit.Door) *Caller {
	return &Caller{
		who:    t.Principal(),
		owner:  owner.Principal(),
		person: owner.Name,
		info:   owner,
		token:  t,
		door:   door,
		peer:   audit.Peer{Address: address},
	}
}

// decide asks policy for the caller, and for the owner of a token: a token
// never reaches further than who made it. Their restrictions add up.
func (g *Guard) decide(c *Caller, rq policy.Request) policy.Decision {
	rq.Now = g.Now()
	if c.session != nil {
		return g.policy.DecideTogether(rq, c.who)
	}
	return g.policy.DecideTogether(rq, c.who, c.owner)
}

// Can lists the verbs that are granted to somebody as a whole.
func (g *Guard) Can(p policy.Principal) []policy.Verb {
	list := []policy.Verb{}
	for _, v := range policy.AllVerbs() {
		if g.policy.Decide(policy.Request{Principal: p, Verb: v, Now: g.Now()}).Allow {
			list = append(list, v)
		}
	}
	return list
}

// May lists the verbs that are granted to a caller as a whole: to a token no more than to its owner.
func (g *Guard) May(c *Caller) []policy.Verb {
	list := []policy.Verb{}
	for _, v := range policy.AllVerbs() {
		if g.decide(c, policy.Request{Verb: v}).Allow {
			list = append(list, v)
		}
	}
	return list
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
var errNoAdministrator = fault.NewCode(fault.Unavailable, "no-administrator",
	"guard: this server has no administrator yet and answers nothing else until there is one. "+
		"Open the one-time link that 'collimator serve' printed, or run 'collimator init --admin NAME'")
