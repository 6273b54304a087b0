// Package advisory tells which published advisories speak of a product. It holds
// a table of facts, in words of the project, about advisories for imaging
// systems, and reads further ones from CSAF 2.0 documents. It compares the names
// and versions that hospitals write with the ones vendors do, and answers
// affected, possibly, or not listed: never that something is safe. It is pure:
// no network, no files, no clock, and it knows no password that an advisory quotes.
package advisory

import (
	"cmp"
	"slices"
	"strings"
)

// Advisory is what is kept of one advisory.
type Advisory struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Update says whether the vendor has something better.
	Update Update `json:"update"`
	// Fix says what to do; it begins with a verb.
	Fix string `json:"fix,omitempty"`
	// Initial and Current are the days of publication and of the last change, YYYY-MM-DD.
	Initial string `json:"initial,omitempty"`
	Current string `json:"current,omitempty"`
	// Source is "built in", or where an imported document came from.
	Source string `json:"source"`
	Rules  []Rule `json:"rules"`
}

// Update says what the vendor offers.
type Update string

// What a vendor offers.
const (
	Available Update = "available" // a fixed version
	Request   Update = "request"   // an update for those who ask
	Planned   Update = "planned"   // announced
	Mitigate  Update = "mitigate"  // settings and procedures, no fixed version
	NoUpdate  Update = "none"      // nothing: isolate it
	Unknown   Update = "unknown"   // the advisory does not say it in a form that can be read
)

// Rule is one product with the versions an advisory is about.
type Rule struct {
	Vendors []string `json:"vendors"` // the first is the one in the advisory
	Product string   `json:"product"` // as the advisory writes it
	// Names are spellings of the product, Except names that begin alike and are not meant.
	Names  []string `json:"names,omitempty"`
	Except []string `json:"except,omitempty"`
	// Family: everything whose name begins so. Umbrella: a heading over other products.
	Family   bool   `json:"family,omitempty"`
	Umbrella bool   `json:"umbrella,omitempty"`
	Versions string `json:"versions"`
	// Remark is a condition that a person has to look up.
	Remark string `json:"remark,omitempty"`
	CVEs   []CVE  `json:"cves,omitempty"`
	// Score is the highest CVSS base score, 0 where none is known.
	Score float64 `json:"score,omitempty"`
	// Fixed is the first version without the weakness, where one is named.
	Fixed  string `json:"fixed,omitempty"`
	Update Update `json:"update"`
	// HHS: named in the sector alert of June 2021.
	HHS bool `json:"hhs,omitempty"`
}

// CVE is one entry of the list of vulnerabilities with its base score; 0: none known.
type CVE struct {
	ID    string  `json:"id"`
	Score float64 `json:"score,omitempty"`
	// Exploited: in the catalogue of vulnerabilities known to be exploited.
	Exploited bool `json:"exploited,omitempty"`
}

// Range is the versions the rule is about.
func (r *Rule) Range() Range {
	g := ParseRange(r.Versions)
	if r.Remark != "" {
		g.Remark = r.Remark
	}
	return g
}

// Exploited reports whether one of its CVEs is known to be exploited.
func (r *Rule) Exploited() bool {
	return slices.ContainsFunc(r.CVEs, func(c CVE) bool { return c.Exploited })
}

// IDs lists the CVEs of a rule.
func (r *Rule) IDs() []string {
	out := make([]string, len(r.CVEs))
	for i, c := range r.CVEs {
		out[i] = c.ID
	}
	return out
}

// MaxScore is the highest base score of an advisory.
func (a *Advisory) MaxScore() float64 {
	var most float64
	for _, r := range a.Rules {
		most = max(most, r.Score)
	}
	return most
}

// Vendor names the vendors of an advisory.
func (a *Advisory) Vendor() string {
	var list []string
	for _, r := range a.Rules {
		if len(r.Vendors) > 0 && !slices.Contains(list, r.Vendors[0]) {
			list = append(list, r.Vendors[0])
		}
	}
	return strings.Join(list, ", ")
}

func byScore(a, b Match) int {
	return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(b.Score, a.Score), strings.Compare(b.Advisory, a.Advisory))
}
