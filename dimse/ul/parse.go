package ul

import "fmt"

// ParseKind says in what way bytes are not a valid PDU. Callers decide by it; the
// sentence of a ParseError is for people.
type ParseKind uint8

// Kinds of ParseError.
const (
	Truncated     ParseKind = iota + 1 // the bytes end before a field or an item does
	UnknownType                        // the PDU type is none of PS3.8 9.3.1
	InvalidLength                      // a length differs from what it has to be, or from what is there
	BeyondLimits                       // longer, or more of something, than Limits allow
	InvalidValue                       // a field holds a value that its clause does not allow
	Repeated                           // an item that may come once came twice
	Missing                            // a required item is missing
)

// String is the kind in a word.
func (k ParseKind) String() string {
	switch k {
	case Truncated:
		return "truncated"
	case UnknownType:
		return "unknown type"
	case InvalidLength:
		return "invalid length"
	case BeyondLimits:
		return "beyond limits"
	case InvalidValue:
		return "invalid value"
	case Repeated:
		return "repeated"
	case Missing:
		return "missing"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// ParseError tells why bytes are not a valid PDU. It holds no value of the peer.
type ParseError struct {
	// PDU is the type that was being decoded.
	PDU Type
	// Offset in bytes from the start of the PDU.
	Offset int
	// Clause of the standard that the bytes break.
	Clause string
	// Kind is what callers decide by.
	Kind ParseKind
	// Reason in a few words, for people; it may change.
	Reason string
}

// Error implements error.
func (e *ParseError) Error() string {
	return fmt.Sprintf("ul: %s: %s at byte %d (%s)", e.PDU, e.Reason, e.Offset, e.Clause)
}
