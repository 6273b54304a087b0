package guard

import (
	"context"

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

// Address is the IP address of who asks; empty outside of a request.
func Address(ctx context.Context) string {
	c, ok := ctx.Value(contextKey{}).(*caller)
	if !ok {
		return ""
	}
	return c.peer.Address
}
