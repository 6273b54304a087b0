package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// verify holds the identity token against the provider's keys and this sign-in
// (OpenID Connect Core 3.1.3.7). A provider that changed its keys or where they
// are is asked once more; what it is known by now is the second result.
func (o *OIDC) verify(ctx context.Context, p *oidc.Provider, token *oauth2.Token, nonce string) (*oidc.IDToken, *oidc.Provider, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" || len(raw) > maxToken {
		return nil, nil, &OIDCFailure{Reason: reasonNoToken, shown: errOIDC}
	}

	c := &oidc.Config{ClientID: o.o.ClientID, SkipExpiryCheck: true} // punctual looks at the times
	id, err := p.Verifier(c).Verify(ctx, raw)
	if err != nil {
		renewed, asked := o.provider.ask(ctx)
		switch {
		case errors.Is(asked, errAsking): // by somebody else; this one may begin again
		case asked != nil:
			return nil, nil, asked
		default:
			p = renewed
			id, err = p.Verifier(c).Verify(ctx, raw)
		}
	}

	switch {
	case err != nil && strings.Contains(err.Error(), "fetching keys"): // of go-oidc, which gives no type
		f := &OIDCFailure{Reason: reasonAway, shown: errAway, cause: err}
		o.o.Health(f)
		return nil, nil, f
	case err != nil:
		return nil, nil, &OIDCFailure{Reason: reasonToken, shown: errOIDC, cause: err}
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, nil, &OIDCFailure{Reason: reasonNonce, Subject: id.Subject, shown: errOIDC}
	}
	return id, p, o.punctual(id)
}

// punctual is an error where a token is out of its time by more than the clocks
// may be apart.
func (o *OIDC) punctual(id *oidc.IDToken) error {
	var times struct {
		NotBefore float64 `json:"nbf"`
	}
	if err := id.Claims(&times); err != nil {
		return &OIDCFailure{Reason: reasonToken, Subject: id.Subject, shown: errOIDC, cause: err}
	}

	now := o.registry.now()
	late := now.Add(o.o.Leeway) // the provider's clock at most
	switch {
	case !now.Before(id.Expiry.Add(o.o.Leeway)):
		return &OIDCFailure{Reason: reasonExpired, Subject: id.Subject, shown: errClocks}
	case id.IssuedAt.After(late), times.NotBefore > float64(late.UnixNano())/float64(time.Second):
		return &OIDCFailure{Reason: reasonEarly, Subject: id.Subject, shown: errClocks}
	}
	return nil
}

// claims are those of the identity token, and where the ones that count are not
// in it those of the UserInfo endpoint (OpenID Connect Core 5.3, 5.4).
func (o *OIDC) claims(ctx context.Context, p *oidc.Provider, token *oauth2.Token, id *oidc.IDToken) (map[string]any, error) {
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return nil, &OIDCFailure{Reason: reasonToken, Subject: id.Subject, shown: errOIDC, cause: err}
	}

	if o.missing(claims) == "" || p.UserInfoEndpoint() == "" {
		return claims, nil
	}

	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	more := map[string]any{}
	if err == nil {
		err = info.Claims(&more)
	}

	if err != nil {
		if _, network := errors.AsType[*url.Error](err); !network {
			status, _, _ := strings.Cut(err.Error(), ": ") // a body stands behind, which may say who it is
			err = errors.New(status)
		}
		f := &OIDCFailure{Reason: reasonUserInfo, Subject: id.Subject, shown: errAway, cause: err}
		o.o.Health(f)
		return nil, f
	}

	if info.Subject != id.Subject { // Core 5.3.2: must be the same
		return nil, &OIDCFailure{Reason: reasonSubject, Subject: id.Subject, shown: errOIDC}
	}

	for name, value := range claims { // what was signed counts
		more[name] = value
	}
	return more, nil
}

// missing is the first claim that counts and is not there.
func (o *OIDC) missing(claims map[string]any) string {
	for _, name := range []string{o.o.NameClaim, o.o.RoleClaim, o.o.GroupClaim} {
		if name != "" && claims[name] == nil {
			return name
		}
	}
	return ""
}
