package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"collimator/internal/shown"
)

// outputFlag is on every command that prints a table.
type outputFlag struct {
	Output string `short:"o" help:"Form of the output: table or json." enum:"table,json" default:"table"`
}

// print writes list as JSON, or as a table with the given header. empty says
// what to do next where there is nothing to show.
func printList[T any](w io.Writer, form string, list []T, header string, row func(T) []string, empty string) error {
	if form == "json" {
		if list == nil {
			list = []T{}
		}
		return printJSON(w, list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.ReplaceAll(header, "|", "\t"))
	for _, item := range list {
		cells := row(item)
		for i := range cells {
			cells[i] = shown.Text(cells[i])
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	return tw.Flush()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateOnly)
}

// lastDay is the last day before an end.
func lastDay(end time.Time) string {
	if end.IsZero() {
		return "-"
	}
	return day(end.Add(-time.Nanosecond))
}

func minute(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// printJSON prints a value for programs.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(shown.NewJSON(w))
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
