package guard

import (
	"net/http"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
)

// proofFor is how long a second factor that was shown counts for what makes
// other credentials. Whoever finds a browser signed in, or has copied a cookie,
// must not leave a way in behind.
const proofFor = 5 * time.Minute

// proofType is the type of the problem document that asks for it again.
const proofType = "urn:collimator:second-factor-again"

var errProof = fault.New(fault.Denied, "guard: this needs a second factor that was shown within five minutes; show it again and repeat the request")

// proofs says by which means it can be shown again, and how long it counts then.
type proofs struct {
	TOTP     bool `json:"totp"`
	Recovery bool `json:"recovery"`
	Passkey  bool `json:"passkey"`
	Password bool `json:"password"` // where it is enough to sign in
	OIDC     bool `json:"oidc"`     // by signing in there again
	Seconds  int  `json:"countsForSeconds"`
}

// Proven marks routes that were registered before: a session may use them only
// with a second factor that was shown within five minutes. A token may use what
// its verbs allow: making it needed one.
func (a *API) Proven(patterns ...string) {
	for _, p := range patterns {
		if _, ok := a.verbs[p]; !ok {
			panic("guard: " + p + " is no route")
		}
		a.proven[p] = true
	}
}

// proof is an error unless this session has shown a second factor of late.
func (rq *Request) proof() error {
	if s := rq.c.session; s == nil || rq.g.Now().Sub(s.Proven) < proofFor {
		return nil
	}
	return errProof
}

// askAgain answers who has to show a second factor again.
func (rq *Request) askAgain() {
	f, err := rq.g.Registry.Factors(rq.Context(), rq.c.info.Name)
	if err != nil {
		rq.answer(nil, err)
		return
	}
	m := rq.g.methods(rq.r)
	rq.problem(problem{Type: proofType, Status: http.StatusForbidden, Detail: fault.Sentence(errProof), Again: &proofs{
		TOTP: f.TOTP, Recovery: f.Recovery > 0, Passkey: f.Passkeys > 0 && m.Passkey, OIDC: m.OIDC,
		Password: rq.g.SignIn.InsecureOneFactor && !f.Any(), Seconds: int(proofFor.Seconds()),
	}})
}

// prove goes on in a session that is whole after its person has shown a second
// factor again: with another secret, and no longer than before.
func (rq *Request) prove(method string) (any, error) {
	s := rq.c.session
	secret, err := rq.g.sessions.Prove(rq.Context(), s, method)
	if err != nil {
		return nil, err
	}
	rq.cookie(SessionCookie, secret, http.SameSiteStrictMode, 0)
	rq.event(audit.UserAuthenticated, s.Person, audit.Success, "second factor shown again by "+method, s.ID)
	return rq.describe(s)
}

// shown ends a way to sign in: the session becomes a whole one, or a whole one
// goes on.
func (rq *Request) shown(person, method string) (any, error) {
	if c := rq.c; c != nil && c.session != nil && c.session.Complete {
		if c.session.Person != person {
			return nil, identity.ErrCredentials
		}
		return rq.prove(method)
	}
	return rq.begin(person, method, true)
}
