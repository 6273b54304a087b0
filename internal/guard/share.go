package guard

import (
	"context"
	"errors"

	"collimator/internal/audit"
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
	find := func() (*identity.Share, error) { return g.Registry.AuthenticateShare(ctx, secret, "") }
	s, err := lockout.Find(ctx, find, g.FromAddress(address))
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
	who := s.Principal()
	c := &Caller{who: who, owner: who, share: s, door: door, peer: audit.Peer{Address: address}}
	if s.Owner != "" {
		p, err := g.Registry.Person(ctx, s.Owner)
		if err != nil {
			return nil, err
		}
		c.owner = p.Principal()
		c.person = p.Name
	}
	return c, nil
}

// decideShare asks policy for a link and its owner. A link is about its study,
// whatever UID the address names: in a de-identified view that is a pseudonym. At another place than
// that of its study it is about nothing.
func (g *Guard) decideShare(c *Caller, rq policy.Request) policy.Decision {
	_, rq.Study = policy.PlaceOf(c.share.Study)
	return g.policy.DecideTogether(rq, c.who, c.owner)
}
