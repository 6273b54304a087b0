package ul

import "fmt"

// AbortSource tells who aborted (PS3.8 9.3.8).
type AbortSource uint8

// Sources of an A-ABORT.
const (
	AbortServiceUser     AbortSource = 0
	AbortServiceProvider AbortSource = 2
)

// String is the source in words of the standard.
func (s AbortSource) String() string {
	switch s {
	case AbortServiceUser:
		return "service-user"
	case AbortServiceProvider:
		return "service-provider"
	}
	return fmt.Sprintf("source %d", uint8(s))
}

// AbortReason has a meaning when the source is the service provider (PS3.8 9.3.8).
type AbortReason uint8

// Reasons of an A-ABORT by the service provider.
const (
	ReasonNotSpecified             AbortReason = 0
	ReasonUnrecognizedPDU          AbortReason = 1
	ReasonUnexpectedPDU            AbortReason = 2
	ReasonUnrecognizedPDUParameter AbortReason = 4
	ReasonUnexpectedPDUParameter   AbortReason = 5
	ReasonInvalidPDUParameter      AbortReason = 6
)

// String is the reason in words of the standard.
func (r AbortReason) String() string {
	switch r {
	case ReasonNotSpecified:
		return "reason-not-specified"
	case ReasonUnrecognizedPDU:
		return "unrecognized-PDU"
	case ReasonUnexpectedPDU:
		return "unexpected-PDU"
	case ReasonUnrecognizedPDUParameter:
		return "unrecognized-PDU-parameter"
	case ReasonUnexpectedPDUParameter:
		return "unexpected-PDU-parameter"
	case ReasonInvalidPDUParameter:
		return "invalid-PDU-parameter-value"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Abort ends an association at once (PS3.8 9.3.8).
type Abort struct {
	Source AbortSource
	Reason AbortReason
}

// Type implements PDU.
func (Abort) Type() Type { return TypeAbort }

func decodeAbort(c *cursor) (PDU, error) {
	if err := c.fixed(4); err != nil {
		return nil, err
	}
	return Abort{Source: AbortSource(c.b[2]), Reason: AbortReason(c.b[3])}, nil
}

// AppendTo implements PDU; it never fails.
func (a Abort) AppendTo(dst []byte) ([]byte, error) {
	return append(dst, byte(TypeAbort), 0, 0, 0, 0, 4, 0, 0, byte(a.Source), byte(a.Reason)), nil
}
