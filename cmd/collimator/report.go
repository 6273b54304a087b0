package main

import (
	"bytes"
	"time"

	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/house"
	"collimator/internal/report"
	"collimator/internal/terminal"
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
		if since, err = terminal.ParseDay("--since", c.Since); err != nil {
			return err
		}
	}

	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		r, err := house.NewPosture(in, a, nil).Report(e.ctx, since, c.Out != "")
		if err != nil {
			return err
		}

		var b bytes.Buffer
		if err := report.Write(&b, form, r); err != nil {
			return err
		}
		if err := terminal.Deliver(e.stdout, c.Out, b.Bytes(), r.Sentence); err != nil {
			return err
		}

		return r.Verdict(c.FailOn)
	})
}

// form is the form of the report: that of -o, else the one that the name after --out
// ends with, else a table.
func (c *reportCmd) form() (string, error) {
	if c.Output != "" {
		return c.Output, nil
	}
	if c.Out == "" {
		return "table", nil
	}
	if form := report.Form(c.Out); form != "" {
		return form, nil
	}
	return "", fault.Usage("--out: the name ends with .html, .pdf, .csv, .sarif or .json, or say the form with -o")
}
