package advisory

import (
	"strings"
	"testing"
)

// Every advisory has a title and a fix that begins with a verb, and every rule
// can be read.
func TestTheTableIsWhole(t *testing.T) {
	t.Parallel()
	list := BuiltIn()
	if len(list) < 55 {
		t.Fatalf("%d advisories", len(list))
	}
	for _, a := range list {
		if a.Title == "" || a.Fix == "" || a.Update == "" || a.Fix[0] < 'A' || a.Fix[0] > 'Z' || !strings.HasSuffix(a.Fix, ".") {
			t.Errorf("%s: title %q, update %q, fix %q", a.ID, a.Title, a.Update, a.Fix)
		}
		for _, r := range a.Rules {
			if len(r.Vendors) == 0 || r.Product == "" || len(r.Names) == 0 || r.Versions == "" {
				t.Errorf("%s: %+v", a.ID, r)
			}
			if r.Fixed != "" && r.Range().Contains(ParseVersion(r.Fixed)) == Yes && !strings.Contains(r.Fixed, "patches") {
				t.Errorf("%s: %s is fixed in %s, which is affected (%s)", a.ID, r.Product, r.Fixed, r.Versions)
			}
		}
	}
}

// A rule is found by the very name the advisory gives, unless that is a heading.
func TestEveryRuleIsFoundByItsOwnName(t *testing.T) {
	t.Parallel()
	table := Default()
	for _, a := range table.Advisories {
		for _, r := range a.Rules {
			for _, n := range r.Names {
				found := false
				for _, m := range table.Match(Identity{Vendor: r.Vendors[0], Product: n}).Matches {
					found = found || m.Advisory == a.ID
				}
				if !found {
					t.Errorf("%s %q is not found by %q", a.ID, r.Product, n)
				}
			}
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	table := Default()
	for b.Loop() {
		table.Match(Identity{Vendor: "GEHC", Product: "OPTIMA CT680 Professional", Version: "16HW40.7"})
	}
}
