package guard

import (
	"cmp"
	"errors"
	"net/http"

	"collimator/internal/audit"
	"collimator/internal/identity"
	"collimator/internal/lockout"
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
	a.Proven("POST /api/v1/password", "POST /api/v1/recovery-codes", "DELETE /api/v1/totp", "DELETE /api/v1/passkeys/{id}")
}

func (rq *Request) listSessions() (any, error) {
	return rq.g.sessions.List(rq.Context(), rq.c.info.Name)
}

// endSessions signs the caller out everywhere, here too, and ends all that was
// made in a session.
func (rq *Request) endSessions() (any, error) {
	ended, err := rq.g.Registry.EndMade(rq.Context(), rq.c.info.Name)
	if err != nil {
		return nil, err
	}
	rq.cookie(SessionCookie, "", http.SameSiteStrictMode, -1)
	rq.event(audit.UserSignedOut, rq.c.info.Name, audit.Success, "everywhere; "+ended.String()+" ended", rq.c.session.ID)
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
// enough. All sessions and what was made in one end, and this session goes on
// under another secret.
func (rq *Request) changePassword() (any, error) {
	var in struct{ Old, New string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name, method := rq.c.info.Name, rq.c.session.Method
	if !rq.g.SignIn.local(name) {
		return nil, errNotLocal
	}
	if err := identity.CheckNewPerson(name, in.New); err != nil {
		return nil, err
	}
	ok, err := rq.attempt(rq.g.attempts.passwords, name, "the old password", func() (bool, error) { return rq.checkPassword(name, in.Old) })
	if !ok || err != nil {
		return nil, err
	}
	ended, err := rq.setPassword(name, in.New)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: name, Detail: "password changed; " + ended.String() + " ended"})
	return rq.begin(name, method, true)
}

// setPassword waits for a turn like the check of a password.
func (rq *Request) setPassword(name, password string) (identity.Ended, error) {
	end, err := rq.hashing()
	if err != nil {
		return identity.Ended{}, err
	}
	defer end()
	return rq.g.Registry.SetPassword(rq.Context(), name, password)
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
	l, err := rq.link(func() (identity.Link, error) { return rq.g.Registry.Link(rq.Context(), in.Link) })
	if err != nil {
		return nil, err
	}
	return l, nil
}

// link finds what belongs to a one-time link. One that does not count is an
// attempt of the address.
func (rq *Request) link(find func() (identity.Link, error)) (identity.Link, error) {
	l, err := lockout.Find(rq.Context(), find, rq.g.FromAddress(rq.address))
	if errors.Is(err, identity.ErrLink) {
		rq.event(audit.UserAuthenticated, "", audit.MinorFailure, "a one-time link did not count", "")
	}
	return l, err
}

// setUp uses a one-time link. What follows is the half session in which a
// second factor is set up or shown.
func (rq *Request) setUp() (any, error) {
	var in struct{ Link, Name, Password string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	l, err := rq.link(func() (identity.Link, error) {
		if l, err := rq.g.Registry.Link(rq.Context(), in.Link); err != nil || !rq.g.SignIn.local(cmp.Or(l.Person, in.Name)) {
			return l, cmp.Or(err, errNotLocal) // the link stays, for the day the settings change
		}
		end, err := rq.hashing()
		if err != nil {
			return identity.Link{}, err
		}
		defer end()
		return rq.g.Registry.UseLink(rq.Context(), in.Link, in.Name, in.Password)
	})
	if err != nil {
		return nil, err
	}
	rq.event(audit.PersonChanged, l.Person, audit.Success, "password set by a one-time link: "+string(l.Purpose), "")
	f, err := rq.g.Registry.Factors(rq.Context(), l.Person)
	if err != nil {
		return nil, err
	}
	return rq.begin(l.Person, "password", rq.g.SignIn.InsecureOneFactor && !f.Any())
}
