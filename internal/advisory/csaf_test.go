package advisory

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sharedFacts is the folder of public facts the table was made of; tests that
// need it are left out without it.
func sharedFacts(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		t.Skip("COLLIMATOR_SHARED is not set: the published CSAF documents are not compared")
	}
	return filepath.Join(dir, "facts")
}

func realDocuments(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(sharedFacts(t), "csaf", "*.json"))
	if err != nil || len(names) < 39 {
		t.Fatalf("%d documents, %v; want 39 or more", len(names), err)
	}
	out := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = b
	}
	return out
}

// small is a document with each thing the reader knows: branches, a relationship,
// a range, a service pack, a fixed version, statuses and remediations.
const small = `{"document":{"csaf_version":"2.0","title":"Viewer: a test","publisher":{"name":"Vendor"},
 "references":[{"category":"self","url":"https://example.com/advisory"}],
 "tracking":{"id":"TEST-1","version":"2","status":"final","initial_release_date":"2026-01-02T00:00:00Z","current_release_date":"2026-03-04T00:00:00Z"}},
"product_tree":{"branches":[{"category":"vendor","name":"Acme","branches":[
  {"category":"product_name","name":"Viewer","branches":[
    {"category":"product_version_range","name":"vers:generic/>=1|<3","product":{"name":"Viewer 1","product_id":"P1"}},
    {"category":"product_version","name":"3.0.1","product":{"name":"Viewer 3","product_id":"P2"}},
    {"category":"product_version","name":"2.5","branches":[{"category":"service_pack","name":"SP2","product":{"name":"Viewer 2.5 SP2","product_id":"P5"}}]}]},
  {"category":"product_name","name":"Library","product":{"name":"Library","product_id":"P3"}},
  {"category":"product_name","name":"Host","product":{"name":"Host","product_id":"P4"}}]}],
 "relationships":[{"category":"installed_on","full_product_name":{"name":"Library on Host","product_id":"P6"},"product_reference":"P3","relates_to_product_reference":"P4"}]},
"vulnerabilities":[{"cve":"CVE-2026-0001","product_status":{"known_affected":["P1","P5","P6"],"fixed":["P2"]},
  "scores":[{"products":["P1","P6"],"cvss_v3":{"baseScore":7.5}},{"products":["P5"],"cvss_v2":{"baseScore":5}}],
  "remediations":[{"category":"vendor_fix","details":"Use the secret word hunter2 and update to 3.0.1.","product_ids":["P1"]},{"category":"none_available","details":"-","product_ids":["P6"]}],
  "notes":[{"category":"description","text":"the password is hunter2"}]}]}`

