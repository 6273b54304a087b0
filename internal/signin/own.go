package signin

import (
	"net/http"

	"collimator/internal/audit"
	"collimator/internal/guard"
	"collimator/internal/identity"
)

func (rq *request) listSessions() (any, error) {
	return rq.s.door.Sessions.List(rq.Context(), rq.Person().Name)
}

// endSessions signs the caller out everywhere, here too, and ends all that was
// made in a session.
func (rq *request) endSessions() (any, error) {
	ended, err := rq.s.door.Registry.EndMade(rq.Context(), rq.Person().Name)
	if err != nil {
		return nil, err
	}

	rq.SetCookie(guard.SessionCookie, "", http.SameSiteStrictMode, -1)
	reason := "everywhere; " + ended.String() + " ended"
	rq.event(audit.UserSignedOut, rq.Person().Name, audit.Success, reason, rq.Caller().Session().ID)
	return nil, nil
}

func (rq *request) endSession() (any, error) {
	if err := rq.s.door.Sessions.End(rq.Context(), rq.Person().Name, rq.Path("id")); err != nil {
		return nil, err
	}
	rq.event(audit.UserSignedOut, rq.Person().Name, audit.Success, "by another session", rq.Path("id"))
	return nil, nil
}

// passwords are the one that counts and the one that is to.
type passwords struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// recoveryCodes are new ones.
type recoveryCodes struct {
	Codes []string `json:"recoveryCodes"` // shown only now
}

// changePassword takes the old password too: an unattended browser is not
// enough. All sessions and what was made in one end, and this session goes on
// under another secret.
func (rq *request) changePassword() (any, error) {
	var in passwords
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name, method := rq.Person().Name, rq.Caller().Session().Method
	if !rq.s.Local(name) {
		return nil, errNotLocal
	}
	if err := identity.CheckNewPerson(name, in.New); err != nil {
		return nil, err
	}

	err := rq.attempt(rq.s.passwords, name, "the old password", func() (bool, error) {
		return rq.checkPassword(name, in.Old)
	})
	if err != nil {
		return nil, err
	}
	ended, err := rq.setPassword(name, in.New)
	if err != nil {
		return nil, err
	}

	rq.changed("password changed; " + ended.String() + " ended")
	return rq.begin(name, method, true)
}

// setPassword waits for a turn like the check of a password.
func (rq *request) setPassword(name, password string) (identity.Ended, error) {
	end, err := rq.s.door.Turn(rq.Context(), rq.Address())
	if err != nil {
		return identity.Ended{}, err
	}
	defer end()
	return rq.s.door.Registry.SetPassword(rq.Context(), name, password)
}

func (rq *request) renewCodes() (any, error) {
	codes, err := rq.s.door.Registry.NewRecoveryCodes(rq.Context(), rq.Person().Name)
	if err != nil {
		return nil, err
	}
	rq.changed("recovery codes made")
	return recoveryCodes{codes}, nil
}

func (rq *request) dropTOTP() (any, error) {
	if err := rq.s.door.Registry.RemoveTOTP(rq.Context(), rq.Person().Name, !rq.s.InsecureOneFactor); err != nil {
		return nil, err
	}
	rq.changed("authenticator app removed")
	return nil, nil
}

func (rq *request) listPasskeys() (any, error) {
	list, err := rq.s.door.Registry.Passkeys(rq.Context(), rq.Person().Name)
	if list == nil {
		list = []identity.PasskeyInfo{}
	}
	return list, err
}

func (rq *request) dropPasskey() (any, error) {
	keepOne := !rq.s.InsecureOneFactor
	if err := rq.s.door.Registry.RemovePasskey(rq.Context(), rq.Person().Name, rq.Path("id"), keepOne); err != nil {
		return nil, err
	}
	rq.changed("passkey removed")
	return nil, nil
}
