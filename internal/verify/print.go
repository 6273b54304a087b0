package verify

import (
	"fmt"
	"io"

	"collimator/internal/terminal"
)

// Report is what a verification found, for programs.
type Report struct {
	Problems    []Problem `json:"problems"`
	Leaves      int64     `json:"leaves"`
	Sample      bool      `json:"sample"`             // not every file was read
	FilesRead   int64     `json:"filesRead,omitzero"` // of Files
	Files       int64     `json:"files,omitzero"`
	Checkpoints int       `json:"checkpoints,omitzero"` // of the witness
}

// Show prints what was found as JSON where form is "json", else as a table.
func (r Result) Show(w io.Writer, form string, o Options) error {
	if form == "json" {
		return terminal.JSON(w, Report{append([]Problem{}, r.Problems...), r.Leaves, o.Sample(),
			r.Files, r.Stored, r.Checkpoints})
	}
	return ListProblems(w, r.Problems, r.Well(o))
}

// Remark says how far a table of problems reaches where it is that of a sample; else it
// is empty.
func (r Result) Remark(o Options) string {
	if !o.Sample() || len(r.Problems) == 0 {
		return ""
	}
	return fmt.Sprintf("It was a sample: %s was read.\n", r.Sampled())
}

// ListProblems prints problems as a table; well stands where there are none.
func ListProblems(w io.Writer, list []Problem, well string) error {
	return terminal.List(w, "table", list, "WHERE|WHAT", func(p Problem) []string { return []string{p.Where, p.What} }, well)
}
