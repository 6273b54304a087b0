package advisory

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The tables. products.tsv is made by tools/genadvisories.
//
//go:embed products.tsv
var productsTSV string

//go:embed advisories.tsv
var advisoriesTSV string

//go:embed vendors.tsv
var vendorsTSV string

//go:embed kev.tsv
var kevTSV string

// builtIn is the source of the advisories that come with the program.
const builtIn = "built in"

// Table is a set of advisories that can be matched. It does not change and is
// safe for concurrent use.
type Table struct {
	Advisories []Advisory
	vendors    *vendorTable
	entries    []entry
}

// entry is a rule made ready for matching.
type entry struct {
	advisory *Advisory
	rule     *Rule
	vendors  []string // canonical
	names    []spelling
	except   []spelling
	versions Range
	unique   bool // the name itself says who made it
}

// BuiltIn lists the advisories that come with the program, by id.
func BuiltIn() []Advisory {
	text := map[string]map[string]string{}
	for _, r := range readTSV(advisoriesTSV) {
		text[r["id"]] = r
	}

	var out []Advisory
	for _, r := range readTSV(productsTSV) {
		if n := len(out); n == 0 || out[n-1].ID != r["id"] {
			w := text[r["id"]]
			out = append(out, Advisory{
				ID: r["id"], Title: w["title"], Update: Update(w["update"]), Fix: w["fix"],
				Initial: r["initial"], Current: r["current"], Source: builtIn,
			})
		}

		a := &out[len(out)-1]
		a.Rules = append(a.Rules, builtInRule(r, a.Update))
	}
	return out
}

func builtInRule(r map[string]string, update Update) Rule {
	score, _ := strconv.ParseFloat(r["score"], 64)
	rule := Rule{
		Vendors: strings.Split(r["vendor"], "|"), Product: r["product"], Names: split(r["names"]), Except: split(r["except"]),
		Versions: r["versions"], Remark: r["remark"], Score: score, Fixed: r["fixed"], Update: update,
	}

	if u := r["update"]; u != "" {
		rule.Update = Update(u)
	}

	for _, f := range strings.Fields(r["flags"]) {
		rule.Family = rule.Family || f == "family"
		rule.Umbrella = rule.Umbrella || f == "umbrella"
		rule.HHS = rule.HHS || f == "hhs"
	}

	for _, f := range strings.Fields(r["cves"]) {
		id, base, _ := strings.Cut(f, ":")
		if !strings.HasPrefix(id, "CVE-") {
			continue
		}

		n, _ := strconv.ParseFloat(base, 64)
		rule.CVEs = append(rule.CVEs, CVE{ID: id, Score: n})
	}
	return rule
}

// NewTable makes a table of advisories; of two with the same id the later
// counts, but keeps the spellings and the words of the one it replaces.
func NewTable(lists ...[]Advisory) *Table {
	t := &Table{vendors: newVendorTable(readTSV(vendorsTSV))}
	byID := map[string]int{}
	for _, list := range lists {
		for _, a := range list {
			if i, ok := byID[a.ID]; ok {
				t.Advisories[i] = merged(t.Advisories[i], a)
				continue
			}

			byID[a.ID] = len(t.Advisories)
			a.Rules = slices.Clone(a.Rules)
			t.Advisories = append(t.Advisories, a)
		}
	}

	// The latest first; what is exploited is marked before the index takes the rules.
	slices.SortFunc(t.Advisories, func(a, b Advisory) int { return strings.Compare(b.ID, a.ID) })
	t.markExploited()
	t.index()
	return t
}

// Default is the table of the advisories that come with the program.
func Default() *Table { return NewTable(BuiltIn()) }

