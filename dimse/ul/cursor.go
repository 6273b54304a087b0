package ul

import (
	"encoding/binary"
	"slices"
	"strings"

	"collimator/dicom/uid"
)

// cursor reads a PDU front to back and never past its end.
type cursor struct {
	b    []byte
	off  int
	base int // offset of b in the PDU, for errors
	pdu  Type

	tolerated *[]string // where irregularities are noted; may be nil
}

// mostTolerated is how many irregularities of one PDU are noted.
const mostTolerated = 8

// tolerate notes what is not as the standard has it and is read all the same. The
// text holds no value of the peer.
func (c *cursor) tolerate(what string) {
	if c.tolerated == nil || len(*c.tolerated) >= mostTolerated || slices.Contains(*c.tolerated, what) {
		return
	}
	*c.tolerated = append(*c.tolerated, what)
}

func (c *cursor) err(kind ParseKind, clause, reason string) *ParseError {
	return &ParseError{PDU: c.pdu, Offset: c.base + c.off, Clause: clause, Kind: kind, Reason: reason}
}

func (c *cursor) left() int { return len(c.b) - c.off }

// take is the next n bytes; they alias the input.
func (c *cursor) take(n int) ([]byte, error) {
	if n > c.left() {
		return nil, c.err(Truncated, "PS3.8 9.3.1", "field runs past the end")
	}
	p := c.b[c.off : c.off+n : c.off+n]
	c.off += n
	return p, nil
}

func (c *cursor) u16() (uint16, error) {
	p, err := c.take(2)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(p), nil
}

// counted is a field behind its 16 bit length; it aliases the input.
func (c *cursor) counted() ([]byte, error) {
	n, err := c.u16()
	if err != nil {
		return nil, err
	}
	return c.take(int(n))
}

// item is the next item: its type and a cursor over its content.
func (c *cursor) item() (kind uint8, sub *cursor, err error) {
	p, err := c.take(4)
	if err != nil {
		return 0, nil, err
	}

	base := c.base + c.off
	content, err := c.take(int(binary.BigEndian.Uint16(p[2:])))
	if err != nil {
		return 0, nil, err
	}
	return p[0], &cursor{b: content, base: base, pdu: c.pdu, tolerated: c.tolerated}, nil
}

// fixed demands exactly n bytes.
func (c *cursor) fixed(n int) error {
	if len(c.b) != n {
		return c.err(InvalidLength, "PS3.8 9.3.1", "unexpected length")
	}
	return nil
}

// rest is everything that is left; it aliases the input.
func (c *cursor) rest() []byte {
	p := c.b[c.off:]
	c.off = len(c.b)
	return p
}

// uid checks p as a UID of PS3.5 9.1 (leading zeros tolerated, padding cut).
func (c *cursor) uid(p []byte, clause string) (string, error) {
	s := strings.TrimRight(string(p), "\x00 ")
	if !uid.Tolerable(s) {
		return "", c.err(InvalidValue, clause, "not a UID")
	}
	return s, nil
}

// proposedUID is uid of a presentation context: an invalid UID becomes empty, and is noted.
// It concerns that context alone, which nobody can accept then (PS3.8 9.3.3.2).
func (c *cursor) proposedUID(p []byte, what string) string {
	s, err := c.uid(p, "")
	if err != nil {
		c.tolerate(what + " of a presentation context is not a UID")
		return ""
	}
	return s
}

// label reads p as at most most characters of printable ISO 646, padding cut: more
// is cut off, and other bytes become question marks. It is decoration, for the log.
func (c *cursor) label(p []byte, most int, what string) string {
	s := strings.TrimRight(string(p), "\x00 ")
	if len(s) > most {
		c.tolerate(what + " is too long")
		s = strings.TrimRight(s[:most], " ")
	}

	if printable(s) {
		return s
	}

	c.tolerate(what + " has bytes that are not printable")
	clean := []byte(s)
	for i, b := range clean {
		if b < 0x20 || b > 0x7E {
			clean[i] = '?'
		}
	}
	return string(clean)
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return true
}
