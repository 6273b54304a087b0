package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"collimator/internal/durable"
	"collimator/internal/finding"
	"collimator/internal/house"
	"collimator/internal/report"
	"collimator/internal/scan"
	"collimator/internal/shown"
)

// write prints the result, or writes it into --out.
func (c *scanCmd) write(e *env, r *scan.Result) error {
	var b bytes.Buffer
	if err := c.render(&b, r); err != nil {
		return err
	}
	if c.Out == "" {
		_, err := b.WriteTo(e.stdout)
		return err
	}
	if err := durable.Whole(c.Out, b.Bytes(), 0o600); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "%s Written to %s.\n", report.Sentence(r.Issues()), c.Out)
	return err
}

func (c *scanCmd) render(w io.Writer, r *scan.Result) error {
	rep := scanReport(r)
	switch c.Output {
	case "json":
		return printJSON(w, struct {
			Sentence string `json:"sentence"`
			*scan.Result
		}{rep.Sentence, r})
	case "csv":
		return report.CSV(w, rep)
	case "sarif":
		return report.SARIF(shown.NewJSON(w), rep)
	case "html":
		return report.HTML(w, rep)
	case "pdf":
		return report.PDF(w, rep)
	}
	return scanTable(w, rep)
}

// scanReport puts a result into the form of a report.
func scanReport(r *scan.Result) *report.Report {
	issues := r.Issues()
	rep := &report.Report{
		Title: "Attack surface of imaging", Sentence: report.Sentence(issues), Made: r.Ended, Issues: issues, Version: house.Version(),
		Facts: []string{fmt.Sprintf("%d of %d addresses were looked at with %d connections in %s; %d answered, %d have services.",
			r.Looked, r.Addresses, r.Connections, r.Ended.Sub(r.Started).Round(100*time.Millisecond), r.Alive, len(r.Hosts))},
	}
	for _, h := range r.Hosts {
		a := report.Asset{Name: h.Facts.Name, Address: h.Facts.Address, Services: scan.Services(h.Facts), Note: h.Facts.Stopped}
		rep.Assets = append(rep.Assets, a)
	}
	return rep
}

// scanTable is what stands on the terminal: the sentence, the issues above
// information with what to do, then the systems.
func scanTable(w io.Writer, r *report.Report) error {
	err := printList(w, "table", printHead(w, r), "SEVERITY|CHECK|WHERE|ISSUE|WHAT TO DO", func(i finding.Issue) []string {
		return []string{severityCell(i), i.Check, i.Place.String(), i.Title, i.Fix.Do}
	}, "Nothing was found that needs work.")
	if err != nil || len(r.Assets) == 0 {
		return err
	}
	fmt.Fprintln(w)
	for _, a := range r.Assets {
		fmt.Fprintln(w, shown.Text(a.String()))
		for _, s := range a.Services {
			fmt.Fprintln(w, "  "+shown.Text(s))
		}
		if a.Note != "" {
			fmt.Fprintln(w, "  "+shown.Text(a.Note))
		}
	}
	return nil
}
