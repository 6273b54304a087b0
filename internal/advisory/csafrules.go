package advisory

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Status words of CSAF 2.0 that say a product is affected, or not.
var (
	statusAffected = []string{"known_affected", "first_affected", "last_affected", "under_investigation", "recommended"}
	statusFixed    = []string{"fixed", "first_fixed"}
)

// claim is what a document says about one product.
type claim struct {
	affected, fixed, cleared bool
	cves                     map[string]*CVE
	update                   Update
	fixedIn                  string
}

// Advisory turns a document into rules. source says where it came from.
func (d *Document) Advisory(source string) (Advisory, error) {
	a := Advisory{
		ID: d.ID, Title: d.Title, Update: Unknown, Initial: d.Initial, Current: d.Current, Source: source,
		Fix: "Ask the vendor for the fix this advisory names, and isolate the system until it is in.",
	}

	if d.URL != "" {
		a.Fix = "Read " + d.URL + " and ask the vendor for the fix it names; isolate the system until it is in."
	}

	claims, err := d.claims()
	if err != nil {
		return a, err
	}

	fixedBy := map[string]string{}
	for _, p := range d.products {
		if c := claims[p.id]; c != nil && c.fixed && p.version != "*" {
			fixedBy[p.vendor+"\x00"+p.name] = newer(fixedBy[p.vendor+"\x00"+p.name], p.version)
		}
	}

	rules := map[string]int{}
	for _, p := range d.products {
		c := claims[p.id]
		if c == nil {
			c = &claim{}
		}

		// A product that is named without any status is what the document is about.
		named := !p.part && !c.fixed && !c.cleared
		if !c.affected && !named || p.name == "" {
			continue
		}

		key := p.vendor + "\x00" + p.name + "\x00" + p.version
		i, ok := rules[key]
		if !ok {
			i = len(a.Rules)
			rules[key] = i
			a.Rules = append(a.Rules, Rule{Vendors: []string{p.vendor}, Product: p.name, Versions: p.version, Update: Unknown})
		}

		a.Rules[i].take(c, fixedBy[p.vendor+"\x00"+p.name])
	}
	return a, nil
}

// take adds what is claimed about one product id to a rule.
func (r *Rule) take(c *claim, fixed string) {
	for _, cve := range c.cves {
		i := slices.IndexFunc(r.CVEs, func(x CVE) bool { return x.ID == cve.ID })
		if i < 0 {
			r.CVEs = append(r.CVEs, *cve)
			continue
		}
		r.CVEs[i].Score = max(r.CVEs[i].Score, cve.Score)
	}

	slices.SortFunc(r.CVEs, func(x, y CVE) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), strings.Compare(x.ID, y.ID))
	})
	for _, cve := range r.CVEs {
		r.Score = max(r.Score, cve.Score)
	}

	fixed = firstOf(fixed, c.fixedIn)
	if fixed != "" && r.Range().Contains(ParseVersion(fixed)) != Yes {
		r.Fixed = newer(r.Fixed, fixed)
	}

	switch {
	case r.Fixed != "":
		r.Update = Available
	case c.update != "":
		r.Update = c.update
	}
}

func newer(a, b string) string {
	if a == "" || ParseVersion(b).Compare(ParseVersion(a)) > 0 {
		return b
	}
	return a
}

// claims collects, for each product id, what the vulnerabilities say.
func (d *Document) claims() (map[string]*claim, error) {
	out := map[string]*claim{}
	at := func(id string) *claim {
		if out[id] == nil {
			out[id] = &claim{cves: map[string]*CVE{}}
		}
		return out[id]
	}

	statements := 0
	for _, v := range d.vulnerabilities {
		for _, ids := range v.Status {
			statements += len(ids)
		}
		for _, s := range v.Scores {
			statements += len(s.Products)
		}
		for _, r := range v.Remediations {
			statements += len(r.Products)
		}

		if statements > maxStatements {
			return nil, errors.New("advisory: the document makes too many statements about products")
		}

		v.claim(at)
	}
	return out, nil
}

func (v *csafVulnerability) claim(at func(string) *claim) {
	id := cveID.FindString(v.CVE)

	for _, status := range statusAffected {
		for _, p := range v.Status[status] {
			c := at(p)
			c.affected = c.affected || status != "recommended"
			if id != "" && status != "recommended" && c.cves[id] == nil {
				c.cves[id] = &CVE{ID: id}
			}
		}
	}

	for _, status := range statusFixed {
		for _, p := range v.Status[status] {
			at(p).fixed = true
		}
	}

	for _, p := range v.Status["known_not_affected"] {
		at(p).cleared = true
	}

	for _, s := range v.Scores {
		for _, p := range s.Products {
			if cve := at(p).cves[id]; cve != nil {
				for _, score := range []*csafScore{s.V4, s.V3, s.V2} {
					if score != nil && score.Base >= 0 && score.Base <= 10 {
						cve.Score = max(cve.Score, score.Base)
						break
					}
				}
			}
		}
	}

	for _, r := range v.Remediations {
		update, version := r.read()
		for _, p := range r.Products {
			c := at(p)
			c.update = better(c.update, update)
			if version != "" {
				c.fixedIn = newer(c.fixedIn, version)
			}
		}
	}
}

var (
	cveID   = regexp.MustCompile(`^CVE-\d{4}-\d{4,7}$`)
	fixedIn = regexp.MustCompile(`(?i)\b(?:updat\w*|upgrad\w*|fixed in|resolved in|remediated in)\b[^.;]{0,120}?(?:\bto|\bversion|\bin|\s)\s+v?(\d{1,5}(?:\.\d{1,6}){1,5})\b`)
)

// read keeps of a remediation what kind it is and a version that it names,
// never its words.
func (r *csafRemediation) read() (Update, string) {
	switch r.Category {
	case "vendor_fix":
		details := r.Details[:min(len(r.Details), 4096)]
		if m := fixedIn.FindStringSubmatch(details); m != nil {
			return Available, m[1]
		}
		return Unknown, ""
	case "mitigation", "workaround":
		return Mitigate, ""
	case "none_available", "no_fix_planned":
		return NoUpdate, ""
	case "fix_planned":
		return Planned, ""
	}
	return "", ""
}

// better keeps the more helpful of two statements.
func better(a, b Update) Update {
	order := []Update{"", NoUpdate, Mitigate, Unknown, Planned, Available}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}
