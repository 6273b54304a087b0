// Package ul holds the DICOM upper layer protocol of PS3.8 as values: the seven
// protocol data units with every user information item of PS3.7 D.3, and the
// state machine of PS3.8 9.2. It knows no sockets and no clock: bytes are
// decoded into values, events go in and effects come out. Package dimse drives
// it over a connection; a scanner or a capture decoder can use it alone.
//
// Decoders never allocate from a length field, check every bound, and hold to
// Limits. What they return may alias the input where a field says so.
package ul

import (
	"encoding/binary"
	"fmt"
)

// Type is the PDU type of PS3.8 9.3.1.
type Type uint8

// PDU types (PS3.8 9.3).
const (
	TypeAssociateRQ Type = 0x01
	TypeAssociateAC Type = 0x02
	TypeAssociateRJ Type = 0x03
	TypePDataTF     Type = 0x04
	TypeReleaseRQ   Type = 0x05
	TypeReleaseRP   Type = 0x06
	TypeAbort       Type = 0x07
)

// String is the name of the PDU in the standard.
func (t Type) String() string {
	switch t {
	case TypeAssociateRQ:
		return "A-ASSOCIATE-RQ"
	case TypeAssociateAC:
		return "A-ASSOCIATE-AC"
	case TypeAssociateRJ:
		return "A-ASSOCIATE-RJ"
	case TypePDataTF:
		return "P-DATA-TF"
	case TypeReleaseRQ:
		return "A-RELEASE-RQ"
	case TypeReleaseRP:
		return "A-RELEASE-RP"
	case TypeAbort:
		return "A-ABORT"
	}
	return fmt.Sprintf("PDU %02XH", uint8(t))
}

// HeaderLength is the number of bytes before the variable part of a PDU (PS3.8 9.3.1).
const HeaderLength = 6

// Header is the start of every PDU: its type and the length of what follows, in bytes.
type Header struct {
	Type   Type
	Length uint32
}

// PDU is one protocol data unit.
type PDU interface {
	// Type tells which of the seven it is.
	Type() Type
	// AppendTo appends the encoded PDU with its header. It returns dst
	// unchanged and an error when a field does not fit its encoding.
	AppendTo(dst []byte) ([]byte, error)
}

// ParseHeader decodes the first six bytes of a PDU. It fails with *ParseError when
// there are fewer, when the type is unknown, when a PDU of fixed length has another
// one, or when the length is more than the limits allow.
func ParseHeader(b []byte, lim Limits) (Header, error) {
	if len(b) < HeaderLength {
		return Header{}, &ParseError{Clause: "PS3.8 9.3.1", Kind: Truncated, Reason: "header cut short", Offset: len(b)}
	}

	h := Header{Type: Type(b[0]), Length: binary.BigEndian.Uint32(b[2:6])}
	lim = lim.withDefaults()

	var most uint32
	switch h.Type {
	case TypeAssociateRQ, TypeAssociateAC:
		most = lim.AssociatePDU
	case TypePDataTF:
		most = lim.PDataPDU
	case TypeAssociateRJ, TypeReleaseRQ, TypeReleaseRP, TypeAbort:
		if h.Length != 4 {
			return h, headerError(h.Type, 2, InvalidLength, "length is not 4")
		}
		return h, nil
	default:
		return h, headerError(h.Type, 0, UnknownType, "unknown PDU type")
	}

	if h.Length > most {
		return h, headerError(h.Type, 2, BeyondLimits, "longer than the limit")
	}
	return h, nil
}

// headerError is an error in the header of a PDU, at an offset in bytes.
func headerError(t Type, offset int, kind ParseKind, reason string) *ParseError {
	return &ParseError{PDU: t, Offset: offset, Clause: "PS3.8 9.3.1", Kind: kind, Reason: reason}
}

// Decode decodes one complete PDU, header included; bytes after it are an error.
// A *PDataTF aliases b.
func Decode(b []byte, lim Limits) (PDU, error) {
	h, err := ParseHeader(b, lim)
	if err != nil {
		return nil, err
	}
	if uint64(len(b)-HeaderLength) != uint64(h.Length) {
		return nil, headerError(h.Type, 2, InvalidLength, "length differs from what is there")
	}
	return DecodeBody(h.Type, b[HeaderLength:], lim)
}

// DecodeBody decodes the part of a PDU after its header. A *PDataTF aliases body.
func DecodeBody(t Type, body []byte, lim Limits) (PDU, error) {
	c := &cursor{b: body, pdu: t, base: HeaderLength}
	switch t {
	case TypeAssociateRQ:
		return decodeAssociateRQ(c, lim.withDefaults())
	case TypeAssociateAC:
		return decodeAssociateAC(c, lim.withDefaults())
	case TypeAssociateRJ:
		return decodeAssociateRJ(c)
	case TypePDataTF:
		return decodePDataTF(c)
	case TypeReleaseRQ:
		return ReleaseRQ{}, c.fixed(4)
	case TypeReleaseRP:
		return ReleaseRP{}, c.fixed(4)
	case TypeAbort:
		return decodeAbort(c)
	}
	return nil, headerError(t, 0, UnknownType, "unknown PDU type")
}

// appendHeader starts a PDU; endPDU fills in its length.
func appendHeader(dst []byte, t Type) []byte {
	return append(dst, byte(t), 0, 0, 0, 0, 0)
}

// endPDU writes the length of the PDU that starts at start.
func endPDU(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start+2:], uint32(len(dst)-start-HeaderLength))
	return dst
}

// appendItem appends an item header and content with a 16 bit length.
func appendItem(dst []byte, kind byte, content ...[]byte) ([]byte, error) {
	n := 0
	for _, p := range content {
		n += len(p)
	}

	if n > 0xFFFF {
		return dst, fmt.Errorf("ul: item %02XH of %d bytes does not fit its 16 bit length", kind, n)
	}

	dst = append(dst, kind, 0, byte(n>>8), byte(n))
	for _, p := range content {
		dst = append(dst, p...)
	}
	return dst, nil
}

// counted is b behind its 16 bit length.
func counted(b []byte) ([]byte, error) {
	if len(b) > 0xFFFF {
		return nil, fmt.Errorf("ul: field of %d bytes does not fit its 16 bit length", len(b))
	}
	return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...), nil
}
