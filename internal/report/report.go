// Package report writes what is wrong with systems, and what to do about it,
// for people and for other programs: HTML, PDF, CSV and SARIF. It judges
// nothing and keeps nothing. What it is given holds no data of patients; text
// that came from peers is escaped all the same.
package report

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"collimator/internal/finding"
	"collimator/internal/phrase"
)

// Report is what is written.
type Report struct {
	Title string `json:"title"`
	// Sentence stands at the head and holds a number; see Sentence.
	Sentence string    `json:"sentence"`
	Made     time.Time `json:"made"`
	// Facts are lines about what was looked at and how.
	Facts  []string        `json:"facts"`
	Issues []finding.Issue `json:"issues"`
	Assets []Asset         `json:"assets"`
	// Version of the program, for SARIF.
	Version string `json:"version"`
	// Standing is there in the report of a whole house.
	*Standing
}

// Asset is one system.
type Asset struct {
	// ID is that of the inventory, where it is known there; issues that name it
	// as their asset are its own.
	ID      string     `json:"id,omitempty"`
	Name    string     `json:"name,omitempty"`
	Address netip.Addr `json:"address,omitzero"`
	Product string     `json:"product,omitempty"`
	// Services are its ports in words.
	Services []string `json:"services,omitempty"`
	// Answers are those to the questions of the warning.
	Answers []Answer `json:"answers,omitempty"`
	// Note is a remark such as why the look was broken off.
	Note string `json:"note,omitempty"`
}

// String is the name and the address.
func (a Asset) String() string {
	name := strings.TrimSpace(a.ID + " " + a.Name)
	switch {
	case name == "":
		return a.Address.String()
	case !a.Address.IsValid():
		return name
	}
	return name + " (" + a.Address.String() + ")"
}

// open are the checks that prove that a service can be used without signing in.
func open(check string) bool {
	switch check {
	case "ASC-001", "ASC-002", "DIM-001", "DIM-002", "DIM-003", "DIM-005", "DIM-007", "DIM-008", "TLS-009",
		"WEB-002", "WEB-003", "WEB-004", "WEB-005", "WEB-006", "WEB-008", "WEB-012", "WEB-022":
		return true
	}
	return false
}

// OpenToStrangers reports that an issue proves that a service can be used
// without signing in.
func OpenToStrangers(i finding.Issue) bool { return open(i.Check) && !i.Possible }

// Sentence says in one sentence how things stand: how many systems can be used
// without signing in.
func Sentence(issues []finding.Issue) string {
	systems := map[string]bool{}
	for _, i := range issues {
		if OpenToStrangers(i) {
			systems[system(i)] = true
		}
	}
	return phrase.Count(len(systems), "system is", "systems are") + " reachable without authentication."
}

func system(i finding.Issue) string {
	if i.Place.Address.IsValid() {
		return i.Place.Address.String()
	}
	return i.Place.Asset
}

// Counts says how many issues there are of each severity, the worst first.
func Counts(issues []finding.Issue) string {
	n := map[finding.Severity]int{}
	for _, i := range issues {
		n[i.Severity]++
	}

	var words []string
	for s := finding.Critical; ; s-- {
		if n[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[s], s))
		}
		if s == finding.Info {
			break
		}
	}

	if len(words) == 0 {
		return "no issues"
	}
	return strings.Join(words, ", ")
}

// group is what an attacker gets, with the issues that give it.
type group struct {
	Gain   finding.Gain
	Checks []checkGroup
}

// checkGroup is one weakness at all its places.
type checkGroup struct {
	finding.Issue
	Places []string
}

// groups orders issues by their worst gain, then severity; one weakness at many
// places is named once. Information is left out.
func groups(issues []finding.Issue) []group {
	var out []group
	for _, gain := range finding.Gains() {
		byCheck := map[string]*checkGroup{}
		var order []string
		for _, i := range issues {
			if i.Severity == finding.Info || first(i.Gains) != gain {
				continue
			}
			if byCheck[i.Check] == nil {
				byCheck[i.Check] = &checkGroup{Issue: i}
				order = append(order, i.Check)
			}

			g := byCheck[i.Check]
			g.Severity = max(g.Severity, i.Severity)
			g.Possible = g.Possible && i.Possible
			g.Places = append(g.Places, i.Place.String())
		}

		if len(order) == 0 {
			continue
		}

		g := group{Gain: gain}
		for _, id := range order {
			g.Checks = append(g.Checks, *byCheck[id])
		}

		slices.SortStableFunc(g.Checks, func(a, b checkGroup) int { return cmp.Compare(b.Severity, a.Severity) })
		out = append(out, g)
	}
	return out
}

// first is the worst gain; knowledge where none is named.
func first(gains []finding.Gain) finding.Gain {
	if len(gains) == 0 {
		return finding.Knowledge
	}

	order := finding.Gains()
	return slices.MinFunc(gains, func(a, b finding.Gain) int {
		return cmp.Compare(slices.Index(order, a), slices.Index(order, b))
	})
}

// of are the issues of an asset, the worst first.
func (r *Report) of(a Asset) []finding.Issue {
	var out []finding.Issue
	for _, i := range r.Issues {
		if a.ID != "" {
			if i.Place.Asset == a.ID {
				out = append(out, i)
			}
			continue
		}

		samePlace := i.Place.Address.IsValid() && i.Place.Address == a.Address
		sameName := !i.Place.Address.IsValid() && i.Place.Asset != "" && i.Place.Asset == a.Name
		if samePlace || sameName {
			out = append(out, i)
		}
	}

	finding.Sort(out)
	return out
}

// words marks what is possible only.
func words(i finding.Issue) string {
	if i.Possible {
		return i.Severity.String() + ", possible"
	}
	return i.Severity.String()
}
