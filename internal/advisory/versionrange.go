package advisory

import (
	"fmt"
	"regexp"
	"strings"
)

// Class says how the versions of a rule are meant.
type Class string

// The classes.
const (
	All      Class = "all"      // every version
	Interval Class = "range"    // bounds
	Exact    Class = "exact"    // one version or a list
	Wildcard Class = "wildcard" // all versions of a line, such as 14.x
	Text     Class = "text"     // words that a person has to read
)

// Inside says whether a version lies in a range.
type Inside uint8

// The outcomes.
const (
	No Inside = iota
	Maybe
	Yes
)

// Range is the versions a rule is about.
type Range struct {
	Class Class
	// Text is what was written.
	Text string
	// Remark is a condition beside the versions, for a person to read.
	Remark string

	alternatives []interval
}

// interval has bounds; either may be missing. A point has both the same.
type interval struct{ low, high *bound }

type bound struct {
	op      string // one of >, >=, <, <=, =
	version Version
}

// maxConstraints bounds what one range may list.
const maxConstraints = 200

var (
	versHead    = regexp.MustCompile(`^vers:[\w.+-]*/`)
	parens      = regexp.MustCompile(`\s*\(([^)]*)\)`)
	priorWords  = regexp.MustCompile(`(?i)^(?:all )?(?:versions? )?(?:prior to|before|earlier than|older than|lower than)\s+(?:versions? )?(\S.*)$`)
	upToWords   = regexp.MustCompile(`(?i)^(?:all )?(?:versions? )?(?:up to(?: and including)?|through)\s+(?:versions? )?(\S.*)$`)
	orPrior     = regexp.MustCompile(`(?i)^(?:versions? )?(\S.*?)\s*(?:and|or)\s+(?:prior|earlier|older|below|lower)(?: versions?)?$`)
	orLater     = regexp.MustCompile(`(?i)^(?:versions? )?(\S.*?)\s*(?:and|or)\s+(?:later|newer|above|higher)(?: versions?)?$`)
	fromTo      = regexp.MustCompile(`(?i)^(?:versions? )?(?:from |between )?(\d\S*)\s+(?:to|through|and|-|–)\s+(\d\S*)$`)
	allWords    = regexp.MustCompile(`(?i)^(?:\*|all|any|all versions?|any versions?|all released versions?|versions? all)$`)
	plainNumber = regexp.MustCompile(`(?i)^(?:v|r|rev|ver|version|release)?[ .]*[a-z-]{0,6}[ ]?\d[\w.+*-]*(?:[ _](?:sp|bn|build|hf|mr|patch|rc|beta)[ _.]?[\w.*-]+)?$`)
)

// ParseRange reads the versions of a rule in the ways advisories write them:
// "vers:generic/>=1|<3", "<= 2.3.0", ">= 4.0 | <= 4.6", "1.3.2|1.4.0", "14.x",
// "prior to 1.5.8", "5.0 and earlier", "all versions". What it does not
// understand becomes Text.
func ParseRange(s string) Range {
	s = strings.TrimSpace(s)
	if len(s) > 4096 {
		return Range{Class: Text, Text: s[:4096]}
	}

	r := Range{Text: s}
	rest := versHead.ReplaceAllString(s, "")
	if m := parens.FindStringSubmatch(rest); m != nil && strings.TrimSpace(parens.ReplaceAllString(rest, "")) != "" {
		r.Remark = m[1]
		rest = strings.TrimSpace(parens.ReplaceAllString(rest, ""))
	}

	if allWords.MatchString(rest) {
		r.Class = All
		return r
	}

	bounds, ok := parseBounds(inSigns(rest))
	if !ok {
		return Range{Class: Text, Text: s}
	}

	r.alternatives = pair(bounds)
	r.Class = classOf(bounds)
	return r
}

