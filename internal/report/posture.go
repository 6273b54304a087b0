package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"collimator/internal/fault"
	"collimator/internal/finding"
)

// Standing is what a report of a whole house has beside issues and systems.
type Standing struct {
	// Since is the report before this one; zero where there is none.
	Since time.Time `json:"since,omitzero"`
	// Changes since then, the oldest first; More is how many are left out.
	Changes []Change `json:"changes"`
	More    int      `json:"more,omitempty"`
	// Accepted are issues that somebody lives with until a day.
	Accepted []Accepted `json:"accepted"`
	// Advice is what the warning of 2021 asks for, with how it stands here.
	Advice []Advice `json:"advice"`
	// Items of other people's standards that open issues touch.
	Items []Item `json:"items"`
}

// Change is one difference.
type Change struct {
	At    time.Time `json:"at"`
	Asset string    `json:"asset"`
	What  string    `json:"what"`
}

// Accepted is an issue that somebody lives with.
type Accepted struct {
	finding.Issue
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	Why   string    `json:"why"`
}

// Advice is one thing the warning asks for.
type Advice struct {
	Asks   string `json:"asks"`
	Stands string `json:"stands"`
}

// Item is an item of a standard.
type Item struct {
	Standard string   `json:"standard"`
	ID       string   `json:"id"`
	Words    string   `json:"words"`
	Checks   []string `json:"checks"`
	Issues   int      `json:"issues"`
}

// MappingRemark stands over the items.
const MappingRemark = "The mapping to HIPAA, NIST SP 1800-24 and IEC 62443 is an aid for those who prepare an assessment. It is not an attestation, and an item without an issue is not thereby fulfilled."

// Answer is the answer to a question of the warning about a system.
type Answer struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// JSON writes the whole report.
func JSON(w io.Writer, r *Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Verdict ends as fault.Found where an open issue is at least so severe; Info is
// for never.
func (r *Report) Verdict(failOn finding.Severity) error {
	for _, i := range r.Issues {
		if failOn > finding.Info && i.Severity >= failOn {
			return fault.Ended(fault.Found, fmt.Errorf("issues of severity %s or worse are open", failOn))
		}
	}
	return nil
}
