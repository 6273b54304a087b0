package guard

import (
	"context"

	"collimator/internal/archive"
	"collimator/internal/budget"
	"collimator/internal/policy"
)

type contextKey struct{}

// identityContext carries the authenticated principal and the account of the
// request to the handlers.
func identityContext(ctx context.Context, c *caller) context.Context {
	return context.WithValue(budget.With(ctx, c.account), contextKey{}, c)
}

// Principal is who asks in this request; false outside of one.
func Principal(ctx context.Context) (policy.Principal, bool) {
	c, ok := ctx.Value(contextKey{}).(*caller)
	if !ok {
		return policy.Principal{}, false
	}
	return c.who, true
}

// Sight is what may be seen within a request; nothing outside of one.
func Sight(ctx context.Context) policy.Sight {
	c, ok := ctx.Value(contextKey{}).(*caller)
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
	if c, ok := ctx.Value(contextKey{}).(*caller); ok {
		s.Door, s.Kind, s.Rule, s.Person, s.Association = string(c.door), string(c.who.Kind), c.rule, c.person, c.association
	}
}

// Address is the IP address of who asks; empty outside of a request.
func Address(ctx context.Context) string {
	c, ok := ctx.Value(contextKey{}).(*caller)
	if !ok {
		return ""
	}
	return c.peer.Address
}
