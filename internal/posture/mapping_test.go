package posture

import (
	"regexp"
	"testing"

	"collimator/internal/advisory"
	"collimator/internal/finding"
	"collimator/internal/inventory"
)

func TestEveryCheckTouchesAnItemOfEachStandard(t *testing.T) {
	t.Parallel()
	form := map[string]*regexp.Regexp{
		"HIPAA": regexp.MustCompile(`^164\.\d{3}\([a-z]\)\(?.*$`), "NIST SP 1800-24": regexp.MustCompile(`^(ID|PR|DE)\.(AM|RA|AC|DS|IP|PT|CM)-\d$`),
		"IEC 62443-3-3": regexp.MustCompile(`^SR [1-7]\.\d+$`), "IEC 62443-4-2": regexp.MustCompile(`^CR [1-7]\.\d+$`),
	}
	for _, m := range mapping() {
		if form[m.standard] == nil || !form[m.standard].MatchString(m.item) || m.words == "" {
			t.Errorf("%+v", m)
		}
	}
	var ids []string
	for _, c := range append(finding.Checks(), finding.ArchiveChecks()...) {
		ids = append(ids, c.ID)
	}
	for _, id := range append(ids, inventory.AdvisoryChecks()...) {
		found := map[string]bool{}
		for _, m := range mapping() {
			if m.touches(id) {
				found[m.standard] = true
			}
		}
		for _, s := range []string{"HIPAA", "NIST SP 1800-24", "IEC 62443-3-3"} {
			if !found[s] {
				t.Errorf("%s touches no item of %s", id, s)
			}
		}
	}
}

func TestReportNeverSaysThatASystemIsSafe(t *testing.T) {
	t.Parallel()
	for _, a := range []advisory.Answer{advisory.NotListed, advisory.Possibly, advisory.Affected} {
		if text := affected(inventory.Checked{Answer: a}); text == "" || regexp.MustCompile(`(?i)safe|secure`).MatchString(text) {
			t.Errorf("%s: %q", a, text)
		}
	}
}
