package identity

import "context"

// SetGroups is what a sign-in at the provider of an issuer does that names groups in
// a claim. It says whether they are others than before.
func (r *Registry) SetGroups(ctx context.Context, person, issuer, claim string, groups []string) (changed bool, err error) {
	_, changed, err = r.setGroups(ctx, person, GroupSource{issuer, claim}, groups)
	return changed, err
}
