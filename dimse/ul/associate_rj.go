package ul

import "fmt"

// RejectResult tells whether asking again may help (PS3.8 9.3.4).
type RejectResult uint8

// Results of an A-ASSOCIATE-RJ.
const (
	RejectedPermanent RejectResult = 1
	RejectedTransient RejectResult = 2
)

// String is the result in words of the standard.
func (r RejectResult) String() string {
	switch r {
	case RejectedPermanent:
		return "rejected-permanent"
	case RejectedTransient:
		return "rejected-transient"
	}
	return fmt.Sprintf("result %d", uint8(r))
}

// RejectSource tells who rejected (PS3.8 9.3.4).
type RejectSource uint8

// Sources of an A-ASSOCIATE-RJ.
const (
	RejectServiceUser                 RejectSource = 1
	RejectServiceProviderACSE         RejectSource = 2
	RejectServiceProviderPresentation RejectSource = 3
)

// String is the source in words of the standard.
func (s RejectSource) String() string {
	switch s {
	case RejectServiceUser:
		return "service-user"
	case RejectServiceProviderACSE:
		return "service-provider (ACSE)"
	case RejectServiceProviderPresentation:
		return "service-provider (presentation)"
	}
	return fmt.Sprintf("source %d", uint8(s))
}

// RejectReason is read together with the source (PS3.8 table 9-21).
type RejectReason uint8

// Reasons of the three sources.
const (
	UserNoReason                    RejectReason = 1
	ApplicationContextNotSupported  RejectReason = 2
	CallingAETitleNotRecognized     RejectReason = 3
	CalledAETitleNotRecognized      RejectReason = 7
	ACSENoReason                    RejectReason = 1
	ProtocolVersionNotSupported     RejectReason = 2
	PresentationTemporaryCongestion RejectReason = 1
	PresentationLocalLimitExceeded  RejectReason = 2
)

// AssociateRJ rejects an association (PS3.8 9.3.4).
type AssociateRJ struct {
	Result RejectResult
	Source RejectSource
	Reason RejectReason
}

// Type implements PDU.
func (AssociateRJ) Type() Type { return TypeAssociateRJ }

// ReasonText is the reason in words of the standard.
func (rj AssociateRJ) ReasonText() string {
	switch rj.Source {
	case RejectServiceUser:
		switch rj.Reason {
		case UserNoReason:
			return "no-reason-given"
		case ApplicationContextNotSupported:
			return "application-context-name-not-supported"
		case CallingAETitleNotRecognized:
			return "calling-AE-title-not-recognized"
		case CalledAETitleNotRecognized:
			return "called-AE-title-not-recognized"
		}
	case RejectServiceProviderACSE:
		switch rj.Reason {
		case ACSENoReason:
			return "no-reason-given"
		case ProtocolVersionNotSupported:
			return "protocol-version-not-supported"
		}
	case RejectServiceProviderPresentation:
		switch rj.Reason {
		case PresentationTemporaryCongestion:
			return "temporary-congestion"
		case PresentationLocalLimitExceeded:
			return "local-limit-exceeded"
		}
	}
	return fmt.Sprintf("reason %d", uint8(rj.Reason))
}

func decodeAssociateRJ(c *cursor) (PDU, error) {
	if err := c.fixed(4); err != nil {
		return nil, err
	}
	return AssociateRJ{Result: RejectResult(c.b[1]), Source: RejectSource(c.b[2]), Reason: RejectReason(c.b[3])}, nil
}

// AppendTo implements PDU; it never fails.
func (rj AssociateRJ) AppendTo(dst []byte) ([]byte, error) {
	return append(dst, byte(TypeAssociateRJ), 0, 0, 0, 0, 4, 0, byte(rj.Result), byte(rj.Source), byte(rj.Reason)), nil
}
