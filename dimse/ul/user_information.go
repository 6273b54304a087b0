package ul

import (
	"bytes"
	"encoding/binary"
)

// DefaultMaxPDULength stands in when a peer names no maximum length; it is what most equipment uses.
const DefaultMaxPDULength = 16384

// AsyncWindow is the asynchronous operations window (PS3.7 D.3.3.3); 0 is unlimited.
type AsyncWindow struct {
	// Invoked is how many operations the requestor may have outstanding.
	Invoked uint16
	// Performed is how many the acceptor may have outstanding at the requestor.
	Performed uint16
}

// RoleSelection names the roles of the requestor for a SOP Class (PS3.7 D.3.3.4).
type RoleSelection struct {
	SOPClassUID string
	SCU, SCP    bool
}

// ExtendedNegotiation is service class application information (PS3.7 D.3.3.5).
type ExtendedNegotiation struct {
	SOPClassUID string
	// Info is as the service class defines it; see PS3.4 C.5.
	Info []byte
}

// CommonExtendedNegotiation relates a SOP Class to its service class and general classes (PS3.7 D.3.3.6).
type CommonExtendedNegotiation struct {
	SOPClassUID        string
	ServiceClassUID    string
	RelatedGeneralUIDs []string
}

// UserInformation holds the sub-items of PS3.8 D.1 and PS3.7 D.3.
type UserInformation struct {
	// MaxPDULength is the longest P-DATA-TF, in bytes after its header, the
	// sender wants to receive; 0 is unlimited (PS3.8 D.1). Decoding sets
	// DefaultMaxPDULength when the item is missing.
	MaxPDULength              uint32
	ImplementationClassUID    string
	ImplementationVersionName string
	// AsyncWindow is nil when not negotiated: one operation at a time.
	AsyncWindow    *AsyncWindow
	Roles          []RoleSelection
	Extended       []ExtendedNegotiation
	CommonExtended []CommonExtendedNegotiation
	// Identity is of a request only.
	Identity *UserIdentity
	// IdentityResponse is of an acceptance only; nil when there is none.
	IdentityResponse *UserIdentityResponse
}

// Sub-items of user information (PS3.8 D, PS3.7 D.3.3).
const (
	itemMaxLength              = 0x51
	itemImplementationClassUID = 0x52
	itemAsyncWindow            = 0x53
	itemRoleSelection          = 0x54
	itemImplementationVersion  = 0x55
	itemExtended               = 0x56
	itemCommonExtended         = 0x57
	itemUserIdentity           = 0x58
	itemUserIdentityResponse   = 0x59
)

func decodeUserInformation(c *cursor, lim Limits) (UserInformation, error) {
	u := UserInformation{MaxPDULength: DefaultMaxPDULength}
	var seen [256]bool
	for n := 0; c.left() > 0; n++ {
		if n >= lim.UserItems {
			return u, c.err(BeyondLimits, "PS3.8 9.3.2.3", "too many sub-items")
		}

		kind, sub, err := c.item()
		if err != nil {
			return u, err
		}

		switch kind {
		case itemMaxLength, itemImplementationClassUID, itemAsyncWindow, itemImplementationVersion,
			itemUserIdentity, itemUserIdentityResponse:
			if seen[kind] {
				return u, sub.err(Repeated, "PS3.7 D.3.3", "sub-item that may come once came twice")
			}
			seen[kind] = true
		}

		if err := u.decodeItem(kind, sub, lim); err != nil {
			return u, err
		}
	}
	return u, nil
}

func (u *UserInformation) decodeItem(kind uint8, c *cursor, lim Limits) (err error) {
	switch kind {
	case itemMaxLength:
		if err = c.fixed(4); err != nil {
			return err
		}
		u.MaxPDULength = binary.BigEndian.Uint32(c.b)
	case itemImplementationClassUID:
		u.ImplementationClassUID, err = c.uid(c.rest(), "PS3.7 D.3.3.2.1")
	case itemImplementationVersion:
		u.ImplementationVersionName = c.label(c.rest(), 16, "implementation version name")
	case itemAsyncWindow:
		if err = c.fixed(4); err != nil {
			return err
		}
		u.AsyncWindow = &AsyncWindow{Invoked: binary.BigEndian.Uint16(c.b), Performed: binary.BigEndian.Uint16(c.b[2:])}
	case itemRoleSelection:
		return u.decodeRole(c)
	case itemExtended:
		return u.decodeExtended(c)
	case itemCommonExtended:
		return u.decodeCommonExtended(c, lim)
	case itemUserIdentity:
		u.Identity, err = decodeUserIdentity(c, lim)
	case itemUserIdentityResponse:
		u.IdentityResponse, err = decodeUserIdentityResponse(c, lim)
	}
	return err // other sub-items are skipped (PS3.8 9.3.1)
}

func (c *cursor) countedUID(clause string) (string, error) {
	p, err := c.counted()
	if err != nil {
		return "", err
	}
	return c.uid(p, clause)
}

