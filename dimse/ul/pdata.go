package ul

import (
	"encoding/binary"
	"fmt"
)

// PDVHeaderLength is the number of bytes of a presentation data value item before
// its fragment: length, context identifier, message control header (PS3.8 9.3.5.1, E.2).
const PDVHeaderLength = 6

// PDVHeader is the start of a presentation data value item.
type PDVHeader struct {
	ContextID uint8
	// Command is a fragment of a command set; otherwise of a data set.
	Command bool
	// Last is the last fragment of it.
	Last bool
	// Length of the fragment in bytes.
	Length uint32
}

// ParsePDVHeader decodes the first six bytes of a PDV item; left is how many bytes
// the PDU has from there. It does not allocate unless it fails.
func ParsePDVHeader(b []byte, left uint32) (PDVHeader, error) {
	h, err := parsePDVHeader(b, left)
	if err != nil {
		return h, err // a nil *ParseError would not be a nil error
	}
	return h, nil
}

// parsePDVHeader is ParsePDVHeader with the type of its error.
func parsePDVHeader(b []byte, left uint32) (PDVHeader, *ParseError) {
	if len(b) < PDVHeaderLength || left < PDVHeaderLength {
		return PDVHeader{}, pdvError(0, Truncated, "item cut short")
	}

	n := binary.BigEndian.Uint32(b)
	if n < 2 || n > left-4 {
		return PDVHeader{}, pdvError(0, InvalidLength, "item length does not fit the PDU")
	}

	if b[4]%2 == 0 {
		return PDVHeader{}, pdvError(4, InvalidValue, "presentation context identifier is not odd")
	}
	return PDVHeader{ContextID: b[4], Command: b[5]&1 != 0, Last: b[5]&2 != 0, Length: n - 2}, nil
}

// pdvError is an error at an offset in bytes from the start of the item.
func pdvError(offset int, kind ParseKind, reason string) *ParseError {
	return &ParseError{PDU: TypePDataTF, Offset: offset, Clause: "PS3.8 9.3.5.1", Kind: kind, Reason: reason}
}

// AppendPDVHeader appends the six bytes of h.
func AppendPDVHeader(dst []byte, h PDVHeader) []byte {
	dst = binary.BigEndian.AppendUint32(dst, h.Length+2)
	return append(dst, h.ContextID, h.control())
}

func (h PDVHeader) control() byte {
	var m byte
	if h.Command {
		m |= 1
	}
	if h.Last {
		m |= 2
	}
	return m
}

// PutPDataHeader writes the twelve bytes of a P-DATA-TF that carries the one item h
// into b. A sender leaves room for them in front of the fragment.
func PutPDataHeader(b []byte, h PDVHeader) {
	b[0] = byte(TypePDataTF)
	b[1] = 0
	binary.BigEndian.PutUint32(b[2:], h.Length+PDVHeaderLength)
	binary.BigEndian.PutUint32(b[6:], h.Length+2)
	b[10] = h.ContextID
	b[11] = h.control()
}

// PDV is a presentation data value: a fragment of a message (PS3.8 9.3.5.1).
type PDV struct {
	ContextID uint8
	Command   bool
	Last      bool
	// Data is the fragment; decoded, it aliases the PDU.
	Data []byte
}

// PDataTF carries one or more fragments (PS3.8 9.3.5).
type PDataTF struct {
	Values []PDV
}

// Type implements PDU.
func (*PDataTF) Type() Type { return TypePDataTF }

func decodePDataTF(c *cursor) (PDU, error) {
	p := &PDataTF{}
	for c.left() > 0 {
		h, parse := parsePDVHeader(c.b[c.off:], uint32(c.left()))
		if parse != nil {
			parse.Offset = c.base + c.off // of the item in the PDU
			return nil, parse
		}

		c.off += PDVHeaderLength

		data, err := c.take(int(h.Length))
		if err != nil {
			return nil, err
		}
		p.Values = append(p.Values, PDV{ContextID: h.ContextID, Command: h.Command, Last: h.Last, Data: data})
	}

	if len(p.Values) == 0 {
		return nil, c.err(Missing, "PS3.8 9.3.5", "no presentation data value")
	}
	return p, nil
}

// AppendTo implements PDU.
func (p *PDataTF) AppendTo(dst []byte) ([]byte, error) {
	out := appendHeader(dst, TypePDataTF)
	for _, v := range p.Values {
		if uint64(len(v.Data)) > 0xFFFFFFF0 {
			return dst, fmt.Errorf("ul: fragment of %d bytes does not fit", len(v.Data))
		}
		out = AppendPDVHeader(out, PDVHeader{ContextID: v.ContextID, Command: v.Command, Last: v.Last, Length: uint32(len(v.Data))})
		out = append(out, v.Data...)
	}
	return endPDU(out, len(dst)), nil
}
