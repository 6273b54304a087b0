package identity

import "context"

// SetGroups is what a sign-in at the provider does.
func (r *Registry) SetGroups(ctx context.Context, person string, groups []string) error {
	return r.setGroups(ctx, person, groups)
}
