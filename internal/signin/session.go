package signin

import (
	"errors"
	"net/http"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// The states of a browser.
const (
	stateComplete = "complete"
	stateFactor   = "second-factor" // the password was right, the second factor is to come
	stateEnrol    = "enrol"         // there is no second factor yet: one must be set up
)

// sessionState is who somebody is and what this browser may do.
type sessionState struct {
	State   string           `json:"state"`
	Name    string           `json:"name"`
	Role    policy.Role      `json:"role,omitempty"`
	Method  string           `json:"method"`
	Factors identity.Factors `json:"factors"`
	Can     []policy.Verb    `json:"can,omitempty"`
	Session string           `json:"session"`
	Expires time.Time        `json:"expires"`
	Idle    int              `json:"idleSeconds"`
}

// linkState is what a browser may do that has opened a link.
func linkState(s *identity.Share) sessionState {
	return sessionState{
		State:   stateComplete,
		Name:    s.Principal().Name,
		Method:  "share",
		Can:     []policy.Verb{policy.Query, policy.Retrieve},
		Expires: s.Expires,
	}
}

// session finds the session of the browser, whole or half.
func (rq *request) session() error {
	c, err := rq.s.door.Authenticate(rq.Context(), rq.HTTP())
	if err == nil && c.Session() == nil {
		err = identity.ErrCredentials
	}
	if err == nil {
		rq.Known(c)
	}
	return err
}

// toSignIn makes of want of a session, where one is needed, the answer that says
// how to sign in.
func toSignIn(err error) error {
	if _, again := errors.AsType[*guard.ProofError](err); !again && fault.Of(err) == fault.Denied {
		return &guard.UnauthenticatedError{Err: err}
	}
	return err
}

// state says who is signed in. A token is told whose it is.
func (rq *request) state() (any, error) {
	c, err := rq.s.door.Authenticate(rq.Context(), rq.HTTP())
	if err != nil {
		return nil, toSignIn(err)
	}

	switch {
	case c.Share() != nil:
		return linkState(c.Share()), nil
	case c.Session() == nil:
		p := c.Person()
		can := rq.s.door.May(c)
		return sessionState{State: stateComplete, Name: p.Name, Role: p.Role, Method: "token", Can: can}, nil
	}
	return rq.describe(c.Session())
}

// describe is the state of a session as the API answers it. The role, and what it may
// do, are told only after the second factor was shown.
func (rq *request) describe(s *identity.Session) (sessionState, error) {
	p, err := rq.s.door.Registry.Person(rq.Context(), s.Person)
	if err != nil {
		return sessionState{}, err
	}

	f, err := rq.s.door.Registry.Factors(rq.Context(), s.Person)
	if err != nil {
		return sessionState{}, err
	}

	x := sessionState{
		State:   stateComplete,
		Name:    p.Name,
		Method:  s.Method,
		Factors: f,
		Session: s.ID,
		Expires: s.Expires,
		Idle:    int(rq.s.door.Sessions.Limits().Idle.Seconds()),
	}

	switch {
	case s.Complete:
		x.Role = p.Role
		x.Can = rq.s.door.Can(p.PrincipalIn(s, rq.s.door.Now()))
	case f.Any():
		x.State = stateFactor
	default:
		x.State = stateEnrol
	}
	return x, nil
}

// begin signs somebody in, in place of the session the browser had, and says
// what is to come.
func (rq *request) begin(person, method string, complete bool) (sessionState, error) {
	if method != byProvider && !rq.s.Local(person) {
		reason := "by " + method + ", and people sign in at the identity provider alone (signin.local)"
		rq.event(audit.UserAuthenticated, person, audit.MinorFailure, reason, "")
		return sessionState{}, errNotLocal
	}

	s, secret, err := rq.s.door.Sessions.Start(rq.Context(), person, method, rq.Address(), complete, rq.before(person))
	if err != nil {
		return sessionState{}, err
	}
	return rq.begun(s, secret)
}

// beginAtProvider signs somebody in who comes from the identity provider.
func (rq *request) beginAtProvider(person string) (sessionState, error) {
	s, secret, err := rq.s.door.Sessions.StartAtProvider(rq.Context(), rq.s.OIDC.Issuer(), person, rq.Address(), rq.before(person))
	if err != nil {
		return sessionState{}, err
	}
	return rq.begun(s, secret)
}

// before is the session of this person that the browser had; empty without one.
func (rq *request) before(person string) string {
	if s := rq.Caller().Session(); s != nil && s.Person == person {
		return s.ID
	}
	return ""
}

// begun gives the browser its session.
func (rq *request) begun(s *identity.Session, secret string) (sessionState, error) {
	rq.SetCookie(guard.SessionCookie, secret, http.SameSiteStrictMode, 0)
	if s.Complete {
		rq.s.door.SignedIn(rq.Address())
		rq.event(audit.UserAuthenticated, s.Person, audit.Success, "signed in by "+s.Method, s.ID)
		rq.glassBroken(s.Person, s.Method)
	}
	return rq.describe(s)
}

// glassBroken alarms when somebody came in past the identity provider.
func (rq *request) glassBroken(name, method string) {
	if !rq.s.ProviderOnly || method == byProvider {
		return
	}

	r := entry(audit.SecurityAlert, asPerson(name), rq.Address())
	r.Code = audit.GlassBroken
	r.Reason = "a break-glass account signed in by " + method
	rq.s.door.Record(rq.Context(), r)
}

// shown ends a way to sign in: the session becomes a whole one, or a whole one
// goes on.
func (rq *request) shown(person, method string) (sessionState, error) {
	s := rq.Caller().Session()
	if s == nil || !s.Complete {
		return rq.begin(person, method, true)
	}
	if s.Person != person {
		return sessionState{}, identity.ErrCredentials
	}
	return rq.prove(method)
}

// prove goes on in a session that is whole after its person has shown a second
// factor again: with another secret, and no longer than before.
func (rq *request) prove(method string) (sessionState, error) {
	s := rq.Caller().Session()
	secret, err := rq.s.door.Sessions.Prove(rq.Context(), s, method)
	if err != nil {
		return sessionState{}, err
	}

	rq.SetCookie(guard.SessionCookie, secret, http.SameSiteStrictMode, 0)
	rq.event(audit.UserAuthenticated, s.Person, audit.Success, "second factor shown again by "+method, s.ID)
	return rq.describe(s)
}

// signOut ends the session of this browser, and the link it has opened.
func (rq *request) signOut() (any, error) {
	closed, err := rq.closeShare()
	if err != nil {
		return nil, err
	}
	err = rq.session()
	if closed && fault.Of(err) == fault.Denied {
		return nil, nil
	}
	if err != nil {
		return nil, toSignIn(err)
	}

	name, session := rq.Person().Name, rq.Caller().Session().ID
	rq.SetCookie(guard.SessionCookie, "", http.SameSiteStrictMode, -1)
	if err := rq.s.door.Sessions.End(rq.Context(), name, session); err != nil && fault.Of(err) != fault.NotFound {
		return nil, err
	}
	rq.event(audit.UserSignedOut, name, audit.Success, "", session)
	return rq.signedOut(), nil
}

// signedOut says where somebody signs out at the identity provider, who came from
// there; nil where there is nothing to say. Else the next click there signs in
// without a question.
func (rq *request) signedOut() any {
	p := rq.s.OIDC
	if s := rq.Caller().Session(); p == nil || s.Provider == "" && s.Method != byProvider {
		return nil
	}

	back := ""
	if self, err := rq.knownOrigin(); err == nil {
		back = self + "/"
	}
	if there := p.End(back); there != "" {
		return webapi.Location{Location: there}
	}
	return nil
}