// merged lays a newer statement of an advisory over an older one.
func merged(old, update Advisory) Advisory {
	if old.Source != builtIn {
		return update
	}

	update.Title, update.Fix = old.Title, old.Fix
	if update.Update == Unknown || update.Update == "" {
		update.Update = old.Update
	}

	rules := slices.Clone(update.Rules)
	for i := range rules {
		for _, o := range old.Rules {
			if o.Product == rules[i].Product && (o.Versions == rules[i].Versions || sameVersions(o, rules[i])) {
				r := &rules[i]
				r.Vendors, r.Names, r.Except = o.Vendors, o.Names, o.Except
				r.Family, r.Umbrella, r.HHS = o.Family, o.Umbrella, o.HHS
				r.Versions, r.Remark = o.Versions, o.Remark
				r.Update = o.Update
				r.Fixed = firstOf(r.Fixed, o.Fixed)
				break
			}
		}
	}

	// What the built-in table says beyond the document stays: its rules are
	// spelled out further than the wording of the document.
	for _, o := range old.Rules {
		if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Product == o.Product && r.Versions == o.Versions }) {
			rules = append(rules, o)
		}
	}

	update.Rules = rules
	return update
}

func sameVersions(a, b Rule) bool {
	g, h := ParseRange(a.Versions), ParseRange(b.Versions)
	if g.Class == All && h.Class == All {
		return true
	}

	return strings.ReplaceAll(a.Versions, " ", "") == strings.ReplaceAll(b.Versions, " ", "")
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// markExploited notes which CVEs are known to be exploited, wherever they came from.
func (t *Table) markExploited() {
	exploited := map[string]bool{}
	for _, r := range readTSV(kevTSV) {
		exploited[r["cve"]] = true
	}

	for i := range t.Advisories {
		for j := range t.Advisories[i].Rules {
			r := &t.Advisories[i].Rules[j]
			r.CVEs = slices.Clone(r.CVEs) // the lists given stay as they were
			for k := range r.CVEs {
				r.CVEs[k].Exploited = exploited[r.CVEs[k].ID]
			}
		}
	}
}

func (t *Table) index() {
	for i := range t.Advisories {
		a := &t.Advisories[i]
		for j := range a.Rules {
			r := &a.Rules[j]
			e := entry{advisory: a, rule: r, versions: r.Range()}

			for _, v := range r.Vendors {
				if name, ok := t.vendors.find(v); ok {
					v = name
				} else {
					t.vendors.add(v, v)
				}
				e.vendors = append(e.vendors, v)
			}

			names := r.Names
			if len(names) == 0 {
				names = []string{r.Product}
			}
			for _, n := range names {
				if s := spell(n); s.glued != "" {
					e.names = append(e.names, s)
				}
				_, own := t.vendors.find(n)
				e.unique = e.unique || own
			}

			for _, n := range r.Except {
				e.except = append(e.except, spell(n))
			}

			t.entries = append(t.entries, e)
		}
	}
}

// Find is the advisory with an id, whatever its case; or the ones that name a CVE.
func (t *Table) Find(id string) []Advisory {
	var out []Advisory
	for _, a := range t.Advisories {
		if strings.EqualFold(a.ID, id) || slices.ContainsFunc(a.Rules, func(r Rule) bool {
			return slices.ContainsFunc(r.CVEs, func(c CVE) bool { return strings.EqualFold(c.ID, id) })
		}) {
			out = append(out, a)
		}
	}
	return out
}

// Vendor is the name of a vendor however it is written; the text as it is where nobody is recognised.
func (t *Table) Vendor(text string) string {
	if v, ok := t.vendors.find(text); ok {
		return v
	}
	return strings.TrimSpace(text)
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// readTSV reads one of the embedded tables. A line that does not fit is a fault
// of the build, which a test finds.
func readTSV(s string) []map[string]string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	head := strings.Split(lines[0], "\t")
	out := make([]map[string]string, 0, len(lines))
	for n, l := range lines[1:] {
		cells := strings.Split(l, "\t")
		if len(cells) != len(head) {
			panic(fmt.Sprintf("advisory: line %d of an embedded table has %d cells, want %d", n+2, len(cells), len(head)))
		}

		r := make(map[string]string, len(head))
		for i, c := range cells {
			r[head[i]] = c
		}
		out = append(out, r)
	}
	return out
}
