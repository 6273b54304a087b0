package advisory

import (
	"cmp"
	"strings"
)

// Version is a version in the style of any vendor, cut into numbers and words:
// "V5.0 SP2" is 5, 0, SP, 2. The zero value stands for no version.
type Version struct {
	text  string
	parts []part
	// written are the parts with the zeros at the end, which say how exact it is.
	written []part
	// wild: the last parts are left open, as in 14.x or 12.2.x.x.
	wild bool
}

// part is a number, kept as digits without leading zeros, or a word in lower case.
type part struct {
	word   string
	digits string
}

// Bounds of what is read as a version: bytes, and parts.
const (
	maxVersionText  = 200
	maxVersionParts = 24
)

// ParseVersion cuts a version into parts. Everything else than letters and
// digits separates; words that only say "version" are left out. What is longer
// than the bounds is cut off.
func ParseVersion(s string) Version {
	s = strings.TrimSpace(s)
	if len(s) > maxVersionText {
		s = s[:maxVersionText]
	}
	v := Version{text: s}

	fields := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !isLetter(r) && !isDigit(r) && r != '*' })
	for _, f := range fields {
		if f == "x" || f == "*" || f == "xx" {
			v.wild = len(v.parts) > 0
			continue
		}

		if v.wild || len(v.parts) >= maxVersionParts {
			break
		}

		v.add(f)
	}

	v.written = v.parts
	v.trim()
	return v
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 0x80 }
func isDigit(r rune) bool  { return r >= '0' && r <= '9' }

// add cuts a field where letters and digits meet.
func (v *Version) add(field string) {
	for field != "" && len(v.parts) < maxVersionParts {
		n := 0
		digits := isDigit(rune(field[0]))
		for n < len(field) && isDigit(rune(field[n])) == digits {
			n++
		}

		run := field[:n]
		field = field[n:]

		switch {
		case digits:
			v.parts = append(v.parts, part{digits: strings.TrimLeft(run, "0")})
		case run == "build", run == "bld", run == "rev", run == "version", run == "ver", run == "release", run == "rel",
			run == "v" && len(v.parts) == 0, run == "r" && len(v.parts) == 0 && field != "": // a word for version, not a part of it
		case strings.Trim(run, "x*") == "" && field == "" && len(v.parts) > 0:
			v.wild = true
		default:
			v.parts = append(v.parts, part{word: strings.Trim(run, "*")})
		}
	}
}

// trim drops zeros that end the version or a row of numbers: 5.0.0 is 5.0.
func (v *Version) trim() {
	if v.wild {
		return
	}

	var out []part
	for i, p := range v.parts {
		if p.word == "" && p.digits == "" && i > 0 && zerosUntilWord(v.parts[i:]) {
			continue
		}
		out = append(out, p)
	}

	v.parts = out
}

func zerosUntilWord(parts []part) bool {
	for _, p := range parts {
		if p.word != "" {
			return true
		}
		if p.digits != "" {
			return false
		}
	}
	return true
}

// String is the version as it was written.
func (v Version) String() string { return v.text }

// Known reports whether anything of the version was understood.
func (v Version) Known() bool { return len(v.parts) > 0 }

// Compare orders versions: -1, 0 or +1. It is a total order in which numbers
// count as numbers, missing parts as zero, alpha, beta and rc come before the
// release and service packs after it.
func (v Version) Compare(w Version) int {
	for i := range max(len(v.parts), len(w.parts)) {
		if c := comparePart(at(v.parts, i), at(w.parts, i)); c != 0 {
			return c
		}
	}
	return 0
}

func at(parts []part, i int) *part {
	if i < len(parts) {
		return &parts[i]
	}
	return nil
}

func comparePart(a, b *part) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 || a == nil {
		return c
	}
	if a.word != "" {
		return strings.Compare(a.word, b.word)
	}

	if c := cmp.Compare(len(a.digits), len(b.digits)); c != 0 {
		return c
	}
	return strings.Compare(a.digits, b.digits)
}

// rank orders what may stand at one place: before the release, nothing, a word, a number.
func rank(p *part) int {
	switch {
	case p == nil:
		return 1
	case p.word == "":
		return 3
	}

	switch p.word {
	case "alpha", "beta", "rc", "pre", "preview", "dev", "snapshot", "a":
		return 0
	}
	return 2
}

// alike reports whether two versions count in the same way, so that which is
// the older can be told: words at the same places are the same words.
func (v Version) alike(w Version) bool {
	for i := range min(len(v.parts), len(w.parts)) {
		a, b := v.parts[i], w.parts[i]
		if (a.word == "") != (b.word == "") {
			return false
		}
		if a.word != b.word && rank(&a) != 0 && rank(&b) != 0 {
			return false
		}
		if a.word == "" && comparePart(&a, &b) != 0 {
			return true // decided before the words behind are reached
		}
	}
	return true
}

// shortOf reports whether v says less than w: 12.2 may be any of 12.2.8.410.
func (v Version) shortOf(w Version) bool {
	if len(v.written) >= len(w.parts) {
		return false
	}
	for i, p := range v.written {
		if comparePart(&p, &w.parts[i]) != 0 {
			return false
		}
	}
	return true
}

// under reports whether v begins as w does, for a w that leaves its end open.
func (v Version) under(w Version) bool {
	for i := range w.parts {
		if comparePart(at(v.written, i), &w.parts[i]) != 0 {
			return false
		}
	}
	return true
}
