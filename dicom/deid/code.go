package deid

import (
	"regexp"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// codePattern is what a value of VR CS may look like (PS3.5 6.2): capital letters,
// digits, blanks and underscores, at most 16 of them.
var codePattern = regexp.MustCompile(`^[A-Z0-9_ ]{1,16}$`)

// codeDigits is how many digits a code may have that is not a known term: with
// more of them it is a number that somebody has, or a date.
const codeDigits = 4

// codes makes an element of VR CS fit for a copy. A value stays where it is a term that
// the standard knows, or where it looks like a code: written as one must be
// written, with no more than four digits in it, and without a part of a name, an ID
// or a date of anybody in the object. A dummy takes the place of any other; the
// values beside it stay.
func (s *session) codes(el dicom.Element, vr dicom.VR) (dicom.Element, verdict) {
	loaded, err := el.Load(textLimit)
	if err != nil {
		s.report.Removed++
		return el, remove
	}
	values := loaded.Texts()
	if values == nil { // of an element whose VR is not known
		values = uidsOf(loaded)
	}

	changed := false
	for i, v := range values {
		if s.who.mayStay(strings.TrimSpace(v)) {
			continue
		}
		values[i] = dummyText
		changed = true
	}

	switch {
	case !changed:
		return el, stay
	case el.Tag == tag.SpecificCharacterSet: // without it the default repertoire counts
		s.report.Removed++
		return el, remove
	}

	s.report.Replaced++
	return dicom.NewText(el.Tag, vr, values...), change
}

// mayStay reports a code that tells nothing of anybody.
func (id *identity) mayStay(v string) bool {
	switch {
	case v == "" || term(v):
		return true
	case !codePattern.MatchString(v), digits(v) > codeDigits, id.quotesDate(v):
		return false
	}
	return !id.inCode(fold(v))
}

// inCode reports a name or an ID in a code: as a word, within a word, as one that
// was cut off, or written together.
func (id *identity) inCode(v string) bool {
	if id.short[v] {
		return true
	}

	together := strings.Join(words(v), "")
	for _, name := range id.latin {
		if len(name) >= 4 && strings.Contains(together, name) {
			return true
		}
		for _, w := range words(v) {
			if w == name || len(w) >= 4 && strings.HasPrefix(name, w) {
				return true
			}
		}
	}
	return false
}

// collectCodes prepares what codes are searched for: the words of names in the
// letters that a code has.
func (id *identity) collectCodes() {
	for w := range id.all {
		for _, letters := range []map[rune]string{twoLetters, oneLetter} {
			if latin := inLatin(w, letters); latin != "" {
				id.latin = append(id.latin, latin)
			}
		}
	}
	slices.Sort(id.latin)
	id.latin = slices.Compact(id.latin)
}

// How letters are written where there are 26 of them: as two, or without the mark.
var (
	twoLetters = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss", 'å': "aa", 'ø': "oe", 'æ': "ae", 'œ': "oe"}
	oneLetter  = map[rune]string{
		'à': "a", 'á': "a", 'â': "a", 'ã': "a", 'ä': "a", 'å': "a", 'ç': "c", 'č': "c", 'ć': "c", 'è': "e", 'é': "e", 'ê': "e", 'ë': "e", 'ě': "e", 'ì': "i",
		'í': "i", 'î': "i", 'ï': "i", 'ł': "l", 'ñ': "n", 'ń': "n", 'ò': "o", 'ó': "o", 'ô': "o", 'õ': "o", 'ö': "o", 'ø': "o", 'ř': "r", 'š': "s", 'ś': "s",
		'ß': "ss", 'ù': "u", 'ú': "u", 'û': "u", 'ü': "u", 'ů': "u", 'ý': "y", 'ÿ': "y", 'ž': "z", 'ź': "z", 'ż': "z", 'ı': "i", 'ğ': "g", 'ş': "s", 'đ': "d",
	}
)

// inLatin writes a folded word in the 26 letters; empty where it has others.
func inLatin(w string, letters map[rune]string) string {
	var b strings.Builder
	for _, r := range w {
		switch latin, known := letters[r]; {
		case r < 0x80:
			b.WriteRune(r)
		case known:
			b.WriteString(latin)
		case oneLetter[r] != "":
			b.WriteString(oneLetter[r])
		default:
			return ""
		}
	}
	return b.String()
}

// term reports a term that the standard knows, in either case.
func term(v string) bool {
	v = strings.ToUpper(v)
	return structural(v) || slices.Contains(terms[:], v) || charset.MatchString(v)
}

// charset is a defined term of Specific Character Set (PS3.3 C.12.1.1.2).
var charset = regexp.MustCompile(`^(ISO_IR [0-9]{1,3}|ISO 2022 IR [0-9]{1,3}|GB18030|GBK)$`)
