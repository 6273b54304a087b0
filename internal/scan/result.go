package scan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"collimator/internal/fault"
	"collimator/internal/finding"
)

// Result is what came of a scan.
type Result struct {
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Addresses is how many were to be looked at, Looked how many were, Alive
	// how many answered anything.
	Addresses   uint64       `json:"addresses"`
	Looked      uint64       `json:"looked"`
	Alive       uint64       `json:"alive"`
	Connections uint64       `json:"connections"`
	Hosts       []HostResult `json:"hosts"`
}

// Issues are those of all hosts, the worst first.
func (r *Result) Issues() []finding.Issue {
	var out []finding.Issue
	for _, h := range r.Hosts {
		out = append(out, h.Issues...)
	}
	finding.Sort(out)
	return out
}

// Worst is the worst severity of all issues; ok is false where there is none.
func (r *Result) Worst() (worst finding.Severity, ok bool) {
	for _, h := range r.Hosts {
		for _, i := range h.Issues {
			worst = max(worst, i.Severity)
			ok = true
		}
	}
	return worst, ok
}

func (r *Result) sort() {
	slices.SortFunc(r.Hosts, func(a, b HostResult) int {
		return cmp.Or(a.Facts.Address.Compare(b.Facts.Address), cmp.Compare(a.Facts.Name, b.Facts.Name))
	})
}

// Verdict says how a scan ended: err is why it was stopped, state the file from
// which it can go on, and failOn the severity from which on somebody wants to be
// told, with fault.Found; Info for none.
func (r *Result) Verdict(err error, state string, failOn finding.Severity) error {
	if err != nil {
		hint := ""
		if state != "" {
			hint = "; run the same command again to go on"
		}
		return fault.Partial("%w%s", err, hint)
	}

	if worst, ok := r.Worst(); ok && failOn > finding.Info && worst >= failOn {
		return fault.Ended(fault.Found, fmt.Errorf("issues of severity %s or worse were found", failOn))
	}
	return nil
}
