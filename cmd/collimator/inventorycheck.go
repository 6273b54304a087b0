package main

import (
	"fmt"
	"io"
	"strings"

	"collimator/internal/advisory"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
)

type inventoryCheckCmd struct {
	dataFlags
	outputFlag
	FailOn string `help:"End with code 3 when an answer that is neither patched nor accepted is this or worse: affected or possibly." placeholder:"ANSWER" enum:",affected,possibly" default:""`
	All    bool   `help:"Also print the systems that are not listed."`
}

func (inventoryCheckCmd) Help() string {
	return `For each system: affected, possibly (with what to compare) or not listed; by which advisory, what to do,
and which questions of the warning are still open. There is no "safe". What is found is kept as issues;
what is gone since the last check becomes fixed.

Example:
  collimator inventory check --fail-on affected`
}

func (c *inventoryCheckCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		list, err := in.inventory.Check(e.ctx)
		if err != nil {
			return err
		}
		worst := advisory.NotListed
		for _, x := range list {
			if x.Unsettled == advisory.Affected || worst == advisory.NotListed {
				worst = x.Unsettled
			}
		}
		if c.Output == "json" {
			if list == nil {
				list = []inventory.Checked{}
			}
			if err := printJSON(e.stdout, list); err != nil {
				return err
			}
			return failOn(c.FailOn, worst)
		}
		c.print(e.stdout, list)
		return failOn(c.FailOn, worst)
	})
}

func (c *inventoryCheckCmd) print(w io.Writer, list []inventory.Checked) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No system is known yet. Take a register in with 'collimator inventory import FILE.csv'.")
		return
	}

	count := map[advisory.Answer]int{}
	for _, x := range list {
		count[x.Answer]++
	}

	fmt.Fprintf(w, "%s: %d affected, %d possibly, %d not listed.\n", phrase.Count(len(list), "system", "systems"),
		count[advisory.Affected], count[advisory.Possibly], count[advisory.NotListed])

	for _, x := range list {
		if x.Answer == advisory.NotListed && !c.All {
			continue
		}
		fmt.Fprintf(w, "\n%s %s: %s\n", x.Asset.ID, printable(labelOf(x.Asset)), x.Answer)
		for _, m := range x.Matches {
			writeMatch(w, m.Match)
			fmt.Fprintf(w, "            %s\n", settled(m))
		}
		for _, m := range x.Outside {
			fmt.Fprintf(w, "  %s names %s %s, and this version is not among them\n", m.Advisory, printable(m.Product), printable(m.Versions))
		}
		writeAnswers(w, &x.Asset.Warning)
		if len(x.Questions) > 0 {
			fmt.Fprintf(w, "  open: %s\n", strings.Join(x.Questions, " "))
		}
	}
}

func labelOf(a *inventory.Asset) string {
	what := strings.Join(strings.Fields(a.Vendor+" "+a.Product+" "+a.Version), " ")
	label := a.Label()
	if what == "" || label == what || label == strings.TrimSpace(a.Vendor+" "+a.Product) {
		return strings.TrimSpace(strings.Join(strings.Fields(label+" "+a.Version), " "))
	}
	return label + " (" + what + ")"
}

// settled says what was decided about a match.
func settled(m inventory.Settled) string {
	switch {
	case m.Accepted:
		return "issue " + m.Issue + ", accepted"
	case m.Patched:
		return "issue " + m.Issue + ", patched since the advisory"
	}
	return "issue " + m.Issue
}

// writeAnswers prints what people answered.
func writeAnswers(w io.Writer, q *inventory.Warning) {
	for _, x := range []struct {
		s    *inventory.Statement
		text string
	}{{q.Patched, "patched"}, {q.Protected, "protected from public access"}, {q.Gate, "behind a gate"}} {
		if x.s == nil {
			continue
		}
		answer := "no"
		if x.s.Answer {
			answer = "yes"
		}
		if !x.s.Since.IsZero() {
			answer += ", since " + x.s.Since.UTC().Format("2006-01-02")
		}
		fmt.Fprintf(w, "  %s: %s, says %s on %s", x.text, answer, printable(x.s.Who), day(x.s.Made))
		if x.s.Note != "" {
			fmt.Fprintf(w, " (%s)", printable(x.s.Note))
		}
		fmt.Fprintln(w)
	}
}

