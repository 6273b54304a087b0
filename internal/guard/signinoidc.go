package guard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html"
	"net/http"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/httpsec"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// The way back from the identity provider, and what the cookies begin with by
// which an answer is known to come to the browser that asked: one for each
// sign-in that was begun, so that two tabs do not take each other's. They must be
// sent when another site sends the browser here, which the session's own cookie
// must not.
const (
	oidcCallback = "/api/v1/session/oidc/callback"
	oidcLogout   = "/api/v1/session/oidc/logout"
	oidcCookie   = "__Host-oidc-"
	oidcTabs     = 8 // that a browser keeps; more are taken away
	oidcSeconds  = 300
)

// cookieOf is the name of the cookie of a state.
func cookieOf(state string) string {
	sum := sha256.Sum256([]byte(state))
	return oidcCookie + hex.EncodeToString(sum[:8])
}

var errNoOIDC = fault.New(fault.Unsupported, "guard: no identity provider is set up on this server")

func (rq *Request) oidcBegin() (any, error) {
	if rq.g.SignIn.OIDC == nil {
		return nil, errNoOIDC
	}
	self, err := rq.knownOrigin()
	if err != nil {
		return nil, err
	}
	location, state, browser, err := rq.g.SignIn.OIDC.Begin(rq.Context(), self+oidcCallback)
	if err != nil {
		if f, ok := errors.AsType[*identity.OIDCFailure](err); ok {
			rq.oidcFailed(f)
		}
		return nil, err
	}
	rq.tidyCookies()
	rq.cookie(cookieOf(state), browser, http.SameSiteLaxMode, oidcSeconds)
	return struct {
		Location string `json:"location"`
	}{location}, nil
}

// tidyCookies takes those of sign-ins away that were begun and never ended, where
// they are many.
func (rq *Request) tidyCookies() {
	var begun []string
	for _, c := range rq.r.Cookies() {
		if strings.HasPrefix(c.Name, oidcCookie) {
			begun = append(begun, c.Name)
		}
	}
	if len(begun) < oidcTabs {
		return
	}
	for _, name := range begun[:min(len(begun), 4*oidcTabs)] {
		rq.cookie(name, "", http.SameSiteLaxMode, -1)
	}
}

// oidcFinish is a page for the browser and no JSON: who comes from another
// site does not bring the session's cookie along, so that it leads on to the
// console by itself.
func (rq *Request) oidcFinish() (any, error) {
	if rq.g.SignIn.OIDC == nil {
		return nil, errNoOIDC
	}
	a := identity.OIDCAnswer{State: rq.Query("state"), Code: rq.Query("code"), Error: rq.Query("error"), Issuer: rq.Query("iss")}
	name := cookieOf(a.State)
	if c, err := rq.r.Cookie(name); err == nil {
		a.Browser = c.Value
	}
	person, change, err := rq.g.SignIn.OIDC.Finish(rq.Context(), a)
	if a.Browser != "" && !fault.Of(err).Temporary() { // else the page may be loaded again
		rq.cookie(name, "", http.SameSiteLaxMode, -1)
	}
	if err != nil {
		if f, ok := errors.AsType[*identity.OIDCFailure](err); ok {
			rq.oidcFailed(f)
		} else {
			rq.g.Log.Error("sign-in by the identity provider failed", "error", err)
		}
		status := httpStatus(err)
		if fault.Of(err) == fault.Denied {
			status = http.StatusUnauthorized
		}
		rq.landing(status, fault.Sentence(err))
		return nil, nil
	}
	if change != "" {
		rq.event(audit.PersonChanged, person, audit.Success, change, "")
	}
	if _, err := rq.begin(person, byProvider, true); err != nil {
		rq.g.Log.Error("sign-in by the identity provider failed", "error", err)
		rq.landing(httpStatus(err), fault.Sentence(err))
		return nil, nil
	}
	rq.landing(http.StatusOK, "")
	return nil, nil
}

// oidcEnd takes a logout token, which the provider posts by itself when somebody
// signs out there or is disabled (OpenID Connect Back-Channel Logout 1.0 2.5, 2.8).
func (rq *Request) oidcEnd() (any, error) {
	if rq.g.SignIn.OIDC == nil {
		return nil, errNoOIDC
	}
	rq.w.Header().Set("Cache-Control", "no-store")
	rq.r.Body = http.MaxBytesReader(rq.w, rq.r.Body, bodyMost)
	if err := rq.r.ParseForm(); err != nil || len(rq.r.PostForm["logout_token"]) != 1 {
		return nil, fault.New(fault.Invalid, "guard: want one logout_token, as application/x-www-form-urlencoded")
	}

	// The provider may have hung up by the time; what it said counts.
	ctx := context.WithoutCancel(rq.Context())
	person, ended, err := rq.g.SignIn.OIDC.Logout(ctx, rq.r.PostForm.Get("logout_token"))
	if f, ok := errors.AsType[*identity.OIDCFailure](err); ok {
		rq.oidcFailed(f)
		if fault.Of(err) == fault.Denied {
			return nil, fault.New(fault.Invalid, "guard: the logout token does not count")
		}
	}
	if err != nil {
		return nil, err
	}
	if person != "" {
		reason := "signed out at the identity provider; ended: " + ended.String()
		rq.event(audit.UserSignedOut, person, audit.Success, reason, "")
	}
	rq.done = true
	rq.w.WriteHeader(http.StatusOK)
	return nil, nil
}

// oidcFailed logs and records why nobody was signed in by the identity provider.
// Who it would have been stands in the record alone, as the provider says it:
// it has signed that. Like failures of one address are counted.
func (rq *Request) oidcFailed(f *identity.OIDCFailure) {
	before, write := rq.g.refusals.take(origin(rq.address) + "\x00" + f.Reason + "\x00" + f.Subject)
	if !write {
		return
	}
	rq.g.Log.Warn("sign-in by the identity provider failed", "address", rq.address, "error", f, "before", before)

	r := audit.Record{Event: audit.UserAuthenticated, Action: audit.Execute, Outcome: audit.MinorFailure, Reason: f.Reason, Door: doorAPI, Peer: audit.Peer{Address: rq.address}}
	if f.Known {
		r.Principal, r.Kind = f.Person, string(policy.Person)
	}
	if f.Person != "" || f.Subject != "" {
		o := audit.Object{Person: f.Person}
		if f.Subject != "" {
			o.Detail = "subject " + strings.ToValidUTF8(f.Subject[:min(len(f.Subject), 255)], "")
		}
		r.Objects = append(r.Objects, o)
	}
	if before > 0 {
		r.Objects = append(r.Objects, audit.Object{Detail: "like failures not written since the last", Failed: before})
	}
	rq.g.record(rq.Context(), r)
}

// landing is a page without a script that leads to the console.
func (rq *Request) landing(status int, text string) {
	rq.done = true
	httpsec.Page.Set(rq.w.Header())
	rq.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	rq.w.WriteHeader(status)
	move := `<meta http-equiv="refresh" content="0;url=/">`
	if text != "" {
		move = ""
	}
	rq.w.Write([]byte(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Collimator</title>` + move +
		`<p>` + html.EscapeString(text) + `</p><p><a href="/">Go on</a></p></html>` + "\n"))
}
