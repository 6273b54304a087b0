package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"collimator/internal/archive"
	"collimator/internal/durable"
	"collimator/internal/finding"
	"collimator/internal/house"
	"collimator/internal/report"
	"collimator/internal/shown"
)

type reportCmd struct {
	dataFlags
	Out    string           `help:"File to write: .html, .pdf, .csv, .sarif or .json; without it a summary is printed." placeholder:"FILE"`
	Output string           `short:"o" help:"Form of the output: table, json, csv, sarif, html or pdf. Default: by the name of the file, or table." enum:",table,json,csv,sarif,html,pdf" default:""`
	Since  string           `help:"Say what changed since this day; default: since the last report." placeholder:"DATE"`
	FailOn finding.Severity `help:"Exit with code 5 where an open issue is at least so severe: critical, high, medium, low." placeholder:"SEVERITY"`
}

func (reportCmd) Help() string {
	return `The posture report: how things stand in one sentence with numbers, open issues by what an
attacker gets, each system with the questions of the 2021 warning, what is accepted until when,
what changed since the last report, and which items of HIPAA, NIST SP 1800-24 and IEC 62443 it
touches. Nothing is sent; it is made of the inventory. A report that is written into a file is
remembered: the next one says what changed since.

Examples:
  collimator report
  collimator report --out posture.html
  collimator report --out posture.pdf --since 2026-11-01
  collimator report --out posture.sarif --fail-on critical`
}

func (c *reportCmd) Run(e *env) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	var since time.Time
	if c.Since != "" {
		if since, err = parseDay("--since", c.Since); err != nil {
			return err
		}
	}
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		r, err := house.NewPosture(in, a, nil).Report(e.ctx, since, c.Out != "")
		if err != nil {
			return err
		}
		if err := c.write(e, form, r); err != nil {
			return err
		}
		for _, i := range r.Issues {
			if c.FailOn > finding.Info && i.Severity >= c.FailOn {
				return &exitError{exitFound, fmt.Errorf("issues of severity %s or worse are open", c.FailOn)}
			}
		}
		return nil
	})
}

// form is what is written.
func (c *reportCmd) form() (string, error) {
	if c.Output != "" {
		return c.Output, nil
	}
	if c.Out == "" {
		return "table", nil
	}
	switch ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(c.Out)), "."); ext {
	case "html", "pdf", "csv", "sarif", "json":
		return ext, nil
	}
	return "", usageError("--out: the name ends with .html, .pdf, .csv, .sarif or .json, or say the form with -o")
}

func (c *reportCmd) write(e *env, form string, r *report.Report) error {
	write := map[string]func(io.Writer, *report.Report) error{
		"html": report.HTML, "pdf": report.PDF, "csv": report.CSV, "sarif": report.SARIF, "json": report.JSON, "table": postureTable,
	}[form]
	var b bytes.Buffer
	var w io.Writer = &b
	if form == "json" || form == "sarif" {
		w = shown.NewJSON(&b)
	}
	if err := write(w, r); err != nil {
		return err
	}
	if c.Out == "" {
		_, err := b.WriteTo(e.stdout)
		return err
	}
	if err := durable.Whole(c.Out, b.Bytes(), 0o600); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "%s Written to %s.\n", r.Sentence, c.Out)
	return err
}

// printHead prints the sentence, the counts and the facts of a report. It returns
// the issues above information, for the table below.
func printHead(w io.Writer, r *report.Report) (list []finding.Issue) {
	fmt.Fprintf(w, "%s\n%s.\n", r.Sentence, report.Counts(r.Issues))
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
func postureTable(w io.Writer, r *report.Report) error {
	err := printList(w, "table", printHead(w, r), "SEVERITY|CHECK|SYSTEM|WHERE|ISSUE|WHAT TO DO", func(i finding.Issue) []string {
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
		since = minute(r.Since)
	}
	fmt.Fprintf(w, "\n%d accepted until a day, %d changes since %s. The whole report: collimator report --out posture.html\n", len(r.Accepted), len(r.Changes)+r.More, since)
	return nil
}