// inSigns turns a few wordings into signs.
func inSigns(s string) string {
	for _, w := range []struct {
		words *regexp.Regexp
		signs string
	}{{priorWords, "<$1"}, {upToWords, "<=$1"}, {orPrior, "<=$1"}, {orLater, ">=$1"}, {fromTo, ">=$1|<=$2"}} {
		if w.words.MatchString(s) && !strings.ContainsAny(s, "<>|") {
			return w.words.ReplaceAllString(s, w.signs)
		}
	}
	return s
}

// parseBounds reads constraints that are joined by | or comma, such as >=1.2|<2; a
// version without a sign is that version alone. It reports false where a part is
// more than a version, or where there are more than maxConstraints: then the text is
// for people.
func parseBounds(s string) ([]bound, bool) {
	list := strings.FieldsFunc(s, func(r rune) bool { return r == '|' || r == ',' })
	if len(list) == 0 || len(list) > maxConstraints {
		return nil, false
	}

	var out []bound
	for _, c := range list {
		c = strings.TrimSpace(c)
		b := bound{op: "="}

		for _, op := range []string{">=", "<=", ">", "<", "==", "="} {
			if rest, found := strings.CutPrefix(c, op); found {
				b.op = strings.Replace(op, "==", "=", 1)
				c = strings.TrimSpace(rest)
				break
			}
		}

		if !plainNumber.MatchString(c) || len(strings.Fields(c)) > 3 {
			return nil, false
		}

		b.version = ParseVersion(c)
		if !b.version.Known() {
			return nil, false
		}
		out = append(out, b)
	}
	return out, true
}

// pair joins a lower bound with the upper bound that follows it.
func pair(bounds []bound) []interval {
	var out []interval
	for i := 0; i < len(bounds); i++ {
		b := &bounds[i]
		switch {
		case b.op == "=":
			out = append(out, interval{low: b, high: b})
		case b.op[0] == '<':
			out = append(out, interval{high: b})
		case i+1 < len(bounds) && bounds[i+1].op[0] == '<':
			out = append(out, interval{low: b, high: &bounds[i+1]})
			i++
		default:
			out = append(out, interval{low: b})
		}
	}
	return out
}

func classOf(bounds []bound) Class {
	class := Exact
	for _, b := range bounds {
		switch {
		case b.op != "=":
			return Interval
		case b.version.wild:
			class = Wildcard
		}
	}
	return class
}

// Contains says whether a version lies in the range. Maybe means that the
// version is missing, says less than the bounds, or counts in another way; or
// that a remark has to be read.
func (r Range) Contains(v Version) Inside {
	in := No
	switch {
	case r.Class == All:
		in = Yes
	case r.Class == Text || !v.Known():
		return Maybe
	}

	for _, i := range r.alternatives {
		in = max(in, i.contains(v))
	}

	if in == Yes && r.Remark != "" {
		return Maybe
	}
	return in
}

func (i interval) contains(v Version) Inside {
	in := Yes
	for _, b := range []*bound{i.low, i.high} {
		if b != nil {
			in = min(in, b.holds(v))
		}
	}
	return in
}

func (b *bound) holds(v Version) Inside {
	w := b.version
	if !v.alike(w) || v.shortOf(w) {
		return Maybe
	}

	c := v.Compare(w)
	if w.wild && v.under(w) {
		c = 0
	}

	var ok bool
	switch b.op {
	case "<":
		ok = c < 0
	case "<=":
		ok = c <= 0
	case ">":
		ok = c > 0
	case ">=":
		ok = c >= 0
	default:
		ok = c == 0
	}

	if ok {
		return Yes
	}
	return No
}

// String is the range in words for a table.
func (r Range) String() string {
	if r.Class == All {
		if r.Remark != "" {
			return "all versions (" + r.Remark + ")"
		}
		return "all versions"
	}

	if r.Remark != "" && !strings.Contains(r.Text, "(") {
		return fmt.Sprintf("%s (%s)", r.Text, r.Remark)
	}
	return r.Text
}
