package signin

import (
	"encoding/json"
	"errors"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/lockout"
)

var errNoPasskeys = fault.New(fault.Unsupported, "signin: passkeys are not set up on this server")

func (rq *request) enrolPasskey() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return nil, err
	}
	if rq.s.Passkeys == nil {
		return nil, errNoPasskeys
	}
	return rq.s.Passkeys.BeginRegistration(rq.Context(), rq.HTTP().Host, rq.Person().Name, rq.Caller().Session().ID)
}

// newPasskey is what the browser made, and how the person calls it.
type newPasskey struct {
	Name       string          `json:"name"`
	Credential json.RawMessage `json:"credential"`
}

func (rq *request) keepPasskey() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return nil, err
	}
	var in newPasskey
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if rq.s.Passkeys == nil {
		return nil, errNoPasskeys
	}

	person, session := rq.Person().Name, rq.Caller().Session().ID
	err := rq.s.Passkeys.FinishRegistration(rq.Context(), rq.HTTP().Host, person, session, in.Name, in.Credential)
	if err != nil {
		return nil, err
	}
	return rq.enrolled("passkey", "passkey added")
}

// bound is the session of the browser, half or whole, if it has one: with it a
// passkey is asked for by name. Without, any passkey of the browser counts.
func (rq *request) bound() (person, session string, err error) {
	if len(rq.HTTP().CookiesNamed(guard.SessionCookie)) == 0 {
		return "", "", nil
	}

	err = rq.session()
	switch {
	case fault.Of(err) == fault.Denied: // an old cookie
		return "", "", nil
	case err != nil:
		return "", "", err
	}
	return rq.Person().Name, rq.Caller().Session().ID, nil
}

func (rq *request) passkeyBegin() (any, error) {
	if rq.s.Passkeys == nil {
		return nil, errNoPasskeys
	}
	person, session, err := rq.bound()
	if err != nil {
		return nil, err
	}
	return rq.s.Passkeys.BeginLogin(rq.Context(), rq.HTTP().Host, person, session)
}

func (rq *request) passkeyFinish() (any, error) {
	if rq.s.Passkeys == nil {
		return nil, errNoPasskeys
	}
	answer, err := rq.Body()
	if err != nil {
		return nil, err
	}
	_, session, err := rq.bound()
	if err != nil {
		return nil, err
	}

	person, err := lockout.Find(rq.Context(), func() (string, error) {
		return rq.s.Passkeys.FinishLogin(rq.Context(), rq.HTTP().Host, session, answer)
	}, rq.s.door.FromAddress(rq.Address()))
	if copied, ok := errors.AsType[*identity.CopiedPasskey](err); ok {
		return nil, rq.copied(copied)
	}
	if fault.Of(err) == fault.Denied {
		rq.event(audit.UserAuthenticated, "", audit.MinorFailure, "a passkey did not count", "")
		return nil, &guard.UnauthenticatedError{Err: identity.ErrCredentials}
	}
	if err != nil {
		return nil, err
	}
	return rq.shown(person, "passkey")
}

// copied records a passkey of which there are two, and gives the answer. That it
// is noticed is written whatever else is; later attempts with it are told like
// other failures.
func (rq *request) copied(c *identity.CopiedPasskey) error {
	const reason = "a passkey was copied, and counts no more"
	if c.Noticed {
		r := entry(audit.SecurityAlert, asPerson(c.Person), rq.Address())
		r.Outcome = audit.SeriousFailure
		r.Code = audit.PasskeyCopied
		r.Reason = reason
		r.Objects = []audit.Object{{Person: c.Person, Detail: "passkey " + c.ID}}
		rq.s.door.Record(rq.Context(), r)
		rq.s.door.Log.Warn("a passkey was copied, and counts no more; see collimator audit search --event security-alert",
			"address", rq.Address())
	}

	rq.event(audit.UserAuthenticated, c.Person, audit.MinorFailure, reason, "")
	return &guard.UnauthenticatedError{Err: c}
}
