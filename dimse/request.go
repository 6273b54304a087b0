package dimse

import (
	"crypto/tls"
	"fmt"
	"net"

	"collimator/dimse/ul"
)

// AssociateRequest is an A-ASSOCIATE-RQ with where it came from.
type AssociateRequest struct {
	RemoteAddr net.Addr
	LocalAddr  net.Addr
	// TLS is nil on a connection without TLS.
	TLS *tls.ConnectionState
	// CalledAETitle and CallingAETitle are valid and trimmed. They are claims.
	CalledAETitle             string
	CallingAETitle            string
	Contexts                  []ul.ProposedContext
	ImplementationClassUID    string
	ImplementationVersionName string
	MaxPDULength              uint32
	AsyncWindow               *ul.AsyncWindow
	Roles                     []ul.RoleSelection
	Extended                  []ul.ExtendedNegotiation
	CommonExtended            []ul.CommonExtendedNegotiation
	// Identity is there only when the connection has TLS.
	Identity *ul.UserIdentity
	// IdentityWithheld tells that the peer sent a user identity in the clear: it
	// is compromised, was dropped, and is of type IdentityType.
	IdentityWithheld bool
	IdentityType     ul.IdentityType
	// Tolerated names what was irregular in the request and was accepted all the
	// same, without values of the peer.
	Tolerated []string
}

// Acceptance answers an AssociateRequest. What it says must be true: every context,
// role and negotiation answer in it must answer something that was proposed.
type Acceptance struct {
	// Contexts answers each proposed context; one that is not named is answered
	// abstract-syntax-not-supported.
	Contexts []ul.AcceptedContext
	// Roles are the answers to role selection: the roles the requestor may take.
	Roles []ul.RoleSelection
	// AsyncWindow is what is granted; nil grants one operation at a time.
	AsyncWindow *ul.AsyncWindow
	// Extended answers extended negotiation, as in PS3.4 C.5.
	Extended []ul.ExtendedNegotiation
	// Identity answers a user identity that asked for a positive response and was verified.
	Identity *ul.UserIdentityResponse
	// Principal is kept with the Association and not looked at here.
	Principal any
	// Mux answers the requests of this association; nil is that of the Server.
	Mux *Mux
}

// RejectError makes Server answer with A-ASSOCIATE-RJ (PS3.8 9.3.4); from Dial it is
// the answer of the peer.
type RejectError struct {
	Result ul.RejectResult
	Source ul.RejectSource
	Reason ul.RejectReason
	// Cause is for our log only; it is never sent.
	Cause error
}

// Reject is the rejection that tells nothing: rejected-permanent, service-user,
// no-reason-given. The answer to an unknown called and calling AE title should be
// the same, so that titles cannot be guessed.
func Reject(cause error) *RejectError {
	return &RejectError{Result: ul.RejectedPermanent, Source: ul.RejectServiceUser, Reason: ul.UserNoReason, Cause: cause}
}

// Error implements error.
func (e *RejectError) Error() string {
	s := fmt.Sprintf("dimse: association rejected: %s, %s, %s", e.Result, e.Source, e.pdu().ReasonText())
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *RejectError) Unwrap() error { return e.Cause }

func (e *RejectError) pdu() ul.AssociateRJ {
	rj := ul.AssociateRJ{Result: e.Result, Source: e.Source, Reason: e.Reason}
	if rj.Result == 0 {
		rj.Result = ul.RejectedPermanent
	}
	if rj.Source == 0 {
		rj.Source = ul.RejectServiceUser
	}
	if rj.Reason == 0 {
		rj.Reason = ul.UserNoReason
	}
	return rj
}

// AbortError is an association that ended with an A-ABORT.
type AbortError struct {
	// Remote tells that the peer sent it; otherwise we did.
	Remote bool
	Source ul.AbortSource
	Reason ul.AbortReason
	// Cause is why we aborted; nil when Remote.
	Cause error
}

// Error implements error.
func (e *AbortError) Error() string {
	who := "by us"
	if e.Remote {
		who = "by the peer"
	}
	s := fmt.Sprintf("dimse: association aborted %s: %s, %s", who, e.Source, e.Reason)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *AbortError) Unwrap() error { return e.Cause }

// newAssociateRequest describes rq; a user identity that came in the clear is dropped.
func newAssociateRequest(rq *ul.AssociateRQ, remote, local net.Addr, state *tls.ConnectionState) *AssociateRequest {
	out := &AssociateRequest{
		RemoteAddr: remote, LocalAddr: local, TLS: state,
		CalledAETitle: rq.CalledAETitle, CallingAETitle: rq.CallingAETitle, Contexts: rq.Contexts,
		ImplementationClassUID: rq.User.ImplementationClassUID, ImplementationVersionName: rq.User.ImplementationVersionName,
		MaxPDULength: rq.User.MaxPDULength, AsyncWindow: rq.User.AsyncWindow, Roles: rq.User.Roles,
		Extended: rq.User.Extended, CommonExtended: rq.User.CommonExtended, Tolerated: rq.Tolerated,
	}

	if id := rq.User.Identity; id != nil {
		out.IdentityType = id.Kind
		if state != nil {
			out.Identity = id
		} else {
			out.IdentityWithheld = true
		}
	}
	return out
}
