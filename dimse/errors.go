package dimse

import (
	"errors"
	"fmt"

	"collimator/dimse/ul"
)

// Errors callers may test for with errors.Is.
var (
	// ErrNoContext: no accepted presentation context lets this side invoke the operation.
	ErrNoContext = errors.New("dimse: no accepted presentation context")
	// ErrOddLength: a data set to be sent is of odd length, which no message may be
	// (PS3.8 E); dicom.DataSet.Evened and pixel.Open make it even.
	ErrOddLength = errors.New("dimse: data set of odd length (PS3.8 E)")
	// ErrReleased: the association was released.
	ErrReleased = errors.New("dimse: association released")
	// ErrClosed: the transport connection ended without release or abort.
	ErrClosed = errors.New("dimse: connection closed")
	// ErrCanceled is the cause of the context of a handler whose operation the peer canceled with C-CANCEL.
	ErrCanceled = errors.New("dimse: canceled by the peer")
	// ErrTimeout: the peer took longer than Limits allow.
	ErrTimeout = errors.New("dimse: peer too slow")
	// ErrInsecureIdentity: a user identity was to be sent without TLS.
	ErrInsecureIdentity = errors.New("dimse: user identity only over TLS")
	// ErrServerClosed: Shutdown was called.
	ErrServerClosed = errors.New("dimse: server closed")
	// ErrTooMany: a cap on connections or their rate was reached.
	ErrTooMany = errors.New("dimse: too many connections")
	// ErrPlaintext: a peer spoke plain DICOM where TLS is required.
	ErrPlaintext = errors.New("dimse: plain DICOM on a TLS port")
	// ErrNotDICOM: a peer spoke something else.
	ErrNotDICOM = errors.New("dimse: not DICOM")
)

// ProtocolError is a breach of the protocol by the peer. It holds no value of the peer.
type ProtocolError struct {
	Clause string
	Reason string
	// abort says how the association ends: by the service user, or by the
	// provider with this reason.
	byUser bool
	abort  ul.AbortReason
}

// Error implements error.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("dimse: %s (%s)", e.Reason, e.Clause)
}

// breach is a ProtocolError of DIMSE: the service user aborts.
func breach(clause, reason string) error {
	return &ProtocolError{Clause: clause, Reason: reason, byUser: true}
}

// invalidPDU is a ProtocolError of the upper layer: the service provider aborts.
func invalidPDU(abort ul.AbortReason, clause, reason string) error {
	return &ProtocolError{Clause: clause, Reason: reason, abort: abort}
}
