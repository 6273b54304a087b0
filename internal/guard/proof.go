package guard

import (
	"time"

	"collimator/internal/fault"
)

// ProofFor is how long a second factor that was shown counts for what makes
// other credentials. Whoever finds a browser signed in, or has copied a cookie,
// must not leave a way in behind.
const ProofFor = 5 * time.Minute

var errProof = fault.NewCode(fault.Denied, "second-factor-again",
	"guard: this needs a second factor that was shown within five minutes; show it again and repeat the request")

// ProofError is for a session that has to show a second factor again. It is of
// kind Denied.
type ProofError struct{ Caller *Caller }

// Error implements error.
func (e *ProofError) Error() string { return errProof.Error() }

// Unwrap gives the kind.
func (e *ProofError) Unwrap() error { return errProof }

// Proof is a *ProofError unless this session has shown a second factor of late. A
// token may use what its verbs allow: making it needed one.
func (g *Guard) Proof(c *Caller) error {
	if s := c.session; s == nil || g.Now().Sub(s.Proven) < ProofFor {
		return nil
	}
	return &ProofError{c}
}
