// Package shown makes what came from a peer fit to be shown on a terminal or in a
// log: nothing in it moves the cursor, hides or turns text.
package shown

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text keeps off the terminal what came from a peer and does something there.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if harmful(r) {
			return '?'
		}
		return r
	}, s)
}

// harmful reports what does something to a terminal, or to what people read on
// it, in place of being shown: control characters, C1 too, marks that turn or
// hide text, separators of lines.
func harmful(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// Lines is an error as it may stand on a terminal, of several lines too.
func Lines(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = Text(lines[i])
	}
	return strings.Join(lines, "\n")
}

// JSON is where JSON is written for a terminal or a program. What is harmful
// becomes an escape, which says the same to who parses it. Outside
// of texts JSON has nothing but ASCII, so that it need not be parsed here.
type JSON struct {
	w    io.Writer
	rest []byte // begins a character whose end is to come
}

// NewJSON wraps a writer. What is written must be whole JSON in the end.
func NewJSON(w io.Writer) *JSON { return &JSON{w: w} }

// Write implements io.Writer.
func (s *JSON) Write(p []byte) (int, error) {
	in := append(s.rest, p...)
	out := make([]byte, 0, len(in))
	for len(in) > 0 && (utf8.FullRune(in) || len(in) >= utf8.UTFMax) {
		r, n := utf8.DecodeRune(in)
		if r == '\n' || r == '\t' || r == '\r' || !harmful(r) {
			out = append(out, in[:n]...)
		} else {
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}

		in = in[n:]
	}

	s.rest = append([]byte(nil), in...)
	if _, err := s.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// FileName keeps of a text, such as an AE title, which may hold a slash, what is
// safe in the name of a file: ASCII letters, digits, - and _. All else is _.
func FileName(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, text)
}
