package dicom

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// several reports a text VR that can hold several values (PS3.5 6.2).
func several(vr VR) bool {
	switch vr {
	case LT, ST, UT, UR:
		return false
	}
	return true
}

// trimmed takes the padding off a value: spaces at the end, in VRs of one line
// also in front, and the NUL that some writers use for both (PS3.5 6.2).
func trimmed(vr VR, s string) string {
	s = strings.TrimRight(s, " \x00")
	if vr != LT && vr != ST && vr != UT && vr != UC && vr != UR {
		s = strings.TrimLeft(s, " \x00")
	}
	return s
}

// decode is the values of a text VR in UTF-8 without padding.
func (c *charset) decode(vr VR, raw []byte) []string {
	if !vr.CharacterSet() && vr != UN {
		c = defaultCharset
	}

	s, cuts := c.unicode(vr, raw)
	if len(cuts) == 0 {
		if s = trimmed(vr, s); s == "" {
			return nil
		}
		return []string{s}
	}

	out := make([]string, 0, len(cuts)+1)
	start := 0
	for _, cut := range cuts {
		out = append(out, trimmed(vr, s[start:cut]))
		start = cut + 1
	}
	return append(out, trimmed(vr, s[start:]))
}

// unicode is a value in UTF-8 and where in it backslashes part values.
func (c *charset) unicode(vr VR, raw []byte) (s string, cuts []int) {
	switch {
	case c.plainASCII(raw):
		s = string(raw)
	case c.whole != nil:
		s = c.wholeText(raw)
	default:
		d := &unescaper{c: c, vr: vr}
		d.run(raw)
		return d.out.String(), d.cuts
	}

	if several(vr) {
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' {
				cuts = append(cuts, i)
			}
		}
	}
	return s, cuts
}

// wholeText decodes a set without code extension. The backslash in the second
// byte of a GBK character goes with the character.
func (c *charset) wholeText(raw []byte) string {
	if utf8.Valid(raw) && c.utf8() {
		return string(raw)
	}
	out, err := c.whole.NewDecoder().Bytes(raw)
	if err != nil {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	return string(out)
}

func (c *charset) utf8() bool { return len(c.terms) > 0 && c.terms[0] == "ISO_IR 192" }

// unescaper follows code extensions (PS3.5 6.1.2.5).
type unescaper struct {
	c      *charset
	vr     VR
	g0, g1 *repertoire
	out    strings.Builder
	cuts   []int
	tables map[*repertoire]*encoding.Decoder
}

// reset makes the sets of the start of a value active again (PS3.5 6.1.2.5.3).
func (d *unescaper) reset() { d.g0, d.g1 = d.c.g0, d.c.g1 }

func (d *unescaper) run(raw []byte) {
	d.reset()
	for len(raw) > 0 {
		raw = raw[d.step(raw):]
	}
}

// step decodes one character or escape sequence and says how long it was.
func (d *unescaper) step(b []byte) int {
	switch {
	case b[0] == 0x1B:
		return d.escape(b)
	case b[0] < 0x20 || b[0] == 0x7F:
		d.reset()
		d.out.WriteByte(b[0])
		return 1
	case b[0] >= 0x80:
		return d.character(d.g1, b)
	case d.g0.double && b[0] != ' ':
		return d.character(d.g0, b)
	}
	return d.left(b[0])
}

// left writes a character of a single-byte set in G0.
func (d *unescaper) left(b byte) int {
	switch {
	case b == '\\' && several(d.vr):
		d.cuts = append(d.cuts, d.out.Len())
		d.out.WriteByte(b)
		d.reset()
		return 1
	case d.vr == PN && (b == '^' || b == '='):
		d.out.WriteByte(b)
		d.reset()
		return 1
	case d.g0 == romaji && b == '\\':
		d.out.WriteRune('¥')
	case d.g0 == romaji && b == '~':
		d.out.WriteRune('‾')
	default:
		d.out.WriteByte(b)
	}
	return 1
}

// escape designates a set; an unknown sequence leaves U+FFFD.
func (d *unescaper) escape(b []byte) int {
	for _, r := range repertoires {
		if strings.HasPrefix(string(b[1:min(len(b), 4)]), r.escape) {
			if r.right {
				d.g1 = r
			} else {
				d.g0 = r
			}
			return 1 + len(r.escape)
		}
	}

	if strings.HasPrefix(string(b[1:min(len(b), 3)]), "$@") { // JIS C 6226-1978, before JIS X 0208
		d.g0 = jis0208
		return 3
	}

	d.out.WriteRune(utf8.RuneError)
	return 1
}

// character writes a character of r, which may be nil.
func (d *unescaper) character(r *repertoire, b []byte) int {
	switch {
	case r == nil:
		d.out.WriteRune(utf8.RuneError)
		return 1
	case r == katakana:
		if b[0] < 0xA1 || b[0] > 0xDF {
			d.out.WriteRune(utf8.RuneError)
		} else {
			d.out.WriteRune(0xFF61 + rune(b[0]-0xA1))
		}
		return 1
	case !r.double:
		d.out.WriteRune(r.page.DecodeByte(b[0]))
		return 1
	case len(b) < 2 || b[0]&0x7F < 0x21 || b[1]&0x7F < 0x21 || b[0]&0x80 != b[1]&0x80:
		d.out.WriteRune(utf8.RuneError)
		return 1
	}

	d.double(r, b)
	return 2
}

// double writes a character of two bytes by way of its EUC form.
func (d *unescaper) double(r *repertoire, b []byte) {
	euc := []byte{b[0] | 0x80, b[1] | 0x80}
	if r.prefix != 0 {
		euc = []byte{r.prefix, euc[0], euc[1]}
	}

	dec := d.tables[r]
	if dec == nil {
		if d.tables == nil {
			d.tables = map[*repertoire]*encoding.Decoder{}
		}
		dec = r.table.NewDecoder()
		d.tables[r] = dec
	}

	var buf [8]byte
	n, _, err := dec.Transform(buf[:], euc, true)
	if ch, size := utf8.DecodeRune(buf[:n]); err == nil && size == n {
		d.out.WriteRune(ch)
		return
	}

	d.out.WriteRune(utf8.RuneError)
}
