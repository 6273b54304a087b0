package posture

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"collimator/internal/finding"
	"collimator/internal/report"
)

// mappingTable says which items of other people's standards a check touches, in
// our own words. "DIM" stands for all checks of the group.
//
//go:embed mapping.tsv
var mappingTable string

// mapped is one line of the table.
type mapped struct {
	checks                []string
	standard, item, words string
}

var mapping = sync.OnceValue(func() []mapped {
	var out []mapped
	for _, line := range strings.Split(strings.TrimSpace(mappingTable), "\n")[1:] {
		f := strings.Split(line, "\t")
		out = append(out, mapped{strings.Fields(f[0]), f[1], f[2], f[3]})
	}
	return out
})

func (m mapped) touches(check string) bool {
	group, _, _ := strings.Cut(check, "-")
	return slices.Contains(m.checks, check) || slices.Contains(m.checks, group)
}

// items are the items that issues touch, in the order of the table, each with
// the checks that do.
func items(issues []finding.Issue) []report.Item {
	var out []report.Item
	for _, m := range mapping() {
		for _, i := range issues {
			if i.Severity == finding.Info || !m.touches(i.Check) {
				continue
			}

			k := slices.IndexFunc(out, func(x report.Item) bool { return x.Standard == m.standard && x.ID == m.item })
			if k < 0 {
				out = append(out, report.Item{Standard: m.standard, ID: m.item, Words: m.words})
				k = len(out) - 1
			}

			out[k].Issues++
			if !slices.Contains(out[k].Checks, i.Check) {
				out[k].Checks = append(out[k].Checks, i.Check)
			}
		}
	}

	for k := range out {
		slices.Sort(out[k].Checks)
	}

	slices.SortStableFunc(out, func(a, b report.Item) int { return order(a.Standard) - order(b.Standard) })
	return out
}

func order(standard string) int {
	return slices.Index([]string{"HIPAA", "NIST SP 1800-24", "IEC 62443-3-3", "IEC 62443-4-2"}, standard)
}
