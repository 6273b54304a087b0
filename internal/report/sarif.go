package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"strings"

	"collimator/internal/finding"
)

// The part of SARIF 2.1.0 (OASIS) that is written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri,omitempty"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string         `json:"id"`
		ShortDescription     sarifText      `json:"shortDescription"`
		FullDescription      sarifText      `json:"fullDescription"`
		Help                 sarifText      `json:"help"`
		DefaultConfiguration sarifLevel     `json:"defaultConfiguration"`
		Properties           map[string]any `json:"properties,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
		Properties          map[string]any    `json:"properties,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// SARIF writes the issues as SARIF 2.1.0, each check a rule with its fix as help.
func SARIF(w io.Writer, r *Report) error {
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "Collimator", Version: r.Version, Rules: []sarifRule{}}},
		Results: []sarifResult{},
	}
	index := map[string]int{}

	for _, i := range r.Issues {
		n, known := index[i.Check]
		if !known {
			n = len(run.Tool.Driver.Rules)
			index[i.Check] = n
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule(i))
		}

		run.Results = append(run.Results, result(i, n))
	}

	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func rule(i finding.Issue) sarifRule {
	full := i.Title + "."
	help := i.Fix.Do
	severity := i.Severity

	if c, ok := finding.CheckByID(i.Check); ok {
		severity = c.Severity
		full = c.Title + ". How it is checked: " + c.Sends + "."
		if c.Limits != "" {
			full += " Limits: " + c.Limits + "."
		}
	}

	for _, c := range i.Fix.Changes {
		help += "\n\n" + c.Where + ":\n" + c.Text
	}

	return sarifRule{
		ID:                   i.Check,
		ShortDescription:     sarifText{i.Title},
		FullDescription:      sarifText{full},
		Help:                 sarifText{help},
		DefaultConfiguration: sarifLevel{level(severity)},
		Properties:           map[string]any{"tags": []string{"security"}, "security-severity": securitySeverity(severity)},
	}
}

// result is an issue with the rule at index. SARIF knows places in files alone: a
// service is a file below network/, whose name has none of the signs of an address.
// The fingerprint is the same in every report of the issue.
func result(i finding.Issue, index int) sarifResult {
	text := i.Title + " at " + i.Place.String() + "."
	if i.Text != "" {
		text += " " + i.Text
	}

	for _, e := range i.Evidence {
		text += " Sent: " + e.Sent + ". Received: " + e.Received + "."
	}

	sum := sha256.Sum256([]byte(i.Key()))
	name := i.Place.String()
	file := strings.NewReplacer(":", "_", "[", "", "]", "", " ", "_").Replace(name)

	return sarifResult{
		RuleID:    i.Check,
		RuleIndex: index,
		Level:     level(i.Severity),
		Message:   sarifText{text},
		Locations: []sarifLocation{{
			PhysicalLocation: sarifPhysical{sarifArtifact{"network/" + url.PathEscape(file)}},
			LogicalLocations: []sarifLogical{{name, "resource"}},
		}},
		PartialFingerprints: map[string]string{"collimator/v1": hex.EncodeToString(sum[:16])},
		Properties:          map[string]any{"severity": i.Severity.String(), "possible": i.Possible, "gains": i.Gains},
	}
}

func level(s finding.Severity) string {
	switch s {
	case finding.Critical, finding.High:
		return "error"
	case finding.Medium:
		return "warning"
	}
	return "note"
}

// securitySeverity is the figure that code hosts sort by.
func securitySeverity(s finding.Severity) string {
	return [...]string{"0.0", "3.0", "5.5", "8.0", "9.5"}[min(int(s), 4)]
}
