package guard

import (
	"context"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/budget"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// Caller is who makes a request, whichever way: a device on an association; by
// HTTP a person who is signed in, a token and the person it belongs to, or a link
// to a study and who made it. Of a token and its owner, of a link and its maker,
// of a device and the person at it, both must be allowed what they ask for.
type Caller struct {
	unknown     bool // a stranger, known by the address alone
	who         policy.Principal
	peer        audit.Peer
	door        audit.Door
	association string // or session, for the record
	person      string // behind a device, a token or a link; empty without

	claim   identity.Caller // of a device: by what it was let in
	service *Service        // it came to; nil by HTTP
	guard   *Guard          // of a device
	passing *Passing        // what a C-STORE brings to a route; nil before that is known

	owner   policy.Principal     // by HTTP: who is signed in, owns the token, made the link
	info    *identity.PersonInfo // by HTTP; nil with a link
	session *identity.Session    // nil with a token or a link
	token   *identity.AccessToken
	share   *identity.Share // of a link, else nil

	rule      string          // by which policy allowed what is being done
	sight     policy.Sight    // what may be seen
	account   *budget.Account // of the request
	held      int64           // bytes of it that were taken before a handler of the API ran
	notStored notStored       // what was refused of what the request stores
}

// stranger is who comes to sign in: known by the address alone.
func stranger(address string) *Caller {
	return &Caller{unknown: true, peer: audit.Peer{Address: address}, door: doorAPI}
}

// Principal is who asks, as policy and the record have it; without a kind for a
// stranger.
func (c *Caller) Principal() policy.Principal { return c.who }

// Person is who is signed in, or to whom the token belongs; nil with a link, for a
// device and for a stranger.
func (c *Caller) Person() *identity.PersonInfo { return c.info }

// Session is the session by which somebody asks; nil with a
// token or a link, for a device and for a stranger.
func (c *Caller) Session() *identity.Session { return c.session }

// Share is the link by which somebody asks, else nil.
func (c *Caller) Share() *identity.Share { return c.share }

// Entry begins the record of what the caller did.
func (c *Caller) Entry(event audit.Event, action audit.Action, outcome audit.Outcome, reason string) audit.Record {
	r := audit.Record{
		Event:       event,
		Action:      action,
		Outcome:     outcome,
		Reason:      reason,
		Rule:        c.rule,
		Door:        c.door,
		Association: c.association,
		Principal:   c.who.Name,
		Kind:        string(c.who.Kind),
		Peer:        c.peer,
	}
	if route := c.routeName(); route != r.Peer.CalledAETitle { // a modality goes on calling what it always did
		r.Peer.Route = route
	}
	if c.person != "" {
		r.Objects = append(r.Objects, audit.Object{Person: c.person})
	}
	return r
}

// open opens the account of a request: what the caller and its address hold
// together is bounded, each by what is left for all others.
func (g *Guard) open(c *Caller) *budget.Account {
	if c.unknown {
		return g.Memory.Open(lockout.Origin(c.peer.Address))
	}
	return g.Memory.Open(string(c.who.Kind)+" "+c.who.Name, lockout.Origin(c.peer.Address))
}

// leave gives back what the request held.
func (c *Caller) leave() { c.account.Close() }

type contextKey struct{}

// identityContext carries the authenticated principal, where there is one, and the
// account of the request to the handlers.
func identityContext(ctx context.Context, c *Caller) context.Context {
	ctx = budget.With(ctx, c.account)
	if c.unknown {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, c)
}

// Principal is who asks in this request; false outside of one.
func Principal(ctx context.Context) (policy.Principal, bool) {
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return policy.Principal{}, false
	}
	return c.who, true
}

// Entry is the record of what is done within a request, in the name of who asks; false outside of one.
func Entry(ctx context.Context, event audit.Event, action audit.Action, outcome audit.Outcome, reason string) (audit.Record, bool) {
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return audit.Record{}, false
	}
	return c.Entry(event, action, outcome, reason), true
}

// Sight is what may be seen within a request; nothing outside of one.
func Sight(ctx context.Context) policy.Sight {
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return policy.Sight{}
	}

	return c.sight
}

// Scope is the part of Sight that says which studies, for who hands out what is
// not de-identified: who may see only that sees nothing this way.
func Scope(ctx context.Context) archive.Scope {
	s := Sight(ctx)
	if s.Deidentified {
		return archive.Scope{}
	}

	return ScopeOf(s)
}

// ScopeOf is the studies of a sight.
func ScopeOf(s policy.Sight) archive.Scope {
	if s.Everything {
		return archive.Everything()
	}

	return archive.Scope{StudyUIDs: s.Studies}
}

// Credit writes into the source of an instance through which door it comes, for
// whom and by which rule, for the record.
func Credit(ctx context.Context, s *archive.Source) {
	if c, ok := ctx.Value(contextKey{}).(*Caller); ok {
		s.Door, s.Kind, s.Rule, s.Person, s.Association = archive.Door(c.door), string(c.who.Kind), c.rule, c.person, c.association
	}
}

// Address is the IP address of who asks; empty outside of a request.
func Address(ctx context.Context) string {
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return ""
	}
	return c.peer.Address
}
