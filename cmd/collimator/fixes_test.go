package main

import (
	"bytes"
	"strings"
	"testing"

	"collimator/internal/finding"
)

// What a report tells people to type has to be a command, with flags that there are.
func TestCommandsInFixesAreThere(t *testing.T) {
	t.Parallel()
	filled := strings.NewReplacer("AET@ADDRESS:PORT", "OLD@10.0.0.5:104", "AET@ADDRESS", "CT2@10.0.0.9", "ADDRESS", "10.0.0.5", "PORT", "104",
		"DEVICE1", "CT1", "DEVICE2", "CT2", "ROUTE", "PACS", "NAME", "ada", "AET", "CT1")
	found := 0
	for _, c := range finding.Checks() {
		for _, change := range finding.FixOf(c.ID).Changes {
			for _, line := range strings.Split(change.Text, "\n") {
				words := strings.Fields(filled.Replace(line))
				if len(words) == 0 || words[0] != "collimator" {
					continue
				}
				found++
				var out bytes.Buffer
				parser, err := newParser(&cli{}, &env{stdout: &out, stderr: &out, ctx: t.Context()})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := parser.Parse(words[1:]); err != nil {
					t.Errorf("%s: %s: %v", c.ID, line, err)
				}
			}
		}
	}
	if found < 19 {
		t.Errorf("%d commands", found)
	}
}
