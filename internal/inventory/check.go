package inventory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"collimator/internal/advisory"
	"collimator/internal/db"
	"collimator/internal/finding"
)

// advisoryChecks are the checks that hold assets against advisories.
var advisoryChecks = []string{"ADV-001", "ADV-002", "ADV-003", "ADV-004", "ADV-005", "ADV-006"}

// Checked is the answer for one asset.
type Checked struct {
	Asset  *Asset          `json:"asset"`
	Answer advisory.Answer `json:"answer"`
	// Matches are the advisories that speak of it.
	Matches []Settled        `json:"matches,omitempty"`
	Outside []advisory.Match `json:"outside,omitempty"`
	// Questions of the warning that nobody has answered; empty where it is not listed.
	Questions []string `json:"questions,omitempty"`
	// Unsettled is the worst answer that is neither patched nor accepted.
	Unsettled advisory.Answer `json:"unsettled"`
}

// Settled is a match with what was decided about it.
type Settled struct {
	advisory.Match
	Issue    string `json:"issue"`
	Patched  bool   `json:"patched,omitempty"` // somebody says the fix is in, after the advisory came out
	Accepted bool   `json:"accepted,omitempty"`
}

// Check holds every asset against the advisories, notes what it finds as
// issues, and gives the answers, the worst first.
func (r *Register) Check(ctx context.Context) ([]Checked, error) {
	table, err := r.Advisories(ctx)
	if err != nil {
		return nil, err
	}

	assets, err := r.Assets(ctx)
	if err != nil {
		return nil, err
	}

	run, err := r.Begin(ctx, Advisory, fmt.Sprintf("%d advisories, %d assets", len(table.Advisories), len(assets)))
	if err != nil {
		return nil, err
	}

	out := make([]Checked, len(assets))
	for at := 0; at < len(assets); at += checkBatch { // others write in between
		batch := assets[at:min(at+checkBatch, len(assets))]

		err := r.db.Write(ctx, func(tx *db.Tx) error {
			for i, a := range batch {
				out[at+i] = judge(table, a)
				err := r.report(ctx, tx, a.id, run.ID, finding.Place{Asset: a.ID}, advisoryChecks, out[at+i].issues())
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, r.finish(ctx, table, out)
}

// Answers gives what Check gives and writes nothing: for pages that are looked at.
func (r *Register) Answers(ctx context.Context) ([]Checked, error) {
	table, err := r.Advisories(ctx)
	if err != nil {
		return nil, err
	}
	assets, err := r.Assets(ctx)
	if err != nil {
		return nil, err
	}

	out := make([]Checked, len(assets))
	for i, a := range assets {
		out[i] = judge(table, a)
	}
	return out, r.finish(ctx, table, out)
}

// finish lays over the answers what was decided, and sorts them, the worst first.
func (r *Register) finish(ctx context.Context, table *advisory.Table, out []Checked) error {
	if err := r.settleMatches(ctx, table, out); err != nil {
		return err
	}

	slices.SortStableFunc(out, func(a, b Checked) int {
		return cmp.Or(
			cmp.Compare(worse(b.Unsettled), worse(a.Unsettled)),
			cmp.Compare(worse(b.Answer), worse(a.Answer)),
			cmp.Compare(b.score(), a.score()))
	})
	return nil
}

// checkBatch is how many assets are written in one transaction.
const checkBatch = 500

func worse(a advisory.Answer) int {
	return slices.Index([]advisory.Answer{advisory.NotListed, advisory.Possibly, advisory.Affected}, a)
}

func (c *Checked) score() (most float64) {
	for _, m := range c.Matches {
		most = max(most, m.Score)
	}
	return most
}

// judge looks an asset up, as what it is said to be and as what it announces.
func judge(table *advisory.Table, a *Asset) Checked {
	res := table.Match(a.Identity())
	for name, id := range a.announced() {
		for _, m := range table.Match(id).Matches {
			if !slices.ContainsFunc(res.Matches, func(o advisory.Match) bool { return o.Advisory == m.Advisory }) {
				m.Product += " (announced as " + name + ")"
				res.Matches = append(res.Matches, m)
			}
		}
	}

	c := Checked{Asset: a, Answer: advisory.NotListed, Unsettled: advisory.NotListed, Outside: res.Outside}
	for _, m := range res.Matches {
		c.Matches = append(c.Matches, Settled{Match: m})
		if worse(m.Answer) > worse(c.Answer) {
			c.Answer = m.Answer
		}
	}

	if c.Answer != advisory.NotListed {
		c.Questions = a.Warning.Questions()
	}
	return c
}

// Identity is what a person or a scan says that an asset is.
func (a *Asset) Identity() advisory.Identity {
	return advisory.Identity{Vendor: a.Vendor, Product: a.Product, Version: a.Version}
}

// Identities is what an asset is said to be, and what it announces itself as.
func (a *Asset) Identities() []advisory.Identity {
	list := []advisory.Identity{a.Identity()}
	for _, id := range a.announced() {
		list = append(list, id)
	}
	return list
}

// announced are the toolkits that an asset names as its own, by the name it gives.
func (a *Asset) announced() iter.Seq2[string, advisory.Identity] {
	return func(yield func(string, advisory.Identity) bool) {
		for _, text := range a.Implementations {
			_, name, _ := strings.Cut(text, " ")
			if id, ok := advisory.Toolkit(name); ok && !yield(name, id) {
				return
			}
		}
	}
}

// settleMatches lays what was decided over the matches.
func (r *Register) settleMatches(ctx context.Context, table *advisory.Table, list []Checked) error {
	issues, err := r.Issues(ctx, "")
	if err != nil {
		return err
	}

	byKey := map[string]Issue{}
	for _, i := range issues {
		if len(i.Advisories) > 0 && i.State != Fixed {
			byKey[i.Asset+" "+i.Advisories[0]] = i
		}
	}

	published := map[string]string{}
	for _, a := range table.Advisories {
		published[a.ID] = a.Initial
	}

	for n := range list {
		c := &list[n]
		for k := range c.Matches {
			m := &c.Matches[k]
			issue := byKey[c.Asset.ID+" "+m.Advisory]
			m.Issue = issue.ID
			m.Accepted = issue.State == Accepted

			if p := c.Asset.Warning.Patched; p != nil && p.Answer {
				m.Patched = published[m.Advisory] <= p.Since.UTC().Format("2006-01-02")
			}

			if !m.Accepted && !m.Patched && worse(m.Answer) > worse(c.Unsettled) {
				c.Unsettled = m.Answer
			}
		}
	}
	return nil
}

// issues turns the matches of an asset into issues.
func (c *Checked) issues() []finding.Issue {
	out := make([]finding.Issue, 0, len(c.Matches))
	for _, m := range c.Matches {
		out = append(out, AdvisoryIssue(m.Match, finding.Place{Asset: c.Asset.ID}))
	}
	return out
}

// AdvisoryIssue is the issue that an advisory speaks of what stands at a place.
func AdvisoryIssue(m advisory.Match, place finding.Place) finding.Issue {
	i := finding.Issue{
		Severity:   severity(m.Score),
		Possible:   m.Answer != advisory.Affected,
		Place:      place,
		Advisories: append([]string{m.Advisory}, m.CVEs...),
	}

	announced := strings.Contains(m.Read, "toolkit announces")
	switch {
	case m.HHS && m.Update == advisory.NoUpdate:
		i.Check = "ADV-006"
		i.Severity = finding.Critical
		i.Title = "On the list of the 2021 warning, and the vendor has no update: " + m.Product
	case m.Exploited && m.Answer == advisory.Affected:
		i.Check = "ADV-004"
		i.Severity = finding.Critical
		i.Title = "Has a weakness that is being exploited: " + m.Product
	case announced:
		i.Check = "ADV-005"
		i.Severity = min(max(i.Severity, finding.Medium), finding.High)
		i.Title = "Built on a toolkit older than the fix: " + m.Product
	case m.Answer != advisory.Affected:
		i.Check = "ADV-003"
		i.Severity = min(i.Severity, finding.Medium)
		i.Title = "May be affected by an advisory: " + m.Product
	case m.Class == advisory.All:
		i.Check = "ADV-002"
		i.Title = "Affected in every version: " + m.Product
	default:
		i.Check = "ADV-001"
		i.Title = "Affected version: " + m.Product
	}

	i.Gains = []finding.Gain{finding.StepStone}
	if i.Severity == finding.Critical {
		i.Gains = []finding.Gain{finding.ReadPatients, finding.RunCode}
	}

	i.Text = m.Title + ". Affected: " + m.Versions + "."
	if m.Read != "" {
		i.Text += " Not certain: " + m.Read + "."
	}

	i.Fix = fixOf(m)
	return i
}

func severity(score float64) finding.Severity {
	switch {
	case score >= 9:
		return finding.Critical
	case score >= 7:
		return finding.High
	case score >= 4, score == 0: // a missing score is not an all-clear
		return finding.Medium
	}
	return finding.Low
}

func fixOf(m advisory.Match) finding.Fix {
	f := finding.Fix{Do: m.Fix, Effort: finding.Hours}
	switch m.Update {
	case advisory.Request, advisory.Planned, advisory.Unknown:
		f.Effort = finding.Days
	case advisory.NoUpdate, advisory.Mitigate:
		f.Effort = finding.Days
	}

	if m.Answer == advisory.Possibly && m.Read != "" {
		f.Do = "Compare product and version with the advisory first. Then: " + m.Fix
	}
	return f
}
