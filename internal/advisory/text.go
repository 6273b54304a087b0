package advisory

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"collimator/internal/fault"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// Write says in words what an advisory names: products, versions, CVEs, what to do.
func (a *Advisory) Write(w io.Writer) error {
	fmt.Fprintf(w, "%s  %s\n", a.ID, shown.Text(a.Title))
	fmt.Fprintf(w, "published %s, changed %s, %s\n\n",
		terminal.Dash(a.Initial), terminal.Dash(a.Current), shown.Text(a.Source))
	fmt.Fprintf(w, "%s\n\n", shown.Text(a.Fix))

	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "VENDOR\tPRODUCT\tAFFECTED\tCLASS\tSCORE\tFIXED IN\tUPDATE\tCVES")
	for _, r := range a.Rules {
		g := r.Range()

		ids := r.IDs()
		for i, cve := range r.CVEs {
			if cve.Exploited {
				ids[i] += " (exploited)"
			}
		}

		if len(ids) > 4 {
			ids = append(ids[:4:4], fmt.Sprintf("and %d more", len(ids)-4))
		}

		fmt.Fprintln(tw, strings.Join([]string{
			shown.Text(r.Vendors[0]), shown.Text(r.Product), shown.Text(g.String()), string(g.Class), Score(r.Score),
			terminal.Dash(shown.Text(r.Fixed)), string(r.Update), strings.Join(ids, " "),
		}, "\t"))
	}

	return tw.Flush()
}

// Select lists the advisories of a vendor, however it is written, or of all where
// none is named; with alert only those that the sector alert of June 2021 names.
func (t *Table) Select(vendor string, alert bool) (list []Advisory) {
	for _, a := range t.Advisories {
		if t.speaks(&a, vendor, alert) {
			list = append(list, a)
		}
	}
	return list
}

func (t *Table) speaks(a *Advisory, name string, alert bool) bool {
	vendor := name == ""
	hhs := !alert
	for _, r := range a.Rules {
		hhs = hhs || r.HHS
		for _, v := range r.Vendors {
			vendor = vendor || t.Vendor(v) == t.Vendor(name)
		}
	}
	return vendor && hhs
}

// Named is the answer about a product that somebody named.
type Named struct {
	Vendor  string `json:"vendor,omitempty"`
	Product string `json:"product"`
	Version string `json:"version,omitempty"`
	Result
}

// MatchAll answers about each product, and gives the worst answer.
func (t *Table) MatchAll(ids []Identity) (list []Named, worst Answer) {
	worst = NotListed
	for _, id := range ids {
		n := Named{Vendor: id.Vendor, Product: id.Product, Version: id.Version, Result: t.Match(id)}
		list = append(list, n)
		worst = worst.Or(n.Answer)
	}
	return list, worst
}

// WriteNamed prints the answer for each product, and below it the advisories that
// count or name other versions. Errors of w are not reported.
func WriteNamed(w io.Writer, list []Named) {
	for _, m := range list {
		words := strings.Fields(m.Vendor + " " + m.Product + " " + m.Version)
		fmt.Fprintf(w, "%s: %s\n", shown.Text(strings.Join(words, " ")), m.Answer)

		for _, x := range m.Matches {
			WriteMatch(w, x)
		}
		for _, x := range m.Outside {
			WriteOutside(w, x)
		}

		if m.Answer == NotListed {
			what := "it"
			if len(m.Outside) > 0 {
				what = "this version"
			}
			fmt.Fprintf(w, "  No advisory known here names %s. That does not mean that it has no weakness.\n", what)
		}
	}
}

// WriteOutside says that an advisory names other versions of a product.
func WriteOutside(w io.Writer, m Match) {
	fmt.Fprintf(w, "  %s names %s %s, and this version is not among them\n",
		m.Advisory, shown.Text(m.Product), shown.Text(m.Versions))
}

// Or is the worse of two answers.
func (a Answer) Or(b Answer) Answer {
	if b == Affected || a == NotListed {
		return b
	}
	return a
}

// Verdict ends as fault.Partly where an answer is a limit or worse: "affected" or
// "possibly"; an empty limit is for never.
func (a Answer) Verdict(limit string) error {
	if limit == "" || a == NotListed || limit == "affected" && a != Affected {
		return nil
	}
	return fault.Partial("something is %s", map[Answer]string{Affected: "affected", Possibly: "possibly affected"}[a])
}

// WriteMatch says one match in words, under the product it belongs to.
func WriteMatch(w io.Writer, m Match) {
	fmt.Fprintf(w, "  %-8s  %s  %s: %s  score %s  %s\n",
		m.Answer, m.Advisory, shown.Text(m.Product), shown.Text(m.Versions), Score(m.Score), m.better())
	if m.Read != "" {
		fmt.Fprintf(w, "            read: %s\n", shown.Text(m.Read))
	}
	fmt.Fprintf(w, "            do: %s\n", shown.Text(m.Fix))
}

// better says what the vendor has.
func (m Match) better() string {
	switch {
	case m.Fixed != "":
		return "fixed in " + shown.Text(m.Fixed)
	case m.Update == NoUpdate:
		return "no update: isolate behind a gate"
	case m.Update == Request:
		return "update on request"
	case m.Update == Mitigate:
		return "no update: settings only"
	case m.Update == Planned:
		return "update announced"
	case m.Update == Available:
		return "update available"
	}
	return "update not known"
}

// Score is a CVSS score in a table; a dash where there is none.
func Score(n float64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", n)
}
