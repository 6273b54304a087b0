package dicom

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// encode writes values of a text VR in the character set, without padding.
// ErrCharacterSet for a character that it does not have, ErrValue for a
// backslash inside one of several values.
func (c *charset) encode(vr VR, values []string) ([]byte, error) {
	if !vr.CharacterSet() {
		c = defaultCharset
	}
	if several(vr) {
		for _, v := range values {
			if strings.ContainsRune(v, '\\') {
				return nil, fmt.Errorf("%w: backslash inside a value", ErrValue)
			}
		}
	} else if len(values) > 1 {
		return nil, fmt.Errorf("%w: takes one value", ErrValue)
	}

	s := strings.Join(values, "\\")
	switch {
	case c.plainASCII([]byte(s)) && !strings.Contains(s, "\x1B"):
		return []byte(s), nil
	case !utf8.ValidString(s):
		return nil, ErrCharacterSet
	case c.utf8():
		return []byte(s), nil
	case c.whole != nil:
		return c.encodeWhole(s)
	}

	e := &escaper{c: c, vr: vr}
	return e.run(s)
}

func (c *charset) encodeWhole(s string) ([]byte, error) {
	out, err := c.whole.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return nil, ErrCharacterSet
	}
	return out, nil
}

// escaper writes with code extensions (PS3.5 6.1.2.5).
type escaper struct {
	c      *charset
	vr     VR
	g0, g1 *repertoire
	out    []byte
	tables map[*repertoire]*encoding.Encoder
}

func (e *escaper) run(s string) ([]byte, error) {
	e.g0, e.g1 = e.c.g0, e.c.g1
	for _, r := range s {
		if e.delimiter(r) {
			e.initial()
			e.out = append(e.out, byte(r))
			e.g0, e.g1 = e.c.g0, e.c.g1
			continue
		}
		if !e.rune(r) {
			return nil, ErrCharacterSet
		}
	}

	e.initial()
	return e.out, nil
}

// delimiter reports a character before which the sets of the start of the
// value have to be active (PS3.5 6.1.2.5.3).
func (e *escaper) delimiter(r rune) bool {
	switch r {
	case '\\':
		return several(e.vr)
	case '^', '=':
		return e.vr == PN
	}
	return r < 0x20
}

// initial makes the sets of the start of the value active. A G1 that was
// empty there needs no escape sequence.
func (e *escaper) initial() {
	e.designate(e.c.g0)
	if e.c.g1 != nil {
		e.designate(e.c.g1)
	}
}

func (e *escaper) designate(r *repertoire) {
	active := &e.g0
	if r.right {
		active = &e.g1
	}
	if *active != r {
		e.out = append(append(e.out, 0x1B), r.escape...)
		*active = r
	}
}

// rune writes a character in the active sets, else those of the start, else
// the others in the order in which they were declared.
func (e *escaper) rune(r rune) bool {
	if r == 0x1B || r == utf8.RuneError {
		return false
	}

	candidates := append([]*repertoire{e.g0, e.g1, e.c.g0, e.c.g1}, e.c.more...)
	if e.c.g0 != ascii && len(e.c.terms) > 1 {
		candidates = append(candidates, ascii)
	}

	for i, rep := range candidates {
		if rep == nil || slices.Contains(candidates[:i], rep) {
			continue
		}
		if b, n := e.bytes(rep, r); n > 0 {
			e.designate(rep)
			e.out = append(e.out, b[:n]...)
			return true
		}
	}
	return false
}

// bytes is a character in a set; n is 0 if it is not in it.
func (e *escaper) bytes(rep *repertoire, r rune) (b [2]byte, n int) {
	switch {
	case rep == ascii || rep == romaji:
		b[0], n = encodeLeft(rep, r)
		return b, n
	case rep == katakana:
		if r >= 0xFF61 && r <= 0xFF9F {
			return [2]byte{byte(r-0xFF61) + 0xA1}, 1
		}
		return b, 0
	case r < 0x80:
		return b, 0
	case !rep.double:
		if v, ok := rep.page.EncodeRune(r); ok && v >= 0xA0 {
			return [2]byte{v}, 1
		}
		return b, 0
	}
	return e.doubleBytes(rep, r)
}

func encodeLeft(rep *repertoire, r rune) (byte, int) {
	switch {
	case rep == romaji && r == '¥':
		return 0x5C, 1
	case rep == romaji && r == '‾':
		return 0x7E, 1
	case rep == romaji && (r == '\\' || r == '~'):
		return 0, 0
	case r < 0x80:
		return byte(r), 1
	}
	return 0, 0
}

// doubleBytes takes a character from the EUC form of a two-byte set.
func (e *escaper) doubleBytes(rep *repertoire, r rune) (b [2]byte, n int) {
	enc := e.tables[rep]
	if enc == nil {
		if e.tables == nil {
			e.tables = map[*repertoire]*encoding.Encoder{}
		}
		enc = rep.table.NewEncoder()
		e.tables[rep] = enc
	}

	var src [utf8.UTFMax]byte
	var dst [8]byte
	enc.Reset()
	n, _, err := enc.Transform(dst[:], src[:utf8.EncodeRune(src[:], r)], true)

	// A repertoire with a prefix has three bytes in EUC, the others two.
	euc := dst[:n]
	if err != nil || rep.prefix != 0 && (n != 3 || euc[0] != rep.prefix) || rep.prefix == 0 && n != 2 {
		return b, 0
	}
	if rep.prefix != 0 {
		euc = euc[1:]
	}

	if euc[0] < 0xA1 || euc[1] < 0xA1 || rep == gb2312 && euc[0] > 0xF7 {
		return b, 0
	}

	b = [2]byte{euc[0], euc[1]}
	if !rep.right {
		b[0], b[1] = b[0]&0x7F, b[1]&0x7F
	}
	return b, 2
}
