package inspect

import (
	"bytes"
	"slices"
	"strings"
)

// lookIntoMarkup looks for what does something in XML or HTML: a document type,
// which can name entities elsewhere, a style sheet, a script, a handler of an event
// (CDA needs none of them).
func lookIntoMarkup(b []byte, mime string) Kind {
	if len(b) == 0 {
		return ""
	}

	t := newText(b)
	start := strings.TrimLeft(t.head(), " \t\r\n\ufeff")

	switch {
	case strings.HasPrefix(start, "<"):
	case bytes.HasPrefix(b, []byte{0x4C, 0x6F, 0xA7, 0x94}): // "<?xm" in EBCDIC
		return SealedXML
	case !markupType(mime):
		return ""
	}

	if newMarkup().active(t) {
		return ActiveXML
	}

	if !strings.HasPrefix(start, "<") || !knownEncoding(start) {
		return SealedXML
	}
	return ""
}

// text is the bytes of a document as characters of one byte: what is beyond ASCII
// is a byte that stands for nothing (XML 1.0 Annex F).
type text struct {
	b         []byte
	unit, low int // bytes of a code unit, and which of them is the lowest
}

func newText(b []byte) *text {
	for _, e := range []struct {
		mark      string
		unit, low int
	}{
		{"\xff\xfe\x00\x00", 4, 0}, {"\x00\x00\xfe\xff", 4, 3}, {"<\x00\x00\x00", 4, 0}, {"\x00\x00\x00<", 4, 3},
		{"\xff\xfe", 2, 0}, {"\xfe\xff", 2, 1}, {"<\x00", 2, 0}, {"\x00<", 2, 1},
	} {
		if bytes.HasPrefix(b, []byte(e.mark)) {
			return &text{b: b, unit: e.unit, low: e.low}
		}
	}

	return &text{b: b, unit: 1}
}

func (t *text) len() int { return len(t.b) / t.unit }

// beyond stands for a character that is not in ASCII.
const beyond = 0x7F

func (t *text) at(i int) byte {
	if t.unit == 1 {
		return t.b[i]
	}

	unit := t.b[i*t.unit:][:t.unit]
	for k, c := range unit {
		if k != t.low && c != 0 {
			return beyond
		}
	}
	return unit[t.low]
}

// head is the first characters, in lower case.
func (t *text) head() string {
	var s strings.Builder
	for i := range min(t.len(), 1024) {
		if c := t.at(i); c != beyond || t.unit == 1 {
			s.WriteByte(c)
		}
	}
	return strings.ToLower(strings.TrimPrefix(s.String(), "\xef\xbb\xbf"))
}

// knownEncoding reports a declaration whose encoding, if it names one, writes ASCII
// as ASCII or is one of the forms of Unicode that text reads.
func knownEncoding(start string) bool {
	declaration, _, _ := strings.Cut(start, ">")
	if !strings.HasPrefix(declaration, "<?xml") {
		return true
	}

	_, value, found := strings.Cut(declaration, "encoding")
	if !found {
		return true
	}

	value = strings.TrimLeft(value, " \t\r\n=")
	if len(value) < 2 {
		return false
	}

	value, _, _ = strings.Cut(value[1:], value[:1])

	for _, known := range []string{
		"utf-8", "utf8", "utf-16", "utf-32", "ucs-2", "ucs-4", "iso-10646-ucs", "us-ascii", "ascii",
		"iso-8859-", "iso8859-", "latin", "windows-125", "cp125", "ibm8", "cp8", "mac", "x-mac",
		"x-sjis", "shift_jis", "euc-", "gb18030", "gbk", "gb2312", "big5", "koi8-", "tis-620",
	} {
		if strings.HasPrefix(value, known) {
			return true
		}
	}
	return false
}

// activeWords do something wherever they stand.
var activeWords = [...]string{"<!doctype", "<!entity", "<?xml-stylesheet", "<script", "javascript:", "vbscript:", "xlink:href=\"http", "xinclude"}

// activeElements do something, whatever prefix their namespace has.
var activeElements = [...]string{"script", "iframe", "embed", "applet"}

// words begin with "on" and are not handlers of events.
var words = [...]string{"online", "only", "once", "onset", "ongoing", "onto", "onward", "onwards", "onco", "oncology"}

// markup reads a document character by character.
type markup struct {
	window []byte // the last characters, in lower case
	tag    bool   // within a tag
	name   []byte // what is being read: the name of an element, or of an attribute
	named  namePart
}

type namePart uint8

const (
	nothing namePart = iota
	elementName
	attributeName
	attributeEnd // blanks behind the name of an attribute
)

func newMarkup() *markup { return &markup{window: make([]byte, 0, 4096)} }

// active reports the first thing that does something.
func (m *markup) active(t *text) bool {
	for i := range t.len() {
		c := t.at(i)
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}

		if m.structure(c) {
			return true
		}
		m.window = append(m.window, c)
		if len(m.window) == cap(m.window) && m.words(64) {
			return true
		}
	}
	return m.words(0)
}

// words looks for the words in the window, of which the last characters stay.
func (m *markup) words(keep int) bool {
	for _, word := range activeWords {
		if bytes.Contains(m.window, []byte(word)) {
			return true
		}
	}

	rest := m.window[len(m.window)-min(keep, len(m.window)):]
	m.window = append(m.window[:0], rest...)
	return false
}

// structure follows tags and the names in them. Quotes are not followed: readers
// differ in where they end.
func (m *markup) structure(c byte) bool {
	letter := c >= 'a' && c <= 'z' || c == ':' || c == '-' || c == '_' || c >= '0' && c <= '9'
	blank := c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'
	switch {
	case c == '<':
		m.begin(elementName)
		m.tag = true
		return false
	case !m.tag:
		return false
	case letter && (m.named == elementName || m.named == attributeName):
		if len(m.name) < 64 {
			m.name = append(m.name, c)
		}
		return false
	}

	element := m.named == elementName && activeElement(m.name)
	ended := element || c == '=' && m.named >= attributeName && handler(m.name)
	switch {
	case c == '>':
		m.tag = false
		m.named = nothing
	case blank && (m.named == attributeName || m.named == attributeEnd) && len(m.name) > 0:
		m.named = attributeEnd
	case blank || c == '"' || c == '\'' || c == '/':
		m.begin(attributeName)
	case letter: // behind blanks: another one
		m.begin(attributeName)
		m.name = append(m.name, c)
	default:
		m.named = nothing
	}
	return ended
}

func (m *markup) begin(part namePart) {
	m.named = part
	m.name = m.name[:0]
}

func activeElement(name []byte) bool {
	name = name[bytes.LastIndexByte(name, ':')+1:]
	return slices.ContainsFunc(activeElements[:], func(s string) bool { return string(name) == s })
}

// handler reports the name of an attribute that handles an event.
func handler(name []byte) bool {
	return len(name) >= 5 && bytes.HasPrefix(name, []byte("on")) && !bytes.ContainsAny(name, ":-_0123456789") &&
		!slices.ContainsFunc(words[:], func(s string) bool { return string(name) == s })
}
