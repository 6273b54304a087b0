package ul

import (
	"fmt"

	"collimator/dicom/uid"
)

// ProposedContext is a presentation context of a request (PS3.8 9.3.2.2).
type ProposedContext struct {
	// ID is odd, 1 to 255.
	ID uint8
	// AbstractSyntax, and each transfer syntax, is empty in a request of a peer that
	// names an invalid UID: the context cannot be accepted then.
	AbstractSyntax   string
	TransferSyntaxes []string
}

// AssociateRQ asks for an association (PS3.8 9.3.2).
type AssociateRQ struct {
	// ProtocolVersion is a bit field; bit 0 is version 1. 0 encodes as 1.
	ProtocolVersion uint16
	// CalledAETitle and CallingAETitle, trimmed.
	CalledAETitle  string
	CallingAETitle string
	// ApplicationContext is the DICOM application context when empty.
	ApplicationContext string
	Contexts           []ProposedContext
	User               UserInformation
	// Tolerated names what was not as the standard has it and was read all the same,
	// at most 8 texts without values of the peer. Of a decoded request only.
	Tolerated []string
}

// DICOMApplicationContext is the one application context name of PS3.7 A.2.1.
const DICOMApplicationContext = uid.ApplicationContext

// Type implements PDU.
func (*AssociateRQ) Type() Type { return TypeAssociateRQ }

// DecodeAssociateRQ decodes the part of an A-ASSOCIATE-RQ after its header.
func DecodeAssociateRQ(body []byte, lim Limits) (*AssociateRQ, error) {
	return decodeAssociateRQ(&cursor{b: body, pdu: TypeAssociateRQ, base: HeaderLength}, lim.withDefaults())
}

// AETitleError is the error of a request whose AE title is not valid; the rest of
// the request was not looked at. Calling tells which of the two.
type AETitleError struct {
	Calling bool
	err     error
}

// Error implements error.
func (e *AETitleError) Error() string {
	if e.Calling {
		return "ul: calling AE title: " + e.err.Error()
	}
	return "ul: called AE title: " + e.err.Error()
}

// Unwrap gives ErrAETitle.
func (e *AETitleError) Unwrap() error { return e.err }

func decodeAssociateRQ(c *cursor, lim Limits) (*AssociateRQ, error) {
	if uint64(len(c.b)) > uint64(lim.AssociatePDU) {
		return nil, c.err(BeyondLimits, "PS3.8 9.3.2", "longer than the limit")
	}

	rq := &AssociateRQ{}
	c.tolerated = &rq.Tolerated
	var err error
	if rq.ProtocolVersion, err = c.u16(); err != nil {
		return nil, err
	}

	fixed, err := c.take(2 + 16 + 16 + 32)
	if err != nil {
		return nil, err
	}

	if rq.CalledAETitle, err = c.title(fixed[2:18]); err != nil {
		return nil, &AETitleError{err: err}
	}
	if rq.CallingAETitle, err = c.title(fixed[18:34]); err != nil {
		return nil, &AETitleError{Calling: true, err: err}
	}

	var seen [256]bool
	for c.left() > 0 {
		kind, sub, err := c.item()
		if err != nil {
			return nil, err
		}
		if err := rq.decodeItem(kind, sub, &seen, lim); err != nil {
			return nil, err
		}
	}

	if rq.ApplicationContext == "" {
		return nil, c.err(Missing, "PS3.8 9.3.2.1", "no application context")
	}
	if len(rq.Contexts) == 0 {
		return nil, c.err(Missing, "PS3.8 9.3.2", "no presentation context")
	}
	return rq, nil
}

// Items of A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2, 9.3.3).
const (
	itemApplicationContext = 0x10
	itemProposedContext    = 0x20
	itemAcceptedContext    = 0x21
	itemAbstractSyntax     = 0x30
	itemTransferSyntax     = 0x40
	itemUserInformation    = 0x50
)

