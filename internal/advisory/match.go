package advisory

import (
	"fmt"
	"slices"
	"strings"
)

// Answer is what is said about a product. There is no "safe": what nobody has
// published is not known here.
type Answer string

// The answers.
const (
	Affected  Answer = "affected"
	Possibly  Answer = "possibly"
	NotListed Answer = "not listed"
)

// Identity is what a system is believed to be. Empty fields are not known.
type Identity struct {
	Vendor  string
	Product string
	Version string
	// Announced: the version is what a toolkit says of itself, which stays the
	// same when a distribution patches it.
	Announced bool
}

// Match is one rule that speaks of a product.
type Match struct {
	Answer   Answer   `json:"answer"`
	Advisory string   `json:"advisory"`
	Title    string   `json:"title"`
	Product  string   `json:"product"`  // as the advisory writes it
	Versions string   `json:"versions"` // in words
	Class    Class    `json:"class"`
	CVEs     []string `json:"cves,omitempty"`
	Score    float64  `json:"score,omitempty"`
	Fixed    string   `json:"fixed,omitempty"`
	Update   Update   `json:"update"`
	// Read says what a person has to compare where the answer is possibly.
	Read      string `json:"read,omitempty"`
	Fix       string `json:"fix,omitempty"`
	Exploited bool   `json:"exploited,omitempty"`
	HHS       bool   `json:"hhs,omitempty"`
}

// Result is the answer about a product with what it rests on.
type Result struct {
	Answer  Answer  `json:"answer"`
	Matches []Match `json:"matches,omitempty"`
	// Outside are rules that name the product and not this version of it.
	Outside []Match `json:"outside,omitempty"`
}

func (m Match) rank() int {
	switch m.Answer {
	case Affected:
		return 2
	case Possibly:
		return 1
	}
	return 0
}

// Match looks a product up. The matches are sorted: affected first, then by score.
func (t *Table) Match(id Identity) Result {
	res := Result{Answer: NotListed}

	l := newLookup(id.Product, t.vendors)
	if len(l.words) == 0 {
		return res
	}

	vendor, known := t.vendors.find(id.Vendor)
	if n := t.vendors.prefix(l.words); n > 0 {
		vendor = t.vendors.names[glue(l.words[:n])]
		known = true
	}

	for i := range t.entries {
		e := &t.entries[i]
		m, found := e.match(t, l, id, vendor, known)
		switch {
		case !found:
		case m.Answer == NotListed:
			res.Outside = append(res.Outside, m)
		default:
			res.Matches = append(res.Matches, m)
		}
	}

	res.Matches = onePerAdvisory(res.Matches)
	res.Outside = slices.DeleteFunc(onePerAdvisory(res.Outside), func(m Match) bool {
		return slices.ContainsFunc(res.Matches, func(n Match) bool { return n.Advisory == m.Advisory })
	})

	if len(res.Matches) > 0 {
		res.Answer = res.Matches[0].Answer
	}
	return res
}

// onePerAdvisory keeps the strongest match of each advisory.
func onePerAdvisory(list []Match) []Match {
	slices.SortStableFunc(list, byScore)

	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(m Match) bool {
		dup := seen[m.Advisory]
		seen[m.Advisory] = true
		return dup
	})
}

// vendorFit says how the vendor of a system fits the ones of a rule.
type vendorFit uint8

const (
	vendorOther   vendorFit = iota // somebody else makes it
	vendorStrange                  // a name nobody knows
	vendorMissing                  // not said
	vendorSame
)

func (e *entry) vendorFit(t *Table, id Identity, vendor string, known bool) vendorFit {
	switch {
	case known && slices.Contains(e.vendors, vendor):
		return vendorSame
	case known:
		return vendorOther
	case strings.TrimSpace(id.Vendor) == "":
		return vendorMissing
	}
	return vendorStrange
}

