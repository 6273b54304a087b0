package report

import (
	"fmt"
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"

	"collimator/internal/finding"
)

// PDF writes the report as A4 pages. Characters outside of Windows code page
// 1252 become dots, as the built-in fonts have no others.
func PDF(w io.Writer, r *Report) error {
	f := fpdf.New("P", "mm", "A4", "")
	p := &paper{f, f.UnicodeTranslatorFromDescriptor("")}

	f.SetTitle(r.Title, true)
	f.SetCreationDate(r.Made)
	f.SetModificationDate(r.Made)
	f.SetCatalogSort(true)

	f.SetMargins(18, 18, 18)
	f.SetAutoPageBreak(true, 18)
	f.AliasNbPages("{pages}")

	f.SetFooterFunc(func() {
		f.SetY(-12)
		f.SetFont("Helvetica", "", 8)
		f.CellFormat(0, 5, fmt.Sprintf("%s, page %d of {pages}", p.text(r.Title), f.PageNo()), "", 0, "C", false, 0, "")
	})

	f.AddPage()
	p.line("B", 18, r.Title)
	p.line("B", 14, r.Sentence)
	p.line("", 10, fmt.Sprintf("%s. Made %s.", Counts(r.Issues), r.Made.Format("2006-01-02 15:04 MST")))

	for _, fact := range r.Facts {
		p.line("", 9, fact)
	}

	p.heading("Issues, by what an attacker gets")
	for _, g := range groups(r.Issues) {
		p.line("B", 11, g.Gain.Title())
		for _, c := range g.Checks {
			p.line("B", 10, fmt.Sprintf("[%s] %s (%s)", words(c.Issue), c.Title, c.Check))
			p.line("", 9, strings.Join(c.Places, ", "))
			p.line("I", 9, fmt.Sprintf("%s (%s)", c.Fix.Do, c.Fix.Effort))
			p.Ln(1.5)
		}
	}

	p.heading("Attack surface, system by system")
	for _, a := range r.Assets {
		p.asset(a, r.of(a))
	}

	if r.Standing != nil {
		p.standing(r.Standing)
	}

	if err := f.Output(w); err != nil {
		return fmt.Errorf("report: PDF: %w", err)
	}
	return nil
}

// paper is a document with the few things that are drawn on it.
type paper struct {
	*fpdf.Fpdf
	text func(string) string
}

func (p *paper) line(style string, size float64, s string) {
	if s == "" {
		return
	}
	p.SetFont("Helvetica", style, size)
	p.MultiCell(0, size*0.45, p.text(s), "", "L", false)
}

func (p *paper) heading(s string) {
	p.Ln(4)
	p.line("B", 13, s)
	p.Ln(1)
}

func (p *paper) asset(a Asset, issues []finding.Issue) {
	p.Ln(2)
	p.line("B", 11, a.String())
	p.line("", 9, a.Product)
	for _, s := range a.Services {
		p.line("", 9, s)
	}
	for _, x := range a.Answers {
		p.line("", 9, x.Question+" "+x.Answer)
	}
	p.line("B", 9, a.Note)

	for _, i := range issues {
		p.Ln(1)
		p.line("B", 9.5, fmt.Sprintf("[%s] %s (%s, %s)", words(i), i.Title, i.Check, i.Place))
		p.line("", 9, i.Text)
		for _, e := range i.Evidence {
			p.line("", 8, "Sent: "+e.Sent+". Received: "+e.Received+".")
		}

		if i.Severity == finding.Info {
			continue
		}
		p.line("I", 9, fmt.Sprintf("%s (%s)", i.Fix.Do, i.Fix.Effort))

		for _, c := range i.Fix.Changes {
			p.line("", 8, c.Where+":")
			p.SetFont("Courier", "", 8)
			p.MultiCell(0, 3.6, p.text(c.Text), "", "L", false)
		}
	}
}

// standing draws what only the report of a whole house has.
func (p *paper) standing(s *Standing) {
	p.heading("Accepted until a day")
	for _, a := range s.Accepted {
		p.line("", 9, fmt.Sprintf("%s %s (%s, %s): until %s, by %s: %s",
			a.ID, a.Title, a.Check, a.Place, lastDay(a.Until), a.By, a.Why))
	}
	if len(s.Accepted) == 0 {
		p.line("", 9, "Nothing is accepted.")
	}

	since := "the beginning"
	if !s.Since.IsZero() {
		since = s.Since.Format("2006-01-02 15:04 MST")
	}

	p.heading("What changed since " + since)
	for _, c := range s.Changes {
		p.line("", 9, fmt.Sprintf("%s  %s  %s", c.At.Format("2006-01-02 15:04"), c.Asset, c.What))
	}
	switch {
	case s.More > 0:
		p.line("", 9, fmt.Sprintf("And %d more: collimator inventory changes.", s.More))
	case len(s.Changes) == 0:
		p.line("", 9, "Nothing changed.")
	}

	p.heading("What the warning of 2021 asks")
	for _, a := range s.Advice {
		p.line("B", 9, a.Asks)
		p.line("", 9, a.Stands)
	}

	p.heading("Items of standards that open issues touch")
	p.line("I", 9, MappingRemark)
	for _, i := range s.Items {
		p.line("", 9, fmt.Sprintf("%s %s, %s: %s (%d)", i.Standard, i.ID, i.Words, strings.Join(i.Checks, ", "), i.Issues))
	}
}