func (rq *AssociateRQ) decodeItem(kind uint8, sub *cursor, seen *[256]bool, lim Limits) (err error) {
	switch kind {
	case itemApplicationContext:
		if rq.ApplicationContext != "" {
			return sub.err(Repeated, "PS3.8 9.3.2", "second application context")
		}
		rq.ApplicationContext, err = sub.uid(sub.rest(), "PS3.8 9.3.2.1")
	case itemProposedContext:
		if len(rq.Contexts) >= lim.Contexts {
			return sub.err(BeyondLimits, "PS3.8 9.3.2.2", "too many presentation contexts")
		}
		var pc ProposedContext
		if pc, err = decodeProposedContext(sub, lim); err != nil {
			return err
		}

		if seen[pc.ID] {
			return sub.err(Repeated, "PS3.8 9.3.2.2", "presentation context identifier used twice")
		}
		seen[pc.ID] = true
		rq.Contexts = append(rq.Contexts, pc)
	case itemUserInformation:
		if seen[0] { // 0 is never a context identifier: here it marks the one user information item
			return sub.err(Repeated, "PS3.8 9.3.2", "second user information")
		}
		seen[0] = true
		rq.User, err = decodeUserInformation(sub, lim)
	}
	return err // other items are skipped (PS3.8 9.3.1)
}

func decodeProposedContext(c *cursor, lim Limits) (ProposedContext, error) {
	var pc ProposedContext
	named := false

	fixed, err := c.take(4)
	if err != nil {
		return pc, err
	}

	pc.ID = fixed[0]
	if pc.ID%2 == 0 {
		return pc, c.err(InvalidValue, "PS3.8 9.3.2.2", "presentation context identifier is not odd")
	}

	for c.left() > 0 {
		kind, sub, err := c.item()
		if err != nil {
			return pc, err
		}

		switch kind {
		case itemAbstractSyntax:
			if named {
				return pc, sub.err(Repeated, "PS3.8 9.3.2.2", "second abstract syntax")
			}
			named = true
			pc.AbstractSyntax = sub.proposedUID(sub.rest(), "abstract syntax")
		case itemTransferSyntax:
			if len(pc.TransferSyntaxes) >= lim.TransferSyntaxes {
				return pc, sub.err(BeyondLimits, "PS3.8 9.3.2.2", "too many transfer syntaxes")
			}
			pc.TransferSyntaxes = append(pc.TransferSyntaxes, sub.proposedUID(sub.rest(), "transfer syntax"))
		}
	}

	if !named || len(pc.TransferSyntaxes) == 0 {
		return pc, c.err(Missing, "PS3.8 9.3.2.2", "presentation context without abstract or transfer syntax")
	}
	return pc, nil
}

// AppendTo implements PDU.
func (rq *AssociateRQ) AppendTo(dst []byte) ([]byte, error) {
	out, err := appendAssociateStart(dst, TypeAssociateRQ, rq.ProtocolVersion, rq.CalledAETitle, rq.CallingAETitle)
	if err != nil {
		return dst, err
	}

	if out, err = appendApplicationContext(out, rq.ApplicationContext); err != nil {
		return dst, err
	}

	if len(rq.Contexts) > 128 {
		return dst, fmt.Errorf("ul: %d presentation contexts do not fit one association", len(rq.Contexts))
	}

	for _, pc := range rq.Contexts {
		content := []byte{pc.ID, 0, 0, 0}
		if content, err = appendItem(content, itemAbstractSyntax, []byte(pc.AbstractSyntax)); err != nil {
			return dst, err
		}

		for _, ts := range pc.TransferSyntaxes {
			if content, err = appendItem(content, itemTransferSyntax, []byte(ts)); err != nil {
				return dst, err
			}
		}

		if out, err = appendItem(out, itemProposedContext, content); err != nil {
			return dst, err
		}
	}

	if out, err = rq.User.appendItem(out); err != nil {
		return dst, err
	}
	return endPDU(out, len(dst)), nil
}

// appendAssociateStart appends what A-ASSOCIATE-RQ and -AC have in common.
func appendAssociateStart(dst []byte, t Type, version uint16, called, calling string) ([]byte, error) {
	out := appendHeader(dst, t)
	if version == 0 {
		version = 1
	}

	out = append(out, byte(version>>8), byte(version), 0, 0)
	out, err := appendAETitle(out, called)
	if err != nil {
		return dst, err
	}

	if out, err = appendAETitle(out, calling); err != nil {
		return dst, err
	}
	return append(out, make([]byte, 32)...), nil
}

func appendApplicationContext(dst []byte, name string) ([]byte, error) {
	if name == "" {
		name = DICOMApplicationContext
	}
	return appendItem(dst, itemApplicationContext, []byte(name))
}
