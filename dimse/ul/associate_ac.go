package ul

import (
	"fmt"

	"collimator/dicom/uid"
)

// ContextResult is the answer to a presentation context (PS3.8 9.3.3.2).
type ContextResult uint8

// Results of PS3.8 table 9-18.
const (
	Acceptance                     ContextResult = 0
	UserRejection                  ContextResult = 1
	NoReason                       ContextResult = 2
	AbstractSyntaxNotSupported     ContextResult = 3
	TransferSyntaxesNotSupported   ContextResult = 4
	contextResultOutsideOfStandard ContextResult = 5
)

// String is the result in words of the standard.
func (r ContextResult) String() string {
	switch r {
	case Acceptance:
		return "acceptance"
	case UserRejection:
		return "user-rejection"
	case NoReason:
		return "no-reason"
	case AbstractSyntaxNotSupported:
		return "abstract-syntax-not-supported"
	case TransferSyntaxesNotSupported:
		return "transfer-syntaxes-not-supported"
	}
	return fmt.Sprintf("result %d", uint8(r))
}

// AcceptedContext is the answer to one proposed context (PS3.8 9.3.3.2).
type AcceptedContext struct {
	ID     uint8
	Result ContextResult
	// TransferSyntax has a meaning only when Result is Acceptance.
	TransferSyntax string
}

// AssociateAC accepts an association (PS3.8 9.3.3). The AE title fields are reserved:
// sent as they came in the request, not tested when received.
type AssociateAC struct {
	ProtocolVersion    uint16
	CalledAETitle      string
	CallingAETitle     string
	ApplicationContext string
	Contexts           []AcceptedContext
	User               UserInformation
}

// Type implements PDU.
func (*AssociateAC) Type() Type { return TypeAssociateAC }

// DecodeAssociateAC decodes the part of an A-ASSOCIATE-AC after its header.
func DecodeAssociateAC(body []byte, lim Limits) (*AssociateAC, error) {
	return decodeAssociateAC(&cursor{b: body, pdu: TypeAssociateAC, base: HeaderLength}, lim.withDefaults())
}

func decodeAssociateAC(c *cursor, lim Limits) (*AssociateAC, error) {
	if uint64(len(c.b)) > uint64(lim.AssociatePDU) {
		return nil, c.err(BeyondLimits, "PS3.8 9.3.3", "longer than the limit")
	}

	ac := &AssociateAC{}
	var err error
	if ac.ProtocolVersion, err = c.u16(); err != nil {
		return nil, err
	}

	fixed, err := c.take(2 + 16 + 16 + 32)
	if err != nil {
		return nil, err
	}

	// Reserved fields: what is not a title is left empty instead of refused.
	ac.CalledAETitle, _ = ParseAETitle(string(fixed[2:18]))
	ac.CallingAETitle, _ = ParseAETitle(string(fixed[18:34]))

	var seen [256]bool
	for c.left() > 0 {
		kind, sub, err := c.item()
		if err != nil {
			return nil, err
		}
		if err := ac.decodeItem(kind, sub, &seen, lim); err != nil {
			return nil, err
		}
	}
	return ac, nil
}

func (ac *AssociateAC) decodeItem(kind uint8, sub *cursor, seen *[256]bool, lim Limits) (err error) {
	switch kind {
	case itemApplicationContext:
		if ac.ApplicationContext != "" {
			return sub.err(Repeated, "PS3.8 9.3.3", "second application context")
		}
		ac.ApplicationContext, err = sub.uid(sub.rest(), "PS3.8 9.3.3.1")
	case itemAcceptedContext:
		if len(ac.Contexts) >= lim.Contexts {
			return sub.err(BeyondLimits, "PS3.8 9.3.3.2", "too many presentation contexts")
		}
		var pc AcceptedContext
		if pc, err = decodeAcceptedContext(sub); err != nil {
			return err
		}

		if seen[pc.ID] {
			return sub.err(Repeated, "PS3.8 9.3.3.2", "presentation context identifier used twice")
		}
		seen[pc.ID] = true
		ac.Contexts = append(ac.Contexts, pc)
	case itemUserInformation:
		if seen[0] {
			return sub.err(Repeated, "PS3.8 9.3.3", "second user information")
		}
		seen[0] = true
		ac.User, err = decodeUserInformation(sub, lim)
	}
	return err
}

func decodeAcceptedContext(c *cursor) (AcceptedContext, error) {
	var pc AcceptedContext
	fixed, err := c.take(4)
	if err != nil {
		return pc, err
	}

	pc.ID = fixed[0]
	pc.Result = ContextResult(fixed[2])
	if pc.ID%2 == 0 {
		return pc, c.err(InvalidValue, "PS3.8 9.3.3.2", "presentation context identifier is not odd")
	}

	if pc.Result >= contextResultOutsideOfStandard {
		return pc, c.err(InvalidValue, "PS3.8 9.3.3.2", "unknown result")
	}

	for c.left() > 0 {
		kind, sub, err := c.item()
		if err != nil {
			return pc, err
		}

		if kind != itemTransferSyntax || pc.Result != Acceptance {
			continue // not significant when not accepted
		}
		if pc.TransferSyntax != "" {
			return pc, sub.err(Repeated, "PS3.8 9.3.3.2", "second transfer syntax")
		}
		if pc.TransferSyntax, err = sub.uid(sub.rest(), "PS3.8 9.3.3.2.1"); err != nil {
			return pc, err
		}
	}

	if pc.Result == Acceptance && pc.TransferSyntax == "" {
		return pc, c.err(Missing, "PS3.8 9.3.3.2", "accepted without a transfer syntax")
	}
	return pc, nil
}

// AppendTo implements PDU.
func (ac *AssociateAC) AppendTo(dst []byte) ([]byte, error) {
	out, err := appendAssociateStart(dst, TypeAssociateAC, ac.ProtocolVersion, ac.CalledAETitle, ac.CallingAETitle)
	if err != nil {
		return dst, err
	}

	if out, err = appendApplicationContext(out, ac.ApplicationContext); err != nil {
		return dst, err
	}

	for _, pc := range ac.Contexts {
		// A transfer syntax is always there, significant or not: some peers
		// cannot read an item without one.
		ts := pc.TransferSyntax
		if ts == "" {
			ts = uid.ImplicitVRLittleEndian
		}

		content, err := appendItem([]byte{pc.ID, 0, byte(pc.Result), 0}, itemTransferSyntax, []byte(ts))
		if err != nil {
			return dst, err
		}
		if out, err = appendItem(out, itemAcceptedContext, content); err != nil {
			return dst, err
		}
	}

	if out, err = ac.User.appendItem(out); err != nil {
		return dst, err
	}
	return endPDU(out, len(dst)), nil
}
