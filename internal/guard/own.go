package guard

import (
	"errors"
	"net/http"

	"collimator/internal/audit"
	"collimator/internal/identity"
)

// ownRoutes are about how the caller signs in.
func (a *API) ownRoutes() {
	a.Own("GET /api/v1/sessions", (*Request).listSessions)
	a.Own("DELETE /api/v1/sessions", (*Request).endSessions)
	a.Own("DELETE /api/v1/sessions/{id}", (*Request).endSession)
	a.Own("POST /api/v1/password", (*Request).changePassword)
	a.Own("POST /api/v1/recovery-codes", (*Request).renewCodes)
	a.Own("DELETE /api/v1/totp", (*Request).dropTOTP)
	a.Own("GET /api/v1/passkeys", (*Request).listPasskeys)
	a.Own("DELETE /api/v1/passkeys/{id}", (*Request).dropPasskey)
}

func (rq *Request) listSessions() (any, error) {
	return rq.g.sessions.List(rq.Context(), rq.c.info.Name)
}

// endSessions signs the caller out everywhere, here too.
func (rq *Request) endSessions() (any, error) {
	if _, err := rq.g.sessions.EndAll(rq.Context(), rq.c.info.Name); err != nil {
		return nil, err
	}
	rq.cookie(SessionCookie, "", http.SameSiteStrictMode, -1)
	rq.event(audit.UserSignedOut, rq.c.info.Name, audit.Success, "everywhere", rq.c.session.ID)
	return nil, nil
}

func (rq *Request) endSession() (any, error) {
	if err := rq.g.sessions.End(rq.Context(), rq.c.info.Name, rq.Path("id")); err != nil {
		return nil, err
	}
	rq.event(audit.UserSignedOut, rq.c.info.Name, audit.Success, "by another session", rq.Path("id"))
	return nil, nil
}

// changePassword takes the old password too: an unattended browser is not
// enough. All sessions end, and this one goes on under another secret.
func (rq *Request) changePassword() (any, error) {
	var in struct{ Old, New string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name, method := rq.c.info.Name, rq.c.session.Method
	if err := identity.CheckNewPerson(name, in.New); err != nil {
		return nil, err
	}
	ok, err := rq.attempt(name, "the old password", func() (bool, error) { return rq.checkPassword(name, in.Old) })
	if !ok || err != nil {
		return nil, err
	}
	if err := rq.g.Registry.SetPassword(rq.Context(), name, in.New); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: name, Detail: "password changed"})
	return rq.begin(name, method, true)
}

func (rq *Request) renewCodes() (any, error) {
	codes, err := rq.g.Registry.NewRecoveryCodes(rq.Context(), rq.c.info.Name)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: rq.c.info.Name, Detail: "recovery codes made"})
	return struct {
		Codes []string `json:"recoveryCodes"`
	}{codes}, nil
}

func (rq *Request) dropTOTP() (any, error) {
	if err := rq.g.Registry.RemoveTOTP(rq.Context(), rq.c.info.Name, !rq.g.SignIn.InsecureOneFactor); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: rq.c.info.Name, Detail: "authenticator app removed"})
	return nil, nil
}

func (rq *Request) listPasskeys() (any, error) {
	list, err := rq.g.Registry.Passkeys(rq.Context(), rq.c.info.Name)
	if list == nil {
		list = []identity.PasskeyInfo{}
	}
	return list, err
}

func (rq *Request) dropPasskey() (any, error) {
	if err := rq.g.Registry.RemovePasskey(rq.Context(), rq.c.info.Name, rq.Path("id"), !rq.g.SignIn.InsecureOneFactor); err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: rq.c.info.Name, Detail: "passkey removed"})
	return nil, nil
}

// setUpPath is where a one-time link is used; it is the only address that
// answers before there is an administrator.
const setUpPath = "/api/v1/setup"

func (a *API) setUpRoutes() {
	a.open("POST "+setUpPath+"/look", (*Request).lookAtLink)
	a.open("POST "+setUpPath, (*Request).setUp)
}

// lookAtLink says what a link is for, so that the page can ask for what is missing.
func (rq *Request) lookAtLink() (any, error) {
	var in struct{ Link string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	l, err := rq.g.Registry.Link(rq.Context(), in.Link)
	if err != nil {
		return rq.wrongLink(err)
	}
	return l, nil
}

func (rq *Request) wrongLink(err error) (any, error) {
	if errors.Is(err, identity.ErrLink) {
		rq.event(audit.UserAuthenticated, "", audit.MinorFailure, "a one-time link did not count", "")
		rq.g.logins.failed(rq.address)
	}
	return nil, err
}

// setUp uses a one-time link. What follows is the half session in which a
// second factor is set up or shown.
func (rq *Request) setUp() (any, error) {
	var in struct{ Link, Name, Password string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if !rq.g.logins.allowed(rq.address) {
		rq.tooMany(rq.g.logins.wait(rq.address))
		return nil, nil
	}
	end, err := rq.hashing()
	if err != nil {
		return nil, err
	}
	defer end()
	l, err := rq.g.Registry.UseLink(rq.Context(), in.Link, in.Name, in.Password)
	if err != nil {
		return rq.wrongLink(err)
	}
	rq.event(audit.PersonChanged, l.Person, audit.Success, "password set by a one-time link: "+string(l.Purpose), "")
	f, err := rq.g.Registry.Factors(rq.Context(), l.Person)
	if err != nil {
		return nil, err
	}
	return rq.begin(l.Person, "password", rq.g.SignIn.InsecureOneFactor && !f.Any())
}
