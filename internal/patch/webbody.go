package patch

import (
	"bytes"
	"fmt"
	"strings"
)

// inParts looks for marks with which the content of a part begins, behind an empty line
// (RFC 2046 5.1), wherever two pieces meet.
func inParts(r WebRequest, marks []string, why string) func([]byte) string {
	if !strings.HasPrefix(r.ContentType, "multipart/") {
		return nil
	}
	var list [][]byte
	longest := 0
	for _, mark := range marks {
		for _, line := range []string{"\r\n\r\n", "\n\n"} {
			list = append(list, []byte(line+mark))
			longest = max(longest, len(line+mark))
		}
	}
	has := func(text []byte) bool {
		for _, mark := range list {
			if bytes.Contains(text, mark) {
				return true
			}
		}
		return false
	}

	var last []byte // the end of what came before
	return func(piece []byte) string {
		seam := append(bytes.Clone(last), piece[:min(longest, len(piece))]...)
		if has(seam) || has(piece) {
			return why
		}
		last = append(last, piece[max(0, len(piece)-longest):]...)
		last = bytes.Clone(last[max(0, len(last)-longest):])
		return ""
	}
}

// levelsMost is how deep JSON may be nested.
const levelsMost = 64

// nestedJSON looks at a body that may be JSON, whatever it is called: at its brackets, and not at
// whether they match. It knows the comments and strings of lenient parsers; the others stop there.
func nestedJSON(WebRequest) func([]byte) string {
	j := &jsonText{}
	return func(piece []byte) string {
		for _, c := range piece {
			if j.no {
				return ""
			}
			if j.take(c); j.depth > levelsMost {
				return fmt.Sprintf("its body is JSON of more than %d levels", levelsMost)
			}
		}
		return ""
	}
}

// jsonText is where in a text of JSON one is.
type jsonText struct {
	begun   bool
	no      bool // it is none
	depth   int
	in      byte // the quote of a string, or / and * in a comment of a line and of a block; 0: in none
	before  byte // where it says something of the next character
	skipped bool // the next character of a string means nothing
}

// take takes the next character.
func (j *jsonText) take(c byte) {
	before := j.before
	j.before = 0
	switch {
	case !j.begun && !j.begin(c):
	case j.in == '"' || j.in == '\'':
		j.inString(c)
	case j.in != 0:
		j.inComment(before, c)
	case before == '/' && (c == '/' || c == '*'):
		j.in = c
	default:
		j.outside(c)
	}
}

// outside takes one that stands in no string and in no comment.
func (j *jsonText) outside(c byte) {
	switch c {
	case '"', '\'':
		j.in = c
	case '[', '{':
		j.depth++
	case ']', '}':
		j.depth--
	default:
		j.before = c
	}
}

func (j *jsonText) inComment(before, c byte) {
	switch {
	case j.in == '/' && (c == '\n' || c == '\r'), j.in == '*' && before == '*' && c == '/':
		j.in = 0
	default:
		j.before = c
	}
}

// begin reports whether a character is the first one that counts.
func (j *jsonText) begin(c byte) bool {
	switch c {
	case '[', '{', '/':
		j.begun = true
	case ' ', '\t', '\r', '\n', '\f', '\v', 0xEF, 0xBB, 0xBF: // and a byte order mark
	default:
		j.no = true
	}
	return j.begun
}

func (j *jsonText) inString(c byte) {
	switch {
	case j.skipped:
		j.skipped = false
	case c == '\\':
		j.skipped = true
	case c == j.in:
		j.in = 0
	}
}
