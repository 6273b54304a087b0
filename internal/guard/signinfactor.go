package guard

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/http"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/httpsec"
	"collimator/internal/identity"
)

// second takes a second factor of somebody whose password was right.
func (rq *Request) second(method, what string, check func(ctx context.Context, name, code string) error) (any, error) {
	if err := rq.session(); err != nil {
		return rq.noSession(err)
	}
	var in struct{ Code string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name := rq.c.info.Name
	if rq.c.session.Complete {
		return nil, errComplete
	}
	ok, err := rq.attempt(name, what, func() (bool, error) {
		err := check(rq.Context(), name, in.Code)
		if errors.Is(err, identity.ErrCode) {
			return false, nil
		}
		return err == nil, err
	})
	if !ok || err != nil {
		return nil, err
	}
	return rq.begin(name, method, true)
}

var errComplete = fault.New(fault.Conflict, "guard: you are signed in already")

// mayEnrol demands a session that may set up a second factor: a whole one, or a
// half one of a person who has none. Who knows a password alone must not add a
// factor to an account that has one.
func (rq *Request) mayEnrol() error {
	if err := rq.session(); err != nil || rq.c.session.Complete {
		return err
	}
	f, err := rq.g.Registry.Factors(rq.Context(), rq.c.info.Name)
	if err == nil && f.Any() {
		err = errHalf
	}
	return err
}

func (rq *Request) enrolTOTP() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return rq.noSession(err)
	}
	return rq.g.Registry.BeginTOTP(rq.Context(), rq.c.info.Name, rq.g.SignIn.Name)
}

func (rq *Request) confirmTOTP() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return rq.noSession(err)
	}
	var in struct{ Code string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name := rq.c.info.Name
	if key := rq.g.account(name); !rq.g.accounts.allowed(key) {
		rq.tooMany(rq.g.accounts.wait(key))
		return nil, nil
	}
	if err := rq.g.Registry.ConfirmTOTP(rq.Context(), name, in.Code); err != nil {
		if errors.Is(err, identity.ErrCode) {
			rq.g.accounts.failed(rq.g.account(name))
		}
		return nil, err
	}
	return rq.enrolled("totp", "authenticator app set up")
}

// enrolled ends the setting up of a factor: the session is whole from now on,
// with another secret, and whoever has no recovery codes gets some.
func (rq *Request) enrolled(method, detail string) (any, error) {
	name := rq.c.info.Name
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: name, Detail: detail})
	f, err := rq.g.Registry.Factors(rq.Context(), name)
	if err != nil {
		return nil, err
	}
	var codes []string
	if f.Recovery == 0 {
		if codes, err = rq.g.Registry.NewRecoveryCodes(rq.Context(), name); err != nil {
			return nil, err
		}
	}
	state, err := rq.begin(name, method, true)
	if err != nil {
		return nil, err
	}
	return struct {
		State any      `json:"session"`
		Codes []string `json:"recoveryCodes,omitempty"`
	}{state, codes}, nil
}

var errNoPasskeys = fault.New(fault.Unsupported, "guard: passkeys are not set up on this server")

func (rq *Request) enrolPasskey() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return rq.noSession(err)
	}
	if rq.g.SignIn.Passkeys == nil {
		return nil, errNoPasskeys
	}
	return rq.g.SignIn.Passkeys.BeginRegistration(rq.Context(), rq.r.Host, rq.c.info.Name, rq.c.session.ID, origin(rq.address))
}

func (rq *Request) keepPasskey() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return rq.noSession(err)
	}
	var in struct {
		Name       string
		Credential json.RawMessage
	}
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if rq.g.SignIn.Passkeys == nil {
		return nil, errNoPasskeys
	}
	err := rq.g.SignIn.Passkeys.FinishRegistration(rq.Context(), rq.r.Host, rq.c.info.Name, rq.c.session.ID, in.Name, in.Credential)
	if err != nil {
		return nil, err
	}
	return rq.enrolled("passkey", "passkey added")
}

