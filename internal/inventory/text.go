package inventory

import (
	"fmt"
	"io"
	"strings"

	"collimator/internal/advisory"
	"collimator/internal/phrase"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// WriteChecked says in words what Check found: how many systems are affected, and of
// each by which advisory, what to do and what is still to be answered. Systems that
// are not listed are left out unless all is set.
func WriteChecked(w io.Writer, list []Checked, all bool) {
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
		if x.Answer == advisory.NotListed && !all {
			continue
		}

		fmt.Fprintf(w, "\n%s %s: %s\n", x.Asset.ID, shown.Text(x.Asset.Described()), x.Answer)
		for _, m := range x.Matches {
			advisory.WriteMatch(w, m.Match)
			fmt.Fprintf(w, "            %s\n", m.decided())
		}
		for _, m := range x.Outside {
			advisory.WriteOutside(w, m)
		}

		x.Asset.Warning.write(w)
		if len(x.Questions) > 0 {
			fmt.Fprintf(w, "  open: %s\n", strings.Join(x.Questions, " "))
		}
	}
}

// Worst is the worst answer of a list that is neither patched nor accepted.
func Worst(list []Checked) advisory.Answer {
	worst := advisory.NotListed
	for _, x := range list {
		worst = worst.Or(x.Unsettled)
	}
	return worst
}

// Described is the label of a system with what it is.
func (a *Asset) Described() string {
	what := strings.Join(strings.Fields(a.Vendor+" "+a.Product+" "+a.Version), " ")
	label := a.Label()
	if what == "" || label == what || label == strings.TrimSpace(a.Vendor+" "+a.Product) {
		return strings.TrimSpace(strings.Join(strings.Fields(label+" "+a.Version), " "))
	}
	return label + " (" + what + ")"
}

// decided says what was decided about a match.
func (m Settled) decided() string {
	switch {
	case m.Accepted:
		return "issue " + m.Issue + ", accepted"
	case m.Patched:
		return "issue " + m.Issue + ", patched since the advisory"
	}
	return "issue " + m.Issue
}

// write prints what people answered.
func (q *Warning) write(w io.Writer) {
	for _, x := range []struct {
		s    *Statement
		text string
	}{
		{s: q.Patched, text: "patched"},
		{s: q.Protected, text: "protected from public access"},
		{s: q.Gate, text: "behind a gate"},
	} {
		if x.s == nil {
			continue
		}

		answer := terminal.YesNo(x.s.Answer)
		if !x.s.Since.IsZero() {
			answer += ", since " + x.s.Since.UTC().Format("2006-01-02")
		}

		fmt.Fprintf(w, "  %s: %s, says %s on %s", x.text, answer, shown.Text(x.s.Who), terminal.Day(x.s.Made))
		if x.s.Note != "" {
			fmt.Fprintf(w, " (%s)", shown.Text(x.s.Note))
		}
		fmt.Fprintln(w)
	}
}

// Standing is the state of an issue in words, with the last day for which it is
// accepted.
func (i Issue) Standing() string {
	switch {
	case i.Lapsed:
		return "open (was accepted until " + terminal.LastDay(i.AcceptedUntil) + ")"
	case i.State == Accepted:
		return "accepted until " + terminal.LastDay(i.AcceptedUntil)
	}
	return string(i.State)
}

// WriteAsset says in words what is known of a system, who says so, what is wrong
// with it, and what was decided.
func WriteAsset(w io.Writer, a *Asset, issues []Issue) {
	fmt.Fprintf(w, "%s %s\n", a.ID, shown.Text(a.Described()))

	ports := strings.Trim(fmt.Sprint(a.Ports), "[]")
	for _, f := range []struct{ name, text string }{
		{"vendor", a.Vendor},
		{"product", a.Product},
		{"version", a.Version},
		{"serial number", a.Serial},
		{"host name", a.Hostname},
		{"addresses", strings.Join(a.Addresses, ", ")},
		{"hardware addresses", strings.Join(a.MACs, ", ")},
		{"AE titles", strings.Join(a.AETitles, ", ")},
		{"ports", ports},
		{"announces", strings.Join(a.Implementations, ", ")},
		{"location", a.Location},
		{"zone", a.Zone},
		{"owner", a.Owner},
		{"note", a.Note},
	} {
		if f.text != "" {
			fmt.Fprintf(w, "  %-18s  %s\n", f.name, shown.Text(f.text))
		}
	}

	for _, s := range a.Sources {
		fmt.Fprintf(w, "  %-18s  %s, first %s, last %s\n",
			"source", s.Source, terminal.Minute(s.FirstSeen), terminal.Minute(s.LastSeen))
	}
	for _, s := range a.Conflicts {
		fmt.Fprintf(w, "  %-18s  %s\n", "contradiction", shown.Text(s))
	}

	a.Warning.write(w)

	for _, i := range issues {
		fmt.Fprintf(w, "\n%s  %s  %s  %s  %s\n", i.ID, i.Severity, i.Standing(), i.Check, shown.Text(i.Title))
		fmt.Fprintf(w, "  %s\n  do: %s (%s)\n", shown.Text(i.Text), shown.Text(i.Fix.Do), i.Fix.Effort)
		for _, ev := range i.Evidence {
			fmt.Fprintf(w, "  sent: %s\n  came back: %s\n", shown.Text(ev.Sent), shown.Text(ev.Received))
		}
		if i.AcceptedBy != "" {
			fmt.Fprintf(w, "  accepted by %s: %s\n", shown.Text(i.AcceptedBy), shown.Text(i.AcceptedWhy))
		}
	}
}
