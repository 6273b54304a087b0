package main

import (
	"fmt"
	"io"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

func printRecords(w io.Writer, form string, list []audit.Record, header bool) error {
	if !header && len(list) == 0 {
		return nil
	}

	if form != "json" {
		list = audit.Joined(list)
	}

	title := "TIME|EVENT|OUTCOME|WHO|ADDRESS|WHAT"
	if !header && form == "table" {
		for _, r := range list {
			if _, err := fmt.Fprintln(w, shown.Text(strings.Join(recordRow(r), "  "))); err != nil {
				return err
			}
		}
		return nil
	}
	return terminal.List(w, form, list, title, recordRow, "No record matches.")
}

func recordRow(r audit.Record) []string {
	outcome := "done"
	if r.Failed() {
		outcome = "REFUSED OR FAILED"
	}
	return []string{r.Time.Local().Format("2006-01-02 15:04:05"), string(r.Event), outcome,
		terminal.Dash(r.Principal), terminal.Dash(r.Peer.Address), terminal.Dash(r.Describe())}
}
