package hl7

import (
	"bytes"
	"slices"
	"strings"
)

// What is in this file keeps a message from being one thing to whoever judges it by its
// bytes, and another to a receiver that reads the same bytes differently.

// heads are segments that begin a message, a batch or a file.
var heads = []string{"MSH", "BHS", "FHS"}

// batched reports a segment that begins something anywhere but at the beginning, and a
// batch there. Who reads on after the first message would find another one, of which
// nobody asked whether it may come.
func batched(message []byte) bool {
	for _, name := range heads {
		at := 0
		for {
			found := bytes.Index(message[at:], []byte(name))
			if found < 0 {
				break
			}
			at += found
			if begins(message[:at]) && !(at == 0 && name == "MSH") {
				return true
			}
			at += len(name)
		}
	}
	return false
}

// otherEnds end a line for some receivers, or are nothing to them: NEL, the separators of
// lines and paragraphs, and the byte order mark, in UTF-8.
var otherEnds = []string{"\u0085", "\u2028", "\u2029", byteOrderMark}

// begins reports whether a segment may begin behind this, for the most generous receiver:
// one that takes any control character for an end, or leaves it out.
func begins(before []byte) bool {
	before = bytes.TrimRight(before, " \t")
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	return last < ' ' || last == 0x7F || slices.ContainsFunc(otherEnds, func(end string) bool {
		return bytes.HasSuffix(before, []byte(end))
	})
}

// control reports a control character that has no place in a header. With ESC, SO and SI
// a character set begins (ISO 2022) in which bytes of delimiters are parts of characters.
func control(c rune) bool { return c < ' ' && c != '\t' || c == 0x7F }

// usualSeparator is the field separator of nearly everybody, and the only one to some.
const usualSeparator = '|'

// ambiguous reports a header whose fields are others to a receiver that knows the usual
// separator alone, or reads its characters before its delimiters.
func (h *Header) ambiguous(line []byte) bool {
	if h.Separator != usualSeparator && bytes.IndexByte(line, usualSeparator) >= 0 {
		return true
	}
	return slices.ContainsFunc(strings.FieldsFunc(h.CharacterSet, h.delimiting), func(set string) bool {
		return h.hidden(line, strings.ToUpper(strings.TrimSpace(set)))
	})
}

func (h *Header) delimiting(c rune) bool {
	return c == rune(h.Separator) || strings.ContainsRune(h.Encoding, c)
}

// hidden reports a delimiter that is a part of a character in a character set of table
// 0211.
func (h *Header) hidden(line []byte, set string) bool {
	switch {
	case set == "ASCII", strings.HasPrefix(set, "8859/"), set == "UNICODE UTF-8", set == "UTF-8", set == "ISO IR14":
		return false
	case strings.HasPrefix(set, "GB 18030"), strings.HasPrefix(set, "BIG-5"): // two bytes, and the second may be one of ASCII
		for i := 0; i+1 < len(line); i++ {
			if line[i] < 0x80 {
				continue
			}
			i++
			if h.delimiting(rune(line[i])) {
				return true
			}
		}
		return false
	}

	// Of what is not known here a delimiter may be a part of the character before it.
	for i := 1; i < len(line); i++ {
		if line[i-1] >= 0x80 && h.delimiting(rune(line[i])) {
			return true
		}
	}
	return false
}
