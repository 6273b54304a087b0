// Command genadvisories makes internal/advisory/products.tsv: which product is
// named by which advisory, for which versions. It takes the facts from tables
// that are not part of the project (advisories.tsv and ge_icsma-18-037-02.tsv,
// made from public advisories), and the spellings, the rules made out of
// wording, and what no advisory lists from the tables beside it.
//
//	go run ./tools/genadvisories -facts DIR > internal/advisory/products.tsv
package main

import (
	"bufio"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"collimator/internal/advisory"
)

//go:embed spellings.tsv
var spellings string

//go:embed further.tsv
var further string

const header = "id\tvendor\tproduct\tnames\tflags\texcept\tversions\tremark\tcves\tscore\tfixed\tupdate\tinitial\tcurrent"

func main() {
	dir := flag.String("facts", "", "folder with advisories.tsv and ge_icsma-18-037-02.tsv")
	flag.Parse()
	if err := generate(*dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "genadvisories:", err)
		os.Exit(1)
	}
}

func generate(dir string, w io.Writer) error {
	facts, err := os.ReadFile(filepath.Join(dir, "advisories.tsv"))
	if err != nil {
		return err
	}

	ge, err := os.ReadFile(filepath.Join(dir, "ge_icsma-18-037-02.tsv"))
	if err != nil {
		return err
	}

	var lines []string
	for _, r := range table(string(facts)) {
		lines = append(lines, row(r, table(string(ge))))
	}

	for _, r := range table(further) {
		lines = append(lines, strings.Join([]string{r["id"], r["vendor"], r["product"], r["names"], "", "", r["versions"], "", r["cves"], r["score"], r["fixed"], "", "", ""}, "\t"))
	}

	slices.Sort(lines)
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, header)
	for _, l := range slices.Compact(lines) {
		fmt.Fprintln(out, l)
	}
	return out.Flush()
}

// row is one line of the table made of one fact.
func row(r map[string]string, ge []map[string]string) string {
	names, flags, except, versions, remark := r["product"], "", "", r["affected_versions"], ""
	for _, s := range table(spellings) {
		if s["id"] != r["advisory_id"] || s["product"] != r["product"] || s["when_versions"] != "" && s["when_versions"] != r["affected_versions"] {
			continue
		}
		names, flags, except, remark = s["names"], s["flags"], s["except"], s["remark"]
		if s["versions"] != "" {
			versions = s["versions"]
		}
	}

	if versions == "vers:all/*" {
		versions = "*"
	}

	update := ""
	if r["advisory_id"] == "ICSMA-18-037-02" {
		flags = strings.TrimSpace(flags + " hhs")
		for _, g := range ge {
			if g["product"] == r["product"] && strings.HasPrefix(g["mitigation"], "no update") {
				update = "none"
			}
			if g["product"] == r["product"] {
				names = withAliases(names, g["alias_seen_elsewhere"])
			}
		}
	}

	return strings.Join([]string{
		r["advisory_id"], vendors(r["vendor"]) + alsoSoldBy(r["product"]), r["product"], names, flags, except, versions, remark,
		r["cves_with_base_score"], r["max_cvss_v3"], fixed(r["fixed_version_guess"], versions), update, r["initial_date"], r["current_date"],
	}, "\t")
}

func withAliases(names, aliases string) string {
	list := strings.Split(names, "|")
	for _, a := range strings.Split(aliases, "|") {
		if a != "" && !strings.HasPrefix(a, "(") && !strings.Contains(a, "3.x") && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return strings.Join(list, "|")
}

// vendors corrects how the advisories write who made a product.
func vendors(s string) string {
	switch s {
	case "Phillips":
		return "Philips"
	case "Siemens", "Siemens Healthineers, Siemens":
		return "Siemens Healthineers"
	case "Silex Technology and GE Healthcare":
		return "GE Healthcare|Silex Technology"
	case "FUJIFILM Healthcare Americas Corporation":
		return "Fujifilm"
	case "Open Health Imaging Foundation (OHIF)":
		return "Open Health Imaging Foundation"
	}
	return s
}

// alsoSoldBy are other names under which a product stands in a register.
func alsoSoldBy(product string) string {
	switch product {
	case "CADstream":
		return "|Merge"
	case "Vue PACS", "Vue MyVue", "Vue Motion", "Vue Speech", "Clinical Collaboration Platform":
		return "|Carestream"
	case "Alaris PC Unit":
		return "|BD"
	}
	return ""
}

var versionNumber = regexp.MustCompile(`^v?(\d[\w. ]*?)\.?$`)

// fixed keeps what is a version; the last of several. A version that is itself
// among the affected ones fixes nothing.
func fixed(guess, versions string) string {
	list := strings.Split(guess, "|")
	if m := versionNumber.FindStringSubmatch(list[len(list)-1]); m != nil {
		if advisory.ParseRange(versions).Contains(advisory.ParseVersion(m[1])) == advisory.Yes {
			return ""
		}
		return m[1]
	}
	return ""
}

// table reads tab-separated lines under a header.
func table(s string) []map[string]string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	head := strings.Split(lines[0], "\t")
	var out []map[string]string
	for _, l := range lines[1:] {
		r := map[string]string{}
		for i, cell := range strings.Split(l, "\t") {
			r[head[i]] = strings.TrimSpace(cell)
		}
		out = append(out, r)
	}
	return out
}
