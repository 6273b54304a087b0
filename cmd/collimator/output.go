package main

import (
	"fmt"

	"collimator/internal/terminal"
)

// outputFlag is on every command that prints a table.
type outputFlag struct {
	Output string `short:"o" help:"Form of the output: table or json." enum:"table,json" default:"table"`
}

// say prints a sentence on standard output.
func (e *env) say(format string, args ...any) error {
	_, err := fmt.Fprintf(e.stdout, format, args...)
	return err
}

// hint prints on standard error what somebody may want to know, a line each. An empty
// line is left out.
func (e *env) hint(lines ...string) {
	for _, line := range lines {
		if line != "" {
			fmt.Fprintln(e.stderr, "collimator: "+line)
		}
	}
}

// asking puts questions to whoever runs the command.
func (e *env) asking() terminal.Asking { return terminal.Asking{In: e.stdin, Prompt: e.stderr} }

// confirm asks a person, who types yes; whatever else is typed ends as no.
func (e *env) confirm(question string, no error) error {
	return e.asking().Until(question+" Type yes: ", 1, no, func(line string) error {
		if line != "yes" {
			return no
		}
		return nil
	})
}
