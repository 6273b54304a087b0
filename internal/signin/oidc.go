package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// byProvider is the method of who signed in at the identity provider.
const byProvider = identity.MethodProvider

// CallbackPath is where the identity provider sends the browser back to.
const CallbackPath = "/api/v1/session/oidc/callback"

// The way by which the identity provider ends sessions, and what the cookies begin
// with by which an answer is known to come to the browser that asked: one for each
// sign-in that was begun, so that two tabs do not take each other's. They must be
// sent when another site sends the browser here, which the session's own cookie
// must not.
const (
	oidcLogout  = "/api/v1/session/oidc/logout"
	oidcCookie  = "__Host-oidc-"
	oidcTabs    = 8 // that a browser keeps; more are taken away
	oidcSeconds = 300
)

// cookieOf is the name of the cookie of a state.
func cookieOf(state string) string {
	sum := sha256.Sum256([]byte(state))
	return oidcCookie + hex.EncodeToString(sum[:8])
}

var errNoOIDC = fault.NewCode(fault.Unsupported, "no-provider", "signin: no identity provider is set up on this server; sign in with a password or a passkey, or set signin.oidc")

func (rq *request) oidcBegin() (any, error) {
	if rq.s.OIDC == nil {
		return nil, errNoOIDC
	}
	self, err := rq.knownOrigin()
	if err != nil {
		return nil, err
	}

	there, state, browser, err := rq.s.OIDC.Begin(rq.Context(), self+CallbackPath)
	if err != nil {
		if f, ok := errors.AsType[*identity.OIDCFailure](err); ok {
			rq.oidcFailed(f)
		}
		return nil, err
	}

	rq.tidyCookies()
	rq.SetCookie(cookieOf(state), browser, http.SameSiteLaxMode, oidcSeconds)
	return webapi.Location{Location: there}, nil
}

// tidyCookies takes those of sign-ins away that were begun and never ended, where
// they are many.
func (rq *request) tidyCookies() {
	var begun []string
	for _, c := range rq.HTTP().Cookies() {
		if strings.HasPrefix(c.Name, oidcCookie) {
			begun = append(begun, c.Name)
		}
	}
	if len(begun) < oidcTabs {
		return
	}

	for _, name := range begun[:min(len(begun), 4*oidcTabs)] {
		rq.SetCookie(name, "", http.SameSiteLaxMode, -1)
	}
}

// oidcFinish signs somebody in who comes back from the provider. The browser asks
// for it by a page of the console (console.Setup), which says what came of it.
func (rq *request) oidcFinish() (any, error) {
	if rq.s.OIDC == nil {
		return nil, errNoOIDC
	}

	a := identity.OIDCAnswer{
		State:  rq.Query("state"),
		Code:   rq.Query("code"),
		Error:  rq.Query("error"),
		Issuer: rq.Query("iss"),
	}
	name := cookieOf(a.State)
	if c, err := rq.HTTP().Cookie(name); err == nil {
		a.Browser = c.Value
	}
	person, change, err := rq.s.OIDC.Finish(rq.Context(), a)
	if a.Browser != "" && !fault.Of(err).Temporary() { // else the page may be loaded again
		rq.SetCookie(name, "", http.SameSiteLaxMode, -1)
	}
	if change != "" { // also where nobody is signed in after all
		rq.event(audit.PersonChanged, person, audit.Success, change, "")
	}
	if err != nil {
		return nil, rq.oidcRefused(err)
	}

	state, err := rq.beginAtProvider(person)
	if err != nil {
		rq.s.door.Log.Error("sign-in by the identity provider failed", "error", err)
	}
	return state, err
}

// oidcRefused records why nobody was signed in, and is what the browser is told.
func (rq *request) oidcRefused(err error) error {
	if f, ok := errors.AsType[*identity.OIDCFailure](err); ok {
		rq.oidcFailed(f)
	} else {
		rq.s.door.Log.Error("sign-in by the identity provider failed", "error", err)
	}

	return toSignIn(err)
}

// oidcEnd takes a logout token, which the provider posts by itself when somebody
// signs out there or is disabled (OpenID Connect Back-Channel Logout 1.0 2.5, 2.8).
func (rq *request) oidcEnd() (any, error) {
	if rq.s.OIDC == nil {
		return nil, errNoOIDC
	}
	rq.Header().Set("Cache-Control", "no-store")
	form, err := rq.Form()
	if err != nil || len(form["logout_token"]) != 1 {
		return nil, fault.New(fault.Invalid, "signin: want one logout_token, as application/x-www-form-urlencoded")
	}

	// The provider may have hung up by the time; what it said counts.
	ctx := context.WithoutCancel(rq.Context())
	person, ended, err := rq.s.OIDC.Logout(ctx, form.Get("logout_token"))
	if f, ok := errors.AsType[*identity.OIDCFailure](err); ok {
		rq.oidcFailed(f)
		if fault.Of(err) == fault.Denied {
			return nil, fault.New(fault.Invalid, "signin: the logout token does not count")
		}
	}
	if err != nil {
		return nil, err
	}

	if person != "" {
		reason := "signed out at the identity provider; ended: " + ended.String()
		rq.event(audit.UserSignedOut, person, audit.Success, reason, "")
	}
	return webapi.Empty{}, nil
}

// longestSubject is how many bytes a claim sub may have (OpenID Connect Core 1.0, 2).
// Of a longer one the record keeps the beginning.
const longestSubject = 255

// oidcFailed logs and records why nobody was signed in by the identity provider.
// Who tried stands in the record alone, as the provider has signed it. Failures of
// the same kind from one address are counted in place of being written one by one.
func (rq *request) oidcFailed(f *identity.OIDCFailure) {
	before, write := rq.s.door.Repeated(rq.Address(), f.Reason+"\x00"+f.Subject)
	if !write {
		return
	}

	rq.s.door.Log.Warn("sign-in by the identity provider failed", "address", rq.Address(), "error", f, "before", before)

	who := policy.Principal{}
	if f.Known {
		who = asPerson(f.Person)
	}

	r := entry(audit.UserAuthenticated, who, rq.Address())
	r.Outcome = audit.MinorFailure
	r.Reason = f.Reason
	if f.Person != "" || f.Subject != "" {
		o := audit.Object{Person: f.Person}
		if f.Subject != "" {
			subject := f.Subject[:min(len(f.Subject), longestSubject)]
			o.Detail = "subject " + strings.ToValidUTF8(subject, "")
		}
		r.Objects = append(r.Objects, o)
	}

	r.CountLike("failures", before)
	rq.s.door.Record(rq.Context(), r)
}
