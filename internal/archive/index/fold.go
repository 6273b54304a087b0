package index

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold makes text comparable without regard to case, accents and width
// (PS3.4 C.2.2.2.1 leaves it to the SCP for names): compatibility
// decomposition, marks dropped, case folded, composed again so that ? stands
// for one Hangul syllable. The voiced sound marks of Japanese stay: they make
// another letter, not an accent.
func Fold(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	s = norm.NFKD.String(s)
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) && r != '\u3099' && r != '\u309A' {
			return -1
		}
		return r
	}, s)
	return norm.NFC.String(cases.Fold().String(s))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// NameGroups is the component groups of a person name, folded, without empty
// components at the end (PS3.5 6.2.1). Empty groups are left out.
func NameGroups(name string) []string {
	var out []string
	for i, group := range strings.SplitN(name, "=", 4) {
		if i == 3 {
			break
		}

		parts := strings.Split(group, "^")
		for j := range parts {
			parts[j] = strings.Join(strings.Fields(parts[j]), " ")
		}

		if g := strings.TrimRight(strings.Join(parts, "^"), "^"); g != "" {
			out = append(out, Fold(g))
		}
	}
	return out
}

// maxWords bounds how many words of one name are indexed.
const maxWords = 16

// NameWords is the words of all groups, for fuzzy matching (PS3.18 8.3.4.2).
func NameWords(name string) []string {
	words := strings.FieldsFunc(strings.Join(NameGroups(name), "^"), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return words[:min(len(words), maxWords)]
}
