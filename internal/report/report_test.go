package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"collimator/internal/finding"
	"collimator/internal/report"
)

func sample() *report.Report {
	a, b := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("10.0.0.6")
	issues := []finding.Issue{
		{Check: "DIM-001", Title: "Strangers may query for studies", Severity: finding.Critical, Gains: []finding.Gain{finding.ReadPatients}, Place: finding.Place{Address: a, Port: 104},
			Evidence: []finding.Evidence{{Sent: "C-FIND-RQ", Received: "status 0000H"}}, Fix: finding.Fix{Do: "Refuse C-FIND.", Effort: finding.Hours, Changes: []finding.Change{{Where: "Orthanc, orthanc.json", Text: `"DicomAlwaysAllowFind" : false`}}}},
		{Check: "DIM-001", Title: "Strangers may query for studies", Severity: finding.Critical, Gains: []finding.Gain{finding.ReadPatients}, Place: finding.Place{Address: b, Port: 104}, Fix: finding.Fix{Do: "Refuse C-FIND.", Effort: finding.Hours}},
		{Check: "TLS-005", Title: "=cmd|' /C calc'!A0", Severity: finding.Medium, Possible: true, Gains: []finding.Gain{finding.Eavesdrop}, Place: finding.Place{Address: b, Port: 443},
			Evidence: []finding.Evidence{{Sent: "TLS handshake", Received: "<script>alert(1)</script>"}}, Fix: finding.Fix{Do: "Renew it.", Effort: finding.Minutes}},
		{Check: "DIC-001", Title: "A DICOM service answers", Severity: finding.Info, Gains: []finding.Gain{finding.Knowledge}, Place: finding.Place{Address: b, Port: 104}},
	}
	return &report.Report{Title: "Attack surface of imaging", Sentence: report.Sentence(issues), Made: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Facts: []string{"2 of 2 addresses"},
		Issues: issues, Version: "1", Assets: []report.Asset{{Address: a, Services: []string{"104: DICOM"}}, {Name: "ct<1>", Address: b, Product: "Maker & Sons", Note: "stopped early: x"}}}
}

func TestTheHeadIsASentenceWithANumber(t *testing.T) {
	t.Parallel()
	r := sample()
	if r.Sentence != "2 systems are reachable without authentication." {
		t.Error(r.Sentence)
	}
	if s := report.Sentence(r.Issues[:1]); s != "1 system is reachable without authentication." {
		t.Error(s)
	}
	if s := report.Sentence(r.Issues[2:]); s != "0 systems are reachable without authentication." {
		t.Error(s)
	}
	if s := report.Counts(r.Issues); s != "2 critical, 1 medium, 1 info" {
		t.Error(s)
	}
}

func TestHTMLIsEscapedAndNeedsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.HTML(&b, sample()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, no := range []string{"<script", "http://", "https://", "src=", "ct<1>"} {
		if strings.Contains(page, no) {
			t.Errorf("the page holds %q", no)
		}
	}
	for _, yes := range []string{"2 systems are reachable without authentication.", "Read data of patients", "&lt;script&gt;", "Maker &amp; Sons", "stopped early: x", "DicomAlwaysAllowFind", "10.0.0.5:104, 10.0.0.6:104", "Attack surface"} {
		if !strings.Contains(page, yes) {
			t.Errorf("the page lacks %q", yes)
		}
	}
	if strings.Index(page, "Read data of patients") > strings.Index(page, "Listen in") {
		t.Error("what an attacker gets is not in order")
	}
}

func TestCSVHasALineForEachIssueAndNoFormula(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.CSV(&b, sample()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 5 {
		t.Fatalf("%d lines: %v", len(lines), err)
	}
	for _, line := range lines {
		for _, cell := range line {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("a formula: %s", cell)
			}
		}
	}
}

// TestSARIFHasWhatTheSchemaDemands checks the demands of SARIF 2.1.0 on what is written.
func TestSARIFHasWhatTheSchemaDemands(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.SARIF(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
						Help             struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil || log.Version != "2.1.0" || len(log.Runs) != 1 {
		t.Fatalf("%v %+v", err, log)
	}
	run := log.Runs[0]
	if len(run.Results) != 4 || len(run.Tool.Driver.Rules) != 3 || run.Tool.Driver.Name != "Collimator" {
		t.Errorf("%d results, %d rules", len(run.Results), len(run.Tool.Driver.Rules))
	}
	seen := map[string]bool{}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" || len(r.Locations) == 0 || r.Locations[0].PhysicalLocation.ArtifactLocation.URI == "" {
			t.Errorf("%+v", r)
		}
		if r.Level != "error" && r.Level != "warning" && r.Level != "note" {
			t.Errorf("level %s", r.Level)
		}
		for _, f := range r.PartialFingerprints {
			if seen[f] {
				t.Error("two results have one fingerprint")
			}
			seen[f] = true
		}
	}
	for _, r := range run.Tool.Driver.Rules {
		if r.ShortDescription.Text == "" || r.ID != "DIC-001" && r.Help.Text == "" {
			t.Errorf("%+v", r)
		}
	}
}

func TestPDFIsAPDF(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.PDF(&b, sample()); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("%PDF-")) || !bytes.Contains(b.Bytes(), []byte("%%EOF")) || b.Len() < 1500 {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestSARIFPlacesAreURIsWhateverTheSystemIsCalled(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Issues = nil
	for _, name := range []string{"CT 1 (Raum 3)", "R\u00f6ntgen 50 %", `..\..\x`, "a<b>\"c\"", "\x1b[2J=1+1"} {
		r.Issues = append(r.Issues, finding.Issue{Check: "DIM-001", Title: "x", Severity: finding.High, Place: finding.Place{Asset: name}, Fix: finding.Fix{Do: "Do it."}})
	}
	r.Issues = append(r.Issues, finding.Issue{Check: "DIM-001", Title: "x", Severity: finding.High, Place: finding.Place{Address: netip.MustParseAddr("fd00::5"), Port: 104}, Fix: finding.Fix{Do: "Do it."}})
	var b bytes.Buffer
	if err := report.SARIF(&b, r); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Runs []struct {
			Results []struct {
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, result := range log.Runs[0].Results {
		uri := result.Locations[0].PhysicalLocation.ArtifactLocation.URI
		if u, err := url.Parse(uri); err != nil || u.Scheme != "" || u.Host != "" || strings.ContainsAny(uri, " \\<>\"^`{|}\x1b") || !strings.HasPrefix(uri, "network/") || strings.Contains(uri[8:], "/") {
			t.Errorf("%q is no relative reference: %v", uri, err)
		}
		seen[uri] = true
	}
	if len(seen) != len(r.Issues) {
		t.Errorf("%d places of %d: %v", len(seen), len(r.Issues), seen)
	}
}
