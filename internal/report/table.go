package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"collimator/internal/finding"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// Write writes a report in a form: html, pdf, csv, sarif or json; table is what
// stands on a terminal.
func Write(w io.Writer, form string, r *Report) error {
	switch form {
	case "html":
		return HTML(w, r)
	case "pdf":
		return PDF(w, r)
	case "csv":
		return CSV(w, r)
	case "sarif":
		return SARIF(shown.NewJSON(w), r)
	case "json":
		return JSON(shown.NewJSON(w), r)
	}

	if r.Standing == nil {
		return scanTable(w, r)
	}
	return postureTable(w, r)
}

// Form is that of a file by its name; empty where the name does not tell.
func Form(file string) string {
	switch ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(file)), "."); ext {
	case "html", "pdf", "csv", "sarif", "json":
		return ext
	}
	return ""
}

// printHead prints the sentence, the counts and the facts of a report. It returns
// the issues above information, for the table below.
func printHead(w io.Writer, r *Report) (list []finding.Issue) {
	fmt.Fprintf(w, "%s\n%s.\n", r.Sentence, Counts(r.Issues))
	for _, f := range r.Facts {
		fmt.Fprintln(w, f)
	}
	fmt.Fprintln(w)

	for _, i := range r.Issues {
		if i.Severity > finding.Info {
			list = append(list, i)
		}
	}

	return list
}

// severityCell is the severity of an issue in a table, with a question mark
// where it is not certain.
func severityCell(i finding.Issue) string {
	if i.Possible {
		return i.Severity.String() + "?"
	}

	return i.Severity.String()
}

// postureTable is what stands on the terminal.
func postureTable(w io.Writer, r *Report) error {
	err := terminal.List(w, "table", printHead(w, r), "SEVERITY|CHECK|SYSTEM|WHERE|ISSUE|WHAT TO DO", func(i finding.Issue) []string {
		where := "-"
		if i.Place.Address.IsValid() {
			where = i.Place.String()
		}
		return []string{severityCell(i), i.Check, i.Place.Asset, where, i.Title, i.Fix.Do}
	}, "Nothing is open that needs work.")
	if err != nil {
		return err
	}

	since := "the beginning"
	if !r.Since.IsZero() {
		since = terminal.Minute(r.Since)
	}

	fmt.Fprintf(w, "\n%d accepted until a day, %d changes since %s. The whole report: collimator report --out posture.html\n",
		len(r.Accepted), len(r.Changes)+r.More, since)
	return nil
}

// scanTable writes the report of a scan for a terminal: the head, a table of the
// issues above information with what to do about each, and then the systems with
// their services.
func scanTable(w io.Writer, r *Report) error {
	issues := printHead(w, r)

	row := func(i finding.Issue) []string {
		return []string{severityCell(i), i.Check, i.Place.String(), i.Title, i.Fix.Do}
	}
	err := terminal.List(w, "table", issues, "SEVERITY|CHECK|WHERE|ISSUE|WHAT TO DO", row, "Nothing was found that needs work.")
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