// match holds a product against the rule; it reports false where the rule is about
// another one. vendor is the name that the table has for the vendor of id, known
// says that it has one. A name or vendor that only may be meant gives an answer of
// Possibly, which says what a person has to compare.
func (e *entry) match(t *Table, l lookup, id Identity, vendor string, known bool) (Match, bool) {
	fits := e.vendorFit(t, id, vendor, known)
	if fits == vendorOther {
		return Match{}, false
	}

	for _, s := range e.except {
		if l.find(s).ok {
			return Match{}, false
		}
	}

	f, s := e.best(l)
	if !f.ok {
		return Match{}, false
	}

	// A short name without its vendor is found in too many others.
	if fits == vendorStrange && len(s.glued) < 5 {
		return Match{}, false
	}

	version := ParseVersion(id.Version)
	rest := f.rest
	// What stands behind the name of a family is its model: EPIQ 7.
	if inName, ok := versionIn(f.rest); ok && !e.rule.Family {
		rest = nil
		if !version.Known() {
			version = inName
		}
	}

	variant := !onlyFiller(rest, t.vendors)
	if variant && !e.rule.Family && (e.rule.Umbrella || !s.distinctive() || fits != vendorSame) {
		return Match{}, false
	}

	return e.judge(id, fits, version, variant && !e.rule.Family, rest), true
}

// best is the spelling that leaves the least of the name over.
func (e *entry) best(l lookup) (fit, spelling) {
	var found fit
	var by spelling
	for _, s := range e.names {
		f := l.find(s)
		if f.ok && (!found.ok || len(f.rest) < len(found.rest)) {
			found, by = f, s
		}
	}
	return found, by
}

// judge makes the answer of a rule whose name fits.
func (e *entry) judge(id Identity, fits vendorFit, version Version, variant bool, rest []string) Match {
	r := e.rule
	g := e.versions
	m := Match{
		Advisory: e.advisory.ID, Title: e.advisory.Title, Product: r.Product, Versions: g.String(), Class: g.Class,
		CVEs: r.IDs(), Score: r.Score, Fixed: r.Fixed, Update: r.Update, Fix: e.advisory.Fix,
		Exploited: r.Exploited(), HHS: r.HHS, Answer: Affected,
	}

	if m.Update == NoUpdate && e.advisory.Update != NoUpdate {
		m.Fix = "Isolate it behind a gate and close every service it does not need: the vendor has no update for this product."
	}

	var read []string
	switch g.Contains(version) {
	case No:
		m.Answer = NotListed
		return m
	case Maybe:
		read = append(read, e.uncertain(version))
	}

	if variant {
		read = append(read, fmt.Sprintf("the advisory names %q; this name has %q behind it", r.Product, strings.Join(rest, " ")))
	}

	switch fits {
	case vendorMissing:
		if !e.unique {
			read = append(read, fmt.Sprintf("the vendor is not known; it is affected if it is by %s", r.Vendors[0]))
		}
	case vendorStrange:
		read = append(read, fmt.Sprintf("the vendor given is not one we know; it is affected if it is by %s", r.Vendors[0]))
	}

	if id.Announced {
		read = append(read, "the version is what the toolkit announces; a distribution may have patched it: check its patch level")
	}

	if len(read) > 0 {
		m.Answer = Possibly
		m.Read = strings.Join(read, "; ")
	}
	return m
}

// uncertain says what a person has to compare.
func (e *entry) uncertain(v Version) string {
	g := e.versions
	switch {
	case g.Class == Text:
		return fmt.Sprintf("compare with the advisory: %s", g.Text)
	case !v.Known() && g.Class != All:
		return fmt.Sprintf("the version is not known; affected: %s", g)
	case g.Remark != "":
		return fmt.Sprintf("check the condition: %s", g.Remark)
	}
	return fmt.Sprintf("version %s cannot be held against %s; compare them by hand", v, g)
}

// versionIn reads a version that stands behind the name of a product.
func versionIn(rest []string) (Version, bool) {
	for len(rest) > 0 && (filler[rest[0]] || rest[0] == "r" || rest[0] == "rev" || rest[0] == "v" || rest[0] == "sw") {
		rest = rest[1:]
	}

	for len(rest) > 0 && len(rest[len(rest)-1]) > 1 && filler[rest[len(rest)-1]] {
		rest = rest[:len(rest)-1]
	}

	numbers := 0
	for i, w := range rest {
		switch {
		case w[0] >= '0' && w[0] <= '9':
			numbers++
		case i == 0 && (len(w) > 2 || len(rest) < 2), len(w) > 5:
			return Version{}, false
		}
	}

	if numbers == 0 || len(rest) > 10 {
		return Version{}, false
	}

	// A letter glued to a single number is a model: "750 HD", "64 slice".
	last := rest[len(rest)-1]
	if numbers == 1 && last != "x" && (last[0] < '0' || last[0] > '9') {
		return Version{}, false
	}
	return ParseVersion(strings.Join(rest, ".")), true
}
