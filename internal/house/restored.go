package house

import (
	"fmt"
	"io"

	"collimator/internal/backup"
	"collimator/internal/verify"
)

// RestoreReport is what was brought back, and what of it is not as it was recorded.
type RestoreReport struct {
	backup.Restored
	Problems []verify.Problem `json:"problems"`
}

// NewRestoreReport is the report of a restore.
func NewRestoreReport(r backup.Restored, problems []verify.Problem) RestoreReport {
	return RestoreReport{r, append([]verify.Problem{}, problems...)}
}

// Print says in words what is there again, what is wrong with it and what is next.
func (r RestoreReport) Print(w io.Writer) error {
	if err := r.Restored.Print(w); err != nil {
		return err
	}
	return verify.ListProblems(w, r.Problems,
		"All is as it was recorded. Next: collimator serve. What came or was deleted after the backup is not in it.")
}

// RehearsalReport is what a rehearsal brought back, and for people what of it is not
// as it was recorded.
type RehearsalReport struct {
	backup.Rehearsal
	Found []verify.Problem `json:"-"`
}

// Print says in words what came back, and what was found wrong with it.
func (r RehearsalReport) Print(w io.Writer) error {
	if err := r.Rehearsal.Print(w); err != nil {
		return err
	}
	for _, p := range r.Found {
		if _, err := fmt.Fprintf(w, "%s: %s\n", p.Where, p.What); err != nil {
			return err
		}
	}
	return nil
}
