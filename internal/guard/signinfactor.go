package guard

import (
	"context"
	"encoding/json"
	"errors"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// second takes a second factor of somebody whose password was right, or who is
// signed in and shows it again.
func (rq *Request) second(method, what string, check func(ctx context.Context, name, code string) error) (any, error) {
	if err := rq.session(); err != nil {
		return rq.noSession(err)
	}
	var in struct{ Code string }
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	name := rq.c.info.Name
	ok, err := rq.attempt(rq.g.attempts.codes, name, what, func() (bool, error) {
		return codeCounts(check(rq.Context(), name, in.Code))
	})
	if !ok || err != nil {
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
// shown one of late, or a half one of a person who has none. Who knows a password alone must not add a
// factor to an account that has one.
func (rq *Request) mayEnrol() error {
	if err := rq.session(); err != nil {
		return err
	}
	if !rq.g.SignIn.local(rq.c.info.Name) {
		return errNotLocal
	}
	if rq.c.session.Complete {
		return rq.proof()
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
	return rq.g.Registry.BeginTOTP(rq.Context(), rq.c.info.Name, rq.g.SignIn.Name, rq.c.session.ID)
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
	ok, _, err := lockout.Try(rq.Context(), func() (bool, error) {
		return codeCounts(rq.g.Registry.ConfirmTOTP(rq.Context(), name, rq.c.session.ID, in.Code))
	},
		rq.g.FromAddress(rq.address), lockout.Slot{Table: rq.g.attempts.codes, Key: rq.g.account(name)})
	if err == nil && !ok {
		err = identity.ErrCode
	}
	if err != nil {
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
	return rq.g.SignIn.Passkeys.BeginRegistration(rq.Context(), rq.r.Host, rq.c.info.Name, rq.c.session.ID)
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

// bound is the session of the browser, half or whole, if it has one: with it a
// passkey is asked for by name. Without, any passkey of the browser counts.
func (rq *Request) bound() (person, session string, err error) {
	if len(rq.r.CookiesNamed(SessionCookie)) == 0 {
		return "", "", nil
	}
	err = rq.session()
	switch {
	case fault.Of(err) == fault.Denied: // an old cookie
		rq.c = nil
		return "", "", nil
	case err != nil:
		return "", "", err
	}
	return rq.c.info.Name, rq.c.session.ID, nil
}

func (rq *Request) passkeyBegin() (any, error) {
	if rq.g.SignIn.Passkeys == nil {
		return nil, errNoPasskeys
	}
	person, session, err := rq.bound()
	if err != nil {
		return nil, err
	}
	return rq.g.SignIn.Passkeys.BeginLogin(rq.Context(), rq.r.Host, person, session)
}

func (rq *Request) passkeyFinish() (any, error) {
	if rq.g.SignIn.Passkeys == nil {
		return nil, errNoPasskeys
	}
	answer, err := rq.body()
	if err != nil {
		return nil, err
	}
	_, session, err := rq.bound()
	if err != nil {
		return nil, err
	}
	person, err := lockout.Find(rq.Context(), func() (string, error) {
		return rq.g.SignIn.Passkeys.FinishLogin(rq.Context(), rq.r.Host, session, answer)
	}, rq.g.FromAddress(rq.address))
	if copied, ok := errors.AsType[*identity.CopiedPasskey](err); ok {
		rq.copied(copied)
		return nil, nil
	}
	if fault.Of(err) == fault.Denied {
		rq.event(audit.UserAuthenticated, "", audit.MinorFailure, "a passkey did not count", "")
		rq.unauthenticated(identity.ErrCredentials)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return rq.shown(person, "passkey")
}

// copied records and answers a passkey of which there are two. That it is noticed
// is written whatever else is; later attempts with it are told like other failures.
func (rq *Request) copied(c *identity.CopiedPasskey) {
	const reason = "a passkey was copied, and counts no more"
	if c.Noticed {
		rq.g.record(rq.Context(), audit.Record{
			Event: audit.SecurityAlert, Action: audit.Execute, Outcome: audit.SeriousFailure, Code: audit.PasskeyCopied, Reason: reason, Door: doorAPI,
			Principal: c.Person, Kind: string(policy.Person), Peer: audit.Peer{Address: rq.address},
			Objects: []audit.Object{{Person: c.Person, Detail: "passkey " + c.ID}},
		})
		rq.g.Log.Warn("a passkey was copied, and counts no more; see collimator audit search --event security-alert", "address", rq.address)
	}
	rq.event(audit.UserAuthenticated, c.Person, audit.MinorFailure, reason, "")
	rq.unauthenticated(c)
}
