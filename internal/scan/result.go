package scan

import (
	"cmp"
	"slices"
	"time"

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
			worst, ok = max(worst, i.Severity), true
		}
	}
	return worst, ok
}

func (r *Result) sort() {
	slices.SortFunc(r.Hosts, func(a, b HostResult) int {
		return cmp.Or(a.Facts.Address.Compare(b.Facts.Address), cmp.Compare(a.Facts.Name, b.Facts.Name))
	})
}