// half is the half session of the browser, if it has one: with it a passkey is
// asked for by name. Without, any passkey of the browser counts.
func (rq *Request) half() (person, session string, err error) {
	if len(rq.r.CookiesNamed(SessionCookie)) == 0 {
		return "", "", nil
	}
	err = rq.session()
	switch {
	case errors.Is(err, fault.Denied): // an old cookie
		rq.c = nil
		return "", "", nil
	case err != nil || rq.c.session.Complete:
		return "", "", err
	}
	return rq.c.info.Name, rq.c.session.ID, nil
}

func (rq *Request) passkeyBegin() (any, error) {
	if rq.g.SignIn.Passkeys == nil {
		return nil, errNoPasskeys
	}
	person, session, err := rq.half()
	if err != nil {
		return nil, err
	}
	return rq.g.SignIn.Passkeys.BeginLogin(rq.Context(), rq.r.Host, person, session, origin(rq.address))
}

func (rq *Request) passkeyFinish() (any, error) {
	if rq.g.SignIn.Passkeys == nil {
		return nil, errNoPasskeys
	}
	answer, err := rq.body()
	if err != nil {
		return nil, err
	}
	_, session, err := rq.half()
	if err != nil {
		return nil, err
	}
	if !rq.g.logins.allowed(rq.address) {
		rq.tooMany(rq.g.logins.wait(rq.address))
		return nil, nil
	}
	person, err := rq.g.SignIn.Passkeys.FinishLogin(rq.Context(), rq.r.Host, session, answer)
	if errors.Is(err, fault.Denied) {
		rq.event(audit.UserAuthenticated, "", audit.MinorFailure, "a passkey did not count", "")
		rq.g.logins.failed(rq.address)
		rq.unauthenticated(identity.ErrCredentials)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return rq.begin(person, "passkey", true)
}

// The way back from the identity provider, and the cookie by which the answer
// is known to come to the browser that asked. It must be sent when another
// site sends the browser here, which the session's own cookie must not.
const (
	oidcCallback = "/api/v1/session/oidc/callback"
	oidcCookie   = "__Host-oidc"
)

var errNoOIDC = fault.New(fault.Unsupported, "guard: no identity provider is set up on this server")

func (rq *Request) oidcBegin() (any, error) {
	if rq.g.SignIn.OIDC == nil {
		return nil, errNoOIDC
	}
	self, err := rq.knownOrigin()
	if err != nil {
		return nil, err
	}
	location, browser, err := rq.g.SignIn.OIDC.Begin(rq.Context(), self+oidcCallback, origin(rq.address))
	if err != nil {
		return nil, err
	}
	rq.cookie(oidcCookie, browser, http.SameSiteLaxMode, 300)
	return struct {
		Location string `json:"location"`
	}{location}, nil
}

// oidcFinish is a page for the browser and no JSON: who comes from another
// site does not bring the session's cookie along, so that it leads on to the
// console by itself.
func (rq *Request) oidcFinish() (any, error) {
	if rq.g.SignIn.OIDC == nil {
		return nil, errNoOIDC
	}
	browser := ""
	if c, err := rq.r.Cookie(oidcCookie); err == nil {
		browser = c.Value
	}
	rq.cookie(oidcCookie, "", http.SameSiteLaxMode, -1)
	person, change, err := rq.g.SignIn.OIDC.Finish(rq.Context(), rq.Query("state"), rq.Query("code"), browser)
	if err != nil {
		if !errors.Is(err, fault.Denied) {
			rq.g.Log.Error("sign-in by the identity provider failed", "error", fault.Text(err))
			rq.landing(httpStatus(err), sentence(err))
			return nil, nil
		}
		rq.event(audit.UserAuthenticated, "", audit.MinorFailure, "the identity provider's answer did not count", "")
		rq.landing(http.StatusUnauthorized, sentence(err))
		return nil, nil
	}
	if change != "" {
		rq.event(audit.PersonChanged, person, audit.Success, change, "")
	}
	if _, err := rq.begin(person, "oidc", true); err != nil {
		return nil, err
	}
	rq.landing(http.StatusOK, "")
	return nil, nil
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
