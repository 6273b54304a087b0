package report

import (
	_ "embed"
	"html/template"
	"io"
	"time"

	"collimator/internal/finding"
)

//go:embed report.html
var page string

// HTML writes one page without scripts and without anything from elsewhere.
func HTML(w io.Writer, r *Report) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"words":  words,
		"day":    func(t time.Time) string { return t.Format("2006-01-02 15:04 MST") },
		"of":     r.of,
		"date":   lastDay,
		"remark": func() string { return MappingRemark },
		"title":  func(g finding.Gain) string { return g.Title() },
	}).Parse(page)
	if err != nil {
		return err
	}

	return t.Execute(w, struct {
		*Report
		Counts string
		Groups []group
	}{Report: r, Counts: Counts(r.Issues), Groups: groups(r.Issues)})
}

// lastDay is the last day before the moment at which something ends.
func lastDay(end time.Time) string { return end.Add(-time.Nanosecond).Format(time.DateOnly) }