func (u *UserInformation) decodeRole(c *cursor) error {
	uid, err := c.countedUID("PS3.7 D.3.3.4")
	if err != nil {
		return err
	}
	p, err := c.take(2)
	if err != nil {
		return err
	}
	u.Roles = append(u.Roles, RoleSelection{SOPClassUID: uid, SCU: p[0] == 1, SCP: p[1] == 1})
	return nil
}

func (u *UserInformation) decodeExtended(c *cursor) error {
	uid, err := c.countedUID("PS3.7 D.3.3.5")
	if err != nil {
		return err
	}
	u.Extended = append(u.Extended, ExtendedNegotiation{SOPClassUID: uid, Info: bytes.Clone(c.rest())})
	return nil
}

func (u *UserInformation) decodeCommonExtended(c *cursor, lim Limits) error {
	var n CommonExtendedNegotiation
	var err error
	if n.SOPClassUID, err = c.countedUID("PS3.7 D.3.3.6"); err != nil {
		return err
	}
	if n.ServiceClassUID, err = c.countedUID("PS3.7 D.3.3.6"); err != nil {
		return err
	}

	p, err := c.counted()
	if err != nil {
		return err
	}

	sub := &cursor{b: p, base: c.base + c.off - len(p), pdu: c.pdu}
	for sub.left() > 0 {
		if len(n.RelatedGeneralUIDs) >= lim.TransferSyntaxes {
			return sub.err(BeyondLimits, "PS3.7 D.3.3.6", "too many related general SOP Classes")
		}

		uid, err := sub.countedUID("PS3.7 D.3.3.6")
		if err != nil {
			return err
		}
		n.RelatedGeneralUIDs = append(n.RelatedGeneralUIDs, uid)
	}

	u.CommonExtended = append(u.CommonExtended, n)
	return nil
}

// appendItem appends the user information item with its sub-items in ascending order.
func (u *UserInformation) appendItem(dst []byte) ([]byte, error) {
	sub, err := appendItem(nil, itemMaxLength, binary.BigEndian.AppendUint32(nil, u.MaxPDULength))
	if err != nil {
		return dst, err
	}

	if u.ImplementationClassUID != "" {
		if sub, err = appendItem(sub, itemImplementationClassUID, []byte(u.ImplementationClassUID)); err != nil {
			return dst, err
		}
	}

	if w := u.AsyncWindow; w != nil {
		content := binary.BigEndian.AppendUint16(nil, w.Invoked)
		if sub, err = appendItem(sub, itemAsyncWindow, binary.BigEndian.AppendUint16(content, w.Performed)); err != nil {
			return dst, err
		}
	}

	for _, r := range u.Roles {
		if sub, err = r.appendItem(sub); err != nil {
			return dst, err
		}
	}

	if u.ImplementationVersionName != "" {
		if sub, err = appendItem(sub, itemImplementationVersion, []byte(u.ImplementationVersionName)); err != nil {
			return dst, err
		}
	}

	if sub, err = u.appendNegotiation(sub); err != nil {
		return dst, err
	}
	return appendItem(dst, itemUserInformation, sub)
}

func (u *UserInformation) appendNegotiation(dst []byte) ([]byte, error) {
	for _, x := range u.Extended {
		id, err := counted([]byte(x.SOPClassUID))
		if err != nil {
			return dst, err
		}

		if dst, err = appendItem(dst, itemExtended, id, x.Info); err != nil {
			return dst, err
		}
	}

	for _, x := range u.CommonExtended {
		var err error
		if dst, err = x.appendItem(dst); err != nil {
			return dst, err
		}
	}

	if u.Identity != nil {
		var err error
		if dst, err = u.Identity.appendItem(dst); err != nil {
			return dst, err
		}
	}

	if u.IdentityResponse != nil {
		r, err := counted(u.IdentityResponse.ServerResponse.Reveal())
		if err != nil {
			return dst, err
		}
		return appendItem(dst, itemUserIdentityResponse, r)
	}
	return dst, nil
}

func (r RoleSelection) appendItem(dst []byte) ([]byte, error) {
	id, err := counted([]byte(r.SOPClassUID))
	if err != nil {
		return dst, err
	}
	flag := func(b bool) byte {
		if b {
			return 1
		}
		return 0
	}
	return appendItem(dst, itemRoleSelection, id, []byte{flag(r.SCU), flag(r.SCP)})
}

func (x CommonExtendedNegotiation) appendItem(dst []byte) ([]byte, error) {
	class, err := counted([]byte(x.SOPClassUID))
	if err != nil {
		return dst, err
	}

	service, err := counted([]byte(x.ServiceClassUID))
	if err != nil {
		return dst, err
	}

	var related []byte
	for _, uid := range x.RelatedGeneralUIDs {
		p, err := counted([]byte(uid))
		if err != nil {
			return dst, err
		}
		related = append(related, p...)
	}

	all, err := counted(related)
	if err != nil {
		return dst, err
	}
	return appendItem(dst, itemCommonExtended, class, service, all)
}
