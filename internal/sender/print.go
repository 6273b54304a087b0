package sender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/phrase"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// Print says in words how a transfer went.
func (r Report) Print(w io.Writer) error {
	fmt.Fprintf(w, "%d stored (%s in %.1f s", r.Stored, terminal.Size(r.Bytes), r.Seconds)
	if r.Seconds > 0.001 {
		fmt.Fprintf(w, ", %.0f/s", float64(r.Stored)/r.Seconds)
	}
	fmt.Fprintf(w, "), %d failed", len(r.Failed))

	if n := broken(r.Failed); n > 0 {
		fmt.Fprintf(w, " (%d of them DICOM but broken)", n)
	}

	if r.Warnings > 0 {
		fmt.Fprintf(w, ", %d with a warning", r.Warnings)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(w, ", %d left out because the journal has them", r.Skipped)
	}
	if r.Committed > 0 {
		fmt.Fprintf(w, ", %d committed", r.Committed)
	}

	switch {
	case r.CommitmentUnknown > 0 && r.CommitmentUnknown == r.Stored:
		fmt.Fprint(w, ", commitment unknown")
	case r.CommitmentUnknown > 0:
		fmt.Fprintf(w, ", commitment of %d unknown", r.CommitmentUnknown)
	}

	fmt.Fprintf(w, "%s.\n", r.Counts())

	if r.CommitmentReason != "" {
		fmt.Fprintf(w, "commitment: %s\n", r.CommitmentReason)
	}
	for _, line := range r.Lines() {
		fmt.Fprintln(w, line)
	}
	return errors.Join(printReasons(w, "warning", r.Warned), printReasons(w, "failed", r.Failed))
}

// broken counts the failures that are DICOM and cannot be read.
func broken(failed []Failure) (n int) {
	for _, f := range failed {
		if f.Broken {
			n++
		}
	}
	return n
}

// sameReason is how many files are listed that failed for one reason.
const sameReason = 20

// printReasons lists files with what the peer or we say about them; many files
// with one reason are counted.
func printReasons(w io.Writer, what string, list []Failure) error {
	count := map[string]int{}
	for _, f := range list {
		count[f.Reason]++
		if count[f.Reason] > sameReason {
			continue
		}

		if _, err := fmt.Fprintf(w, "%s: %s: %s\n", what, shown.Text(f.File), f.Reason); err != nil {
			return err
		}
	}

	for _, reason := range slices.Sorted(maps.Keys(count)) {
		if n := count[reason] - sameReason; n > 0 {
			fmt.Fprintf(w, "and %d more: %s (-o json lists them all)\n", n, reason)
		}
	}
	return nil
}

// Lines tell in words what was left out, with the names of a few.
func (p *PassedOver) Lines() []string {
	var out []string
	for _, kind := range []struct {
		list []string
		name string
	}{
		{list: p.NotDICOM, name: "not DICOM"},
		{list: p.DICOMDIRs, name: "DICOMDIR, it holds no object"},
		{list: p.Links, name: "symbolic link, not followed"},
	} {
		for _, path := range kind.list[:min(len(kind.list), sameReason)] {
			out = append(out, fmt.Sprintf("left out: %s: %s", shown.Text(path), kind.name))
		}

		if n := len(kind.list) - sameReason; n > 0 {
			out = append(out, fmt.Sprintf("and %d more: %s (-o json lists them all)", n, kind.name))
		}
	}
	return out
}

// Counts is the end of a sentence: ", 3 not DICOM, 1 symbolic link not followed".
func (p *PassedOver) Counts() string {
	var b strings.Builder
	if n := len(p.NotDICOM); n > 0 {
		fmt.Fprintf(&b, ", %d not DICOM", n)
	}
	if n := len(p.DICOMDIRs); n > 0 {
		fmt.Fprintf(&b, ", %d DICOMDIR", n)
	}
	if n := len(p.Links); n > 0 {
		fmt.Fprintf(&b, ", %d symbolic links not followed", n)
	}
	return b.String()
}

// Verdict says how a transfer ended, with what kept the rest from being sent; nil
// where all was stored and, if that was asked for, committed.
func (r Report) Verdict(ctx context.Context, fatal error) error {
	switch {
	case fatal != nil && r.Stored == 0:
		return fatal
	case ctx.Err() != nil:
		return fault.Partial("stopped before everything was sent; --journal lets you go on where it stopped")
	case len(r.Failed) == 1:
		return fault.Partial("1 object was not stored or not committed")
	case len(r.Failed) > 0:
		failed := phrase.Count(len(r.Failed), "object was", "objects were")
		return fault.Partial("%s not stored or not committed", failed)
	case r.CommitmentUnknown > 0:
		n := r.CommitmentUnknown
		return fault.Partial("the peer has not said that it keeps %d of the stored objects", n)
	case r.Stored == 0 && r.Skipped == 0 && fatal == nil:
		return errors.New("there is no DICOM object to send in what was named")
	}
	return fatal
}
