package house

import (
	"context"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// MakeToken makes a bearer token of a person, and records it. scope is a word of
// policy.Scope; the secret is shown once.
func (in *Installation) MakeToken(ctx context.Context, person, scope string, studies []string,
	lifetime time.Duration) (t identity.AccessToken, secret string, err error) {

	verbs, _ := policy.Scope(scope)
	t, secret, err = in.Registry.OperatorToken(ctx, person, verbs, studies, lifetime)
	if fault.Of(err) == fault.Invalid {
		err = fault.Usage("--expires: %w", err)
	}
	if err != nil {
		return t, "", err
	}

	o := audit.Object{Person: person, Detail: "token " + t.ID + " " + scope}
	return t, secret, in.Note(ctx, audit.PersonChanged, audit.Create, o)
}

// RevokeToken ends a token, and records it.
func (in *Installation) RevokeToken(ctx context.Context, id string) error {
	if err := in.Registry.RevokeToken(ctx, id); err != nil {
		return err
	}
	return in.Note(ctx, audit.PersonChanged, audit.Delete, audit.Object{Detail: "token " + id + " revoked"})
}

// RevokeShare ends a link to a study, whoever made it, and records it.
func (in *Installation) RevokeShare(ctx context.Context, id string) error {
	if err := in.Registry.RevokeShare(ctx, id, ""); err != nil {
		return err
	}
	return in.Note(ctx, audit.Export, audit.Delete, audit.Object{Detail: "link " + id + " revoked"})
}
