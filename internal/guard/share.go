package guard

import (
	"context"
	"errors"
	"net/http"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// byShare finds the link that a browser has opened.
func (g *Guard) byShare(ctx context.Context, secret, address string, door audit.Door) (*Caller, error) {
	s, err := g.Registry.OpenedShare(ctx, secret)
	if err != nil {
		return nil, err
	}
	return g.shareCaller(ctx, s, address, door)
}

// byShareSecret takes the secret of a link in the place of a token. One with a
// password must be opened first.
func (g *Guard) byShareSecret(ctx context.Context, secret, address string, door audit.Door) (*Caller, error) {
	s, err := lockout.Find(ctx, func() (*identity.Share, error) { return g.Registry.AuthenticateShare(ctx, secret, "") }, g.FromAddress(address))
	if errors.Is(err, identity.ErrSharePassword) {
		return nil, identity.ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	return g.shareCaller(ctx, s, address, door)
}

// shareCaller is a link with the person who made it: what that person may not
// see any more, the link does not show.
func (g *Guard) shareCaller(ctx context.Context, s *identity.Share, address string, door audit.Door) (*Caller, error) {
	c := &Caller{share: s}
	c.who, c.door, c.peer.Address = s.Principal(), door, address
	c.owner = c.who
	if s.Owner != "" {
		p, err := g.Registry.Person(ctx, s.Owner)
		if err != nil {
			return nil, err
		}
		c.owner, c.person = p.Principal(), p.Name
	}
	return c, nil
}

// decideShare asks policy for a link and its owner. A link is about its study,
// whatever UID the address names: in a de-identified view that is a pseudonym.
func (g *Guard) decideShare(c *Caller, rq policy.Request) policy.Decision {
	rq.Study = c.share.Study
	return g.policy.DecideTogether(rq, c.who, c.owner)
}

// shareRoutes let a browser open a link.
func (a *API) shareRoutes() {
	a.open("POST /api/v1/session/share", (*Request).openShare)
}

// openShare takes the secret of a link, and its password where it has one.
func (rq *Request) openShare() (any, error) {
	var in struct{ Secret, Password string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	s, err := rq.g.OpenShare(rq.w, rq.r, in.Secret, in.Password)
	if fault.Of(err) == fault.Denied {
		rq.unauthenticated(err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return sessionState{State: stateComplete, Name: "share " + s.ID, Method: "share", Can: []policy.Verb{policy.Query, policy.Retrieve}, Expires: s.Expires}, nil
}

// OpenShare signs a browser in with a link: the answer gets the cookie. It
// counts failures like those of passwords; too many are of kind Busy. What does
// not count is of kind Denied.
func (g *Guard) OpenShare(w http.ResponseWriter, r *http.Request, secret, password string) (*identity.Share, error) {
	ctx, address := r.Context(), webAddress(r)
	if err := g.origins.Check(r); err != nil {
		g.refused(ctx, audit.Peer{Address: address}, doorAPI, "a page of another origin sent this")
		return nil, errCrossOrigin
	}
	if has, err := g.hasAdministrator(ctx); err != nil || !has {
		return nil, errors.Join(err, errNoAdministrator)
	}
	s, err := lockout.Find(ctx, func() (*identity.Share, error) { return g.Registry.AuthenticateShare(ctx, secret, password) }, g.FromAddress(address))
	if fault.Of(err) == fault.Denied {
		g.refused(ctx, audit.Peer{Address: address}, doorAPI, "a link that does not count, or a wrong password of one")
	}
	if err != nil {
		return nil, err
	}
	cookie, expires, err := g.Registry.OpenShare(ctx, s)
	if err != nil {
		return nil, err
	}
	http.SetCookie(w, &http.Cookie{Name: ShareCookie, Value: cookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: max(int(expires.Sub(g.Now()).Seconds()), 1)})
	g.record(ctx, audit.Record{Event: audit.UserAuthenticated, Action: audit.Execute, Door: doorAPI, Principal: "share " + s.ID, Kind: string(policy.Share),
		Peer: audit.Peer{Address: address}, Objects: []audit.Object{{Study: s.Study, Detail: "link opened"}}})
	return s, nil
}
