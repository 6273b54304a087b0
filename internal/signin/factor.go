package signin

import (
	"context"
	"errors"

	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/lockout"
)

// shownCode is a code that somebody shows.
type shownCode struct {
	Code string `json:"code"`
}

func (rq *request) totp() (any, error) {
	return rq.second("totp", "a code", rq.s.door.Registry.CheckTOTP)
}

func (rq *request) recovery() (any, error) {
	return rq.second("recovery", "a recovery code", rq.s.door.Registry.UseRecoveryCode)
}

// second takes a second factor of somebody whose password was right, or who is
// signed in and shows it again.
func (rq *request) second(method, what string, check func(ctx context.Context, name, code string) error) (any, error) {
	if err := rq.session(); err != nil {
		return nil, toSignIn(err)
	}
	var in shownCode
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	name := rq.Person().Name
	err := rq.attempt(rq.s.codes, name, what, func() (bool, error) {
		return codeCounts(check(rq.Context(), name, in.Code))
	})
	if err != nil {
		return nil, err
	}
	return rq.shown(name, method)
}

// codeCounts tells a code that does not count from a failure of ours.
func codeCounts(err error) (bool, error) {
	if errors.Is(err, identity.ErrCode) {
		return false, nil
	}
	return err == nil, err
}

// mayEnrol demands a session that may set up a second factor: a whole one that has
// shown one of late, or a half one of a person who has none. Who knows a password
// alone must not add a factor to an account that has one.
func (rq *request) mayEnrol() error {
	if err := rq.session(); err != nil {
		return toSignIn(err)
	}
	if !rq.s.Local(rq.Person().Name) {
		return errNotLocal
	}
	if rq.Caller().Session().Complete {
		return rq.s.door.Proof(rq.Caller())
	}

	f, err := rq.s.door.Registry.Factors(rq.Context(), rq.Person().Name)
	if err == nil && f.Any() {
		err = guard.ErrHalf
	}
	return toSignIn(err)
}

func (rq *request) enrolTOTP() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return nil, err
	}
	return rq.s.door.Registry.BeginTOTP(rq.Context(), rq.Person().Name, rq.s.Name, rq.Caller().Session().ID)
}

func (rq *request) confirmTOTP() (any, error) {
	if err := rq.mayEnrol(); err != nil {
		return nil, err
	}
	var in shownCode
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	name := rq.Person().Name
	ok, _, err := lockout.Try(rq.Context(), func() (bool, error) {
		return codeCounts(rq.s.door.Registry.ConfirmTOTP(rq.Context(), name, rq.Caller().Session().ID, in.Code))
	}, rq.s.door.FromAddress(rq.Address()), lockout.Slot{Table: rq.s.codes, Key: rq.s.account(name)})
	if err == nil && !ok {
		err = identity.ErrCode
	}
	if err != nil {
		return nil, err
	}
	return rq.enrolled("totp", "authenticator app set up")
}

// newFactor is what follows a second factor that was set up.
type newFactor struct {
	State sessionState `json:"session"`
	Codes []string     `json:"recoveryCodes,omitempty"` // shown only now
}

// enrolled ends the setting up of a factor: the session is whole from now on,
// with another secret, and whoever has no recovery codes gets some.
func (rq *request) enrolled(method, detail string) (any, error) {
	name := rq.Person().Name
	rq.changed(detail)

	f, err := rq.s.door.Registry.Factors(rq.Context(), name)
	if err != nil {
		return nil, err
	}
	var codes []string
	if f.Recovery == 0 {
		if codes, err = rq.s.door.Registry.NewRecoveryCodes(rq.Context(), name); err != nil {
			return nil, err
		}
	}

	state, err := rq.begin(name, method, true)
	if err != nil {
		return nil, err
	}
	return newFactor{state, codes}, nil
}
