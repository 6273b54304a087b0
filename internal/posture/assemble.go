package posture

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/db"
	"collimator/internal/finding"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
	"collimator/internal/report"
)

// changesMost is how many changes a report lists.
const changesMost = 500

// Report says how things stand, with what changed since a time; zero stands for
// the report before this one. keep notes that this one was made.
func (p *Posture) Report(ctx context.Context, since time.Time, keep bool) (*report.Report, error) {
	if err := p.Refresh(ctx); err != nil {
		return nil, err
	}

	answers, err := p.Inventory.Answers(ctx)
	if err != nil {
		return nil, err
	}

	issues, err := p.Inventory.Issues(ctx, "")
	if err != nil {
		return nil, err
	}

	if since.IsZero() {
		if since, err = p.LastReport(ctx); err != nil {
			return nil, err
		}
	}

	changes, err := p.Inventory.Changes(ctx, since, 100_000)
	if err != nil {
		return nil, err
	}

	r := &report.Report{
		Title:    "Security posture of imaging",
		Made:     p.Now(),
		Version:  p.Version,
		Issues:   []finding.Issue{},
		Assets:   []report.Asset{},
		Facts:    []string{},
		Standing: &report.Standing{Since: since, Changes: []report.Change{}, Accepted: []report.Accepted{}, Items: []report.Item{}},
	}

	sortIssues(r, issues, labels(answers))
	for _, c := range answers {
		if a := c.Asset; !a.Refused || a.Warning.Open+a.Warning.Accepted > 0 {
			r.Assets = append(r.Assets, system(c))
		}
	}

	r.More = max(0, len(changes)-changesMost)
	for _, c := range changes[r.More:] {
		r.Changes = append(r.Changes, report.Change{At: c.At, Asset: c.Asset, What: c.String()})
	}

	r.Items = items(r.Issues)
	if err := p.conclude(ctx, r, answers); err != nil {
		return nil, err
	}

	if keep {
		err = p.remember(ctx, r.Made)
	}
	return r, err
}

// sortIssues parts what is open from what is accepted. An issue names the asset
// it belongs to now.
func sortIssues(r *report.Report, issues []inventory.Issue, names map[string]string) {
	for _, i := range issues {
		f := i.Issue

		f.Place.Asset = i.Asset
		switch i.State {
		case inventory.Open:
			r.Issues = append(r.Issues, f)
		case inventory.Accepted:
			if !f.Place.Address.IsValid() {
				f.Place.Asset = names[i.Asset]
			}
			r.Accepted = append(r.Accepted, report.Accepted{
				Issue: f, ID: i.ID, Until: i.AcceptedUntil, By: i.AcceptedBy, Why: i.AcceptedWhy,
			})
		}
	}
	finding.Sort(r.Issues)
}

func labels(answers []inventory.Checked) map[string]string {
	out := map[string]string{}
	for _, c := range answers {
		out[c.Asset.ID] = c.Asset.ID + " " + c.Asset.Label()
	}
	return out
}

// system puts an asset into the form of the report, with the questions of the warning.
func system(c inventory.Checked) report.Asset {
	a := c.Asset
	out := report.Asset{ID: a.ID, Name: a.Label(), Product: strings.Join(strings.Fields(a.Vendor+" "+a.Product+" "+a.Version), " ")}
	if out.Product != "" && a.Confidence > 0 {
		out.Product += fmt.Sprintf(" (%.0f %% sure)", a.Confidence*100)
	}

	if len(a.Addresses) > 0 {
		out.Address, _ = netip.ParseAddr(a.Addresses[0]) // of the register: it was checked there
	}
	if len(a.AETitles) > 0 {
		out.Services = append(out.Services, "AE titles "+strings.Join(a.AETitles, ", "))
	}
	if len(a.Ports) > 0 {
		out.Services = append(out.Services, "ports "+strings.Trim(fmt.Sprint(a.Ports), "[]"))
	}

	if slices.ContainsFunc(a.Sources, func(s inventory.Seen) bool { return s.Source == inventory.Self }) {
		return out // the warning asks about other people's products
	}

	w := a.Warning
	out.Answers = []report.Answer{
		{Question: "affected?", Answer: affected(c)},
		{Question: "patched?", Answer: said(w.Patched)},
		{Question: "protected from public access?", Answer: said(w.Protected)},
		{Question: "behind a gate?", Answer: said(w.Gate)},
	}

	if w.Accepted > 0 {
		answer := phrase.Count(w.Accepted, "issue", "issues") + ", see \"Accepted until a day\""
		out.Answers = append(out.Answers, report.Answer{Question: "accepted?", Answer: answer})
	}

	return out
}

// affected is the answer with what it rests on. There is no "safe".
func affected(c inventory.Checked) string {
	if c.Answer == advisory.NotListed {
		return "not listed: no advisory that is known here names it, which says nothing about it"
	}

	var ids []string
	for _, m := range c.Matches {
		text := m.Advisory
		switch {
		case m.Accepted:
			text += " (accepted)"
		case m.Patched:
			text += " (patched since)"
		case m.Read != "":
			text += " (" + m.Read + ")"
		}

		ids = append(ids, text)
	}
	return fmt.Sprintf("%s: %s", c.Answer, strings.Join(ids, ", "))
}

func said(s *inventory.Statement) string {
	if s == nil {
		return "open: nobody has answered"
	}

	text := "no"
	if s.Answer {
		text = "yes"
	}
	if !s.Since.IsZero() {
		text += ", since " + s.Since.UTC().Format(time.DateOnly)
	}

	text += fmt.Sprintf(", says %s on %s", s.Who, s.Made.Format(time.DateOnly))
	if s.Note != "" {
		text += " (" + s.Note + ")"
	}

	return text
}

// LastReport is when a report was last made and kept; zero where none was.
func (p *Posture) LastReport(ctx context.Context) (at time.Time, err error) {
	var ms int64
	err = p.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(MAX(made), 0) FROM posture_report`).Scan(&ms)
	})
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return db.Instant(ms), nil
}

// reportsMost is how many moments are kept.
const reportsMost = 1000

func (p *Posture) remember(ctx context.Context, at time.Time) error {
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO posture_report (made) VALUES (?1)`, db.Millis(at)); err != nil {
			return err
		}

		_, err := tx.Exec(ctx,
			`DELETE FROM posture_report WHERE id <= (SELECT MAX(id) FROM posture_report) - ?1`, reportsMost)
		return err
	})
}