type inventoryIssuesCmd struct {
	dataFlags
	outputFlag
	Asset string `arg:"" optional:"" help:"Only of this system."`
	Fixed bool   `help:"Also those that are fixed."`
}

func (inventoryIssuesCmd) Help() string { return "Example:\n  collimator inventory issues A12" }

func (c *inventoryIssuesCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		all, err := in.inventory.Issues(e.ctx, c.Asset)
		if err != nil {
			return err
		}
		var list []inventory.Issue
		for _, i := range all {
			if c.Fixed || i.State != inventory.Fixed {
				list = append(list, i)
			}
		}
		return printList(e.stdout, c.Output, list, "ISSUE|ASSET|SEVERITY|STATE|CHECK|TITLE|FIRST SEEN|LAST SEEN", issueRow,
			"No issue is known. 'collimator inventory check' holds the systems against the advisories.")
	})
}

func issueRow(i inventory.Issue) []string {
	state := string(i.State)
	switch {
	case i.Lapsed:
		state = "open (was accepted until " + lastDay(i.AcceptedUntil) + ")"
	case i.State == inventory.Accepted:
		state = "accepted until " + lastDay(i.AcceptedUntil)
	}
	return []string{i.ID, i.Asset, i.Severity.String(), state, i.Check, i.Title, minute(i.FirstSeen), minute(i.LastSeen)}
}

type inventoryShowCmd struct {
	dataFlags
	outputFlag
	Asset string `arg:"" help:"The system, such as A12."`
}

func (inventoryShowCmd) Help() string { return "Example:\n  collimator inventory show A12" }

// assetDetail is one system with its issues, for programs.
type assetDetail struct {
	*inventory.Asset
	Issues []inventory.Issue `json:"issues"`
}

func (c *inventoryShowCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		a, err := in.inventory.Asset(e.ctx, c.Asset)
		if err != nil {
			return err
		}
		issues, err := in.inventory.Issues(e.ctx, c.Asset)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(e.stdout, assetDetail{a, issues})
		}
		showAsset(e.stdout, a, issues)
		return nil
	})
}

func showAsset(w io.Writer, a *inventory.Asset, issues []inventory.Issue) {
	fmt.Fprintf(w, "%s %s\n", a.ID, printable(labelOf(a)))
	for _, f := range []struct{ name, text string }{
		{"vendor", a.Vendor}, {"product", a.Product}, {"version", a.Version}, {"serial number", a.Serial}, {"host name", a.Hostname}, {"addresses", strings.Join(a.Addresses, ", ")},
		{"hardware addresses", strings.Join(a.MACs, ", ")}, {"AE titles", strings.Join(a.AETitles, ", ")}, {"ports", strings.Trim(fmt.Sprint(a.Ports), "[]")},
		{"announces", strings.Join(a.Implementations, ", ")}, {"location", a.Location}, {"zone", a.Zone}, {"owner", a.Owner}, {"note", a.Note},
	} {
		if f.text != "" {
			fmt.Fprintf(w, "  %-18s  %s\n", f.name, printable(f.text))
		}
	}

	for _, s := range a.Sources {
		fmt.Fprintf(w, "  %-18s  %s, first %s, last %s\n", "source", s.Source, minute(s.FirstSeen), minute(s.LastSeen))
	}
	for _, s := range a.Conflicts {
		fmt.Fprintf(w, "  %-18s  %s\n", "contradiction", printable(s))
	}

	writeAnswers(w, &a.Warning)

	for _, i := range issues {
		row := issueRow(i)
		fmt.Fprintf(w, "\n%s  %s  %s  %s  %s\n", row[0], row[2], row[3], row[4], printable(row[5]))
		fmt.Fprintf(w, "  %s\n  do: %s (%s)\n", printable(i.Text), printable(i.Fix.Do), i.Fix.Effort)
		for _, ev := range i.Evidence {
			fmt.Fprintf(w, "  sent: %s\n  came back: %s\n", printable(ev.Sent), printable(ev.Received))
		}
		if i.AcceptedBy != "" {
			fmt.Fprintf(w, "  accepted by %s: %s\n", printable(i.AcceptedBy), printable(i.AcceptedWhy))
		}
	}
}
