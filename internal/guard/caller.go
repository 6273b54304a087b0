package guard

import (
	"context"

	"collimator/internal/archive"
	"collimator/internal/policy"
)

type contextKey struct{}

// identityContext carries the authenticated principal to the handlers.
func identityContext(ctx context.Context, c *caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// Principal is who asks in this request; false outside of one.
func Principal(ctx context.Context) (policy.Principal, bool) {
	c, ok := ctx.Value(contextKey{}).(*caller)
	if !ok {
		return policy.Principal{}, false
	}
	return c.who, true
}

// Sight is what may be seen within a request of an association. It narrows
// nothing outside of one.
func Sight(ctx context.Context) policy.Restriction {
	c, ok := ctx.Value(contextKey{}).(*caller)
	if !ok {
		return policy.Restriction{}
	}
	return c.sight
}

// Credit writes into the source of an instance through which door it comes and
// by which rule, for the record.
func Credit(ctx context.Context, s *archive.Source) {
	if c, ok := ctx.Value(contextKey{}).(*caller); ok {
		s.Door, s.Kind, s.Rule = c.door, string(c.who.Kind), c.rule
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
