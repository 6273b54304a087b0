package inspect

import "bytes"

// dictionary is what counts in that of a stream (ISO 32000-1 7.3.8.2, 7.5.7). Keys
// may stand twice, and readers differ in which one they take: both count.
type dictionary struct {
	objectStream bool // by its type
	first        bool // has what a reader needs to take objects out of it
	picture      bool
	filters      int  // that stand one behind the other
	other        bool // a filter but deflate, or parameters, or a reference
}

// holdsObjects reports a stream out of which readers take objects.
func (d dictionary) holdsObjects() bool { return d.objectStream || d.first }

// understood reports data that are plain, or deflated once and no more.
func (d dictionary) understood() bool { return d.filters <= 1 && !d.other }

// readDictionary reads the dictionary of an object from at most so many bytes; n is
// how many it read, whole says that the dictionary ended among them. An object of
// another kind has an empty one.
func readDictionary(b []byte, most int64) (d dictionary, n int, whole bool) {
	b = b[:min(int64(len(b)), max(most, 0))]
	t := tokens{b: b}
	if string(t.next()) != "<<" {
		return d, t.at, true
	}

	in := []byte{'<'} // the brackets that are open
	for key := ""; ; {
		tok := t.next()
		switch string(tok) {
		case "":
			return d, t.at, false
		case "<<", "[":
			in = append(in, tok[0])
			if len(in) > nestedMost {
				return d, t.at, false
			}
			continue
		case ">>", "]":
			// One that closes nothing is stepped over, as readers do.
			opened := in[len(in)-1]
			if opened == '<' && tok[0] != '>' || opened == '[' && tok[0] != ']' {
				continue
			}

			in = in[:len(in)-1]
			if len(in) == 0 {
				return d, t.at, true
			}
			if len(in) == 1 {
				key = ""
			}
			continue
		}

		key = d.token(key, tok, &t, len(in) == 1)
	}
}

// nestedMost is how deep arrays and dictionaries stand in one another.
const nestedMost = 100

// token notes a token in the dictionary itself or nested in the value of a key. It
// gives the key to which the next token belongs.
func (d *dictionary) token(key string, tok []byte, t *tokens, own bool) string {
	if tok[0] != '/' { // a number, a string, or part of a reference
		d.value(key, string(tok[:min(len(tok), 8)]), own)
		if own && t.nextIsName() {
			return ""
		}
		return key
	}

	var buffer [longestName]byte
	name := string(readName(tok[1:], buffer[:0]))

	switch {
	case own && key == "":
		d.key(name)
		return name
	case own:
		d.value(key, name, own)
		return ""
	}

	d.value(key, name, own)
	if name == "Predictor" && (key == "DecodeParms" || key == "DP") {
		at := *t
		d.other = d.other || string(at.next()) != "1" || !at.nextIsName()
	}

	return key
}

// key notes a key of the dictionary itself.
func (d *dictionary) key(name string) {
	switch name {
	case "First":
		d.first = true
	case "F", "FFilter", "FDecodeParms": // the data are in another file
		d.other = true
	}
}

// value notes what belongs to a key: a name, or another kind of token. A reference
// ends with R.
func (d *dictionary) value(key, v string, own bool) {
	switch key {
	case "Type":
		d.objectStream = d.objectStream || v == "ObjStm" || v == "R"
	case "Subtype":
		d.picture = d.picture || v == "Image" && own
	case "Filter":
		switch v {
		case "null":
		case "FlateDecode", "Fl":
			d.filters++
		default: // another filter, or a reference to one
			d.filters++
			d.other = true
		}
	case "DecodeParms", "DP":
		d.other = d.other || v == "R"
	}
}

// tokens reads the tokens of a document (ISO 32000-1 7.2). Strings are one token,
// whose first byte is their bracket.
type tokens struct {
	b  []byte
	at int
}

// skipBlanks is how many bytes of white space and comments come first.
func skipBlanks(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case ' ', '\t', '\r', '\n', '\f', 0:
		case '%':
			end := bytes.IndexAny(b[i:], "\r\n")
			if end < 0 {
				return len(b)
			}
			i += end
		default:
			return i
		}
	}
	return len(b)
}

// nextIsName reports that a name or the end of the dictionary comes next.
func (t *tokens) nextIsName() bool {
	at := *t
	tok := at.next()
	return len(tok) == 0 || tok[0] == '/' || string(tok) == ">>"
}

// next is the next token; empty at the end.
func (t *tokens) next() []byte {
	t.at += skipBlanks(t.b[t.at:])
	rest := t.b[t.at:]
	if len(rest) == 0 {
		return nil
	}

	n := 1
	switch c := rest[0]; {
	case bytes.HasPrefix(rest, []byte("<<")), bytes.HasPrefix(rest, []byte(">>")):
		n = 2
	case c == '(':
		n = literal(rest)
	case c == '<':
		n = bytes.IndexByte(rest, '>') + 1
		if n == 0 {
			n = len(rest)
		}
	case c == '/' || !delimiter(c):
		for n < len(rest) && !delimiter(rest[n]) {
			n++
		}
	}

	t.at += n
	return rest[:n]
}

// literal is the length of a string in parentheses, which may stand in one another
// (ISO 32000-1 7.3.4.2).
func literal(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}
