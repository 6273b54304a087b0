// Package kind is what the kinds of routes have in common: how a block says what it
// lets through, what makes no sense of it, and what it needs done elsewhere. It knows no
// kind, and nothing of what runs.
package kind

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"collimator/dimse/ul"
)

// Block is what a route says in the file that is of one kind alone.
type Block interface {
	// Check fails with a field that cannot be as it is; the error begins with its key.
	Check() error
	// Explain says in sentences what the route lets through, and remarks on it. It was
	// checked.
	Explain(e *Explanation)
	// Steps are what to change elsewhere before the route works.
	Steps(Place) []Step
	// Leads is where the route leads to, CallsAs under which name, and Granted who may do
	// what: a word each, for a table.
	Leads() string
	CallsAs() string
	Granted() string
	// Behind is the address, host:port, of the system that stands behind the route: of one
	// that sends elsewhere the sender's, with port 0 where it is called at none.
	Behind() string
	// Guards are the addresses, host:port, to which nothing gets but by the route: that of
	// the system behind it, and others.
	Guards() []string
	// Listens is the address of a listener of the route's own; empty where what comes for
	// it comes to the server's.
	Listens() string
	// Takes says by what it is known that something is for the route: of two that
	// say the same nobody could tell which is meant. Empty: by the route's name alone.
	Takes() string
	// Example is a line of the block.
	Example() string
}

// RemarkKind is what a remark is about.
type RemarkKind string

// The kinds of remarks.
const (
	Never  RemarkKind = "never"  // it matches nobody and nothing
	Unsafe RemarkKind = "unsafe" // it lets more through than is needed
	Note   RemarkKind = "note"
)

// Remark is something about a route that does not show in its block.
type Remark struct {
	Kind RemarkKind `json:"kind"`
	Text string     `json:"text"`
}

// Explanation is what a route lets through, in words. No patient is named.
type Explanation struct {
	Name string `json:"name"`
	// Says are sentences: one of the route, and one of each rule.
	Says    []string `json:"says"`
	Remarks []Remark `json:"remarks"`
}

// Say adds a sentence.
func (e *Explanation) Say(format string, args ...any) {
	e.Says = append(e.Says, fmt.Sprintf(format, args...))
}

// Remark adds a remark.
func (e *Explanation) Remark(kind RemarkKind, format string, args ...any) {
	e.Remarks = append(e.Remarks, Remark{kind, fmt.Sprintf(format, args...)})
}

// Lines are the explanation a line each, remarks with their kind in front.
func (e Explanation) Lines() []string {
	lines := slices.Clone(e.Says)
	for _, r := range e.Remarks {
		lines = append(lines, string(r.Kind)+": "+r.Text)
	}
	return lines
}

// Print says what a route lets through, under its name.
func (e Explanation) Print(w io.Writer) error {
	lines := e.Lines()
	_, err := fmt.Fprintf(w, "\nRoute %s: %s\n", e.Name, strings.Join(lines, "\n  "))
	return err
}

// Place is where a gate stands in the network.
type Place struct {
	Route        string   // its name
	From         string   // the address it calls a system from
	Plain        string   // host:port at which it takes associations without TLS; empty: nowhere
	Destinations []string // devices to which the system behind sends by way of the gate
}

// Step is a change to make somewhere, with the exact words where there are any.
type Step struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// At is a step.
func At(where, what string) Step { return Step{Where: where, What: what} }

// System splits AETITLE@HOST:PORT. The error says what is wrong with it; example is one
// that is right.
func System(text, example string) (aeTitle, address string, err error) {
	aeTitle, address, ok := strings.Cut(text, "@")
	if !ok {
		return "", "", fmt.Errorf("%q is not AETITLE@HOST:PORT, such as %s", text, example)
	}
	if err := CheckAETitle(aeTitle); err != nil {
		return "", "", err
	}
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
		_, sample, _ := strings.Cut(example, "@")
		return "", "", fmt.Errorf("%q is not HOST:PORT, such as %s", address, sample)
	}
	return aeTitle, address, nil
}

// CheckAETitle fails with what is no AE title.
func CheckAETitle(title string) error {
	if _, err := ul.ParseAETitle(title); err != nil {
		return fmt.Errorf("%q is not an AE title: %w", title, err)
	}
	return nil
}

// Listed joins words as a sentence does.
func Listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