func TestCSAFDocumentBecomesRules(t *testing.T) {
	t.Parallel()
	d, err := ParseCSAF([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Advisory("file")
	if err != nil {
		t.Fatal(err)
	}
	want := Advisory{
		ID: "TEST-1", Title: "Viewer: a test", Update: Unknown, Initial: "2026-01-02", Current: "2026-03-04", Source: "file",
		Fix: "Read https://example.com/advisory and ask the vendor for the fix it names; isolate the system until it is in.",
		Rules: []Rule{
			{Vendors: []string{"Acme"}, Product: "Viewer", Versions: "vers:generic/>=1|<3", CVEs: []CVE{{ID: "CVE-2026-0001", Score: 7.5}}, Score: 7.5, Fixed: "3.0.1", Update: Available},
			{Vendors: []string{"Acme"}, Product: "Viewer", Versions: "2.5 SP2", CVEs: []CVE{{ID: "CVE-2026-0001", Score: 5}}, Score: 5, Fixed: "3.0.1", Update: Available},
			{Vendors: []string{"Acme"}, Product: "Library", Versions: "*", CVEs: []CVE{{ID: "CVE-2026-0001", Score: 7.5}}, Score: 7.5, Update: NoUpdate},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if b, _ := json.Marshal(got); strings.Contains(string(b), "hunter2") {
		t.Error("a text of the document was kept")
	}
	table := NewTable(BuiltIn(), []Advisory{got})
	if res := table.Match(Identity{Vendor: "ACME Inc.", Product: "Viewer", Version: "2.9"}); res.Answer != Affected {
		t.Errorf("an imported rule does not match: %+v", res)
	}
}

func TestBadCSAFIsRefused(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"no JSON":  "{",
		"no CSAF":  `{"document":{"csaf_version":"1.2","tracking":{"id":"x"}}}`,
		"no id":    `{"document":{"csaf_version":"2.0"}}`,
		"deep":     strings.Repeat(`{"branches":[`, 100_000),
		"binary":   "{\"\xff\xfe\":1}",
		"too long": strings.Repeat(" ", MaxDocument+1),
	} {
		if _, err := ParseCSAF([]byte(doc)); err == nil || !strings.HasPrefix(err.Error(), "advisory: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The published documents say the same as the table they were made into.
func TestPublishedDocumentsSayWhatTheTableSays(t *testing.T) {
	t.Parallel()
	docs := realDocuments(t)
	b, err := os.ReadFile(filepath.Join(sharedFacts(t), "advisories.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	facts := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		c := strings.Split(line, "\t")
		facts[c[0]] = append(facts[c[0]], factLine(c[1], c[2], c[3], strings.Fields(c[5])))
	}
	for name, doc := range docs {
		d, err := ParseCSAF(doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a, err := d.Advisory("test")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range a.Rules {
			var cves []string
			for _, c := range r.CVEs {
				cves = append(cves, fmt.Sprintf("%s:%.1f", c.ID, c.Score))
			}
			got = append(got, factLine(r.Vendors[0], r.Product, r.Versions, cves))
		}
		want := slices.Compact(slices.Sorted(slices.Values(facts[d.ID])))
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", d.ID, diff)
		}
	}
}

func factLine(vendor, product, versions string, cves []string) string {
	if versions == "*" {
		versions = "vers:all/*"
	}
	cves = slices.Clone(cves)
	slices.Sort(cves)
	return strings.Join([]string{vendor, product, versions, strings.Join(cves, " ")}, " / ")
}

// Passwords are what the texts of the published documents give as such; none
// of them stands in the tables or in the documents of the project.
func TestNoPublishedPasswordIsInTheProject(t *testing.T) {
	t.Parallel()
	passwords := map[string]bool{}
	sentence := regexp.MustCompile(`passwords? of (.+?)(?:, which|\.\s|$)`)
	item := regexp.MustCompile(`(?:^|\(\d+\) |, | or | and )"?([^\s",()]+)"? for `)
	for _, doc := range realDocuments(t) {
		for _, text := range textsOf(t, doc) {
			for _, m := range sentence.FindAllStringSubmatch(text, -1) {
				for _, p := range item.FindAllStringSubmatch(m[1], -1) {
					passwords[strings.Trim(p[1], `"'`)] = true
				}
			}
		}
	}
	delete(passwords, "string") // "an empty string"
	if len(passwords) < 20 {
		t.Fatalf("only %d passwords found: the test looks in the wrong place", len(passwords))
	}
	// A vendor has used the name of a product; the name of the product stays.
	products := map[string]bool{}
	for _, a := range BuiltIn() {
		for _, r := range a.Rules {
			for _, w := range strings.Fields(r.Product) {
				products[w] = true
			}
		}
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, _ := filepath.Glob("*.tsv")
	more, _ := filepath.Glob("../../tools/genadvisories/*.tsv")
	for _, name := range slices.Concat(files, tables, more, []string{"../../README.md"}) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for p := range passwords {
			if len(p) < 2 || products[p] {
				continue
			}
			// In running text an ordinary word gives nothing away unless a password is spoken of.
			context := ""
			if strings.HasSuffix(name, ".md") && strings.Trim(p, "abcdefghijklmnopqrstuvwxyz") == "" {
				context = `(?i)passwor[dt].{0,80}`
			}
			if regexp.MustCompile(context + `(^|[^\w])` + regexp.QuoteMeta(p) + `($|[^\w])`).Match(b) {
				t.Errorf("%s holds a password that an advisory quotes (%d letters)", name, len(p))
			}
		}
	}
}

// textsOf lists every string of a document.
func textsOf(t *testing.T, doc []byte) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	return out
}

func FuzzParseCSAF(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"document":{"csaf_version":"2.0","tracking":{"id":"A"}},"product_tree":{"full_product_names":[{"name":"n","product_id":"1"}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseCSAF(b)
		if err != nil {
			return
		}
		a, err := d.Advisory("fuzz")
		if err != nil {
			return
		}
		table := NewTable([]Advisory{a})
		for _, r := range a.Rules[:min(len(a.Rules), 5)] {
			table.Match(Identity{Vendor: r.Vendors[0], Product: r.Product, Version: r.Versions})
		}
	})
}
