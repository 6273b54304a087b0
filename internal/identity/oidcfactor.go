package identity

import (
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
)

// strong is an error where the provider did not demand of the person what the
// settings want: one of the authentication context classes (acr), and one of the
// authentication methods (amr; RFC 8176) of the identity token, which is signed
// (OpenID Connect Core 1.0 2). What the provider does not say does not count.
func (o *OIDC) strong(id *oidc.IDToken) error {
	if len(o.o.RequireACR) == 0 && len(o.o.RequireAMR) == 0 {
		return nil
	}
	var claims struct {
		ACR string   `json:"acr"`
		AMR []string `json:"amr"`
	}
	if err := id.Claims(&claims); err != nil {
		return &OIDCFailure{Reason: reasonToken, Subject: id.Subject, shown: errOIDC, cause: err}
	}

	if len(o.o.RequireACR) > 0 && !slices.Contains(o.o.RequireACR, claims.ACR) {
		return &OIDCFailure{Reason: reasonACR, Subject: id.Subject, shown: errFactor}
	}
	wanted := func(method string) bool { return slices.Contains(o.o.RequireAMR, method) }
	if len(o.o.RequireAMR) > 0 && !slices.ContainsFunc(claims.AMR, wanted) {
		return &OIDCFailure{Reason: reasonAMR, Subject: id.Subject, shown: errFactor}
	}
	return nil
}
