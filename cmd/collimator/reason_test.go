package main

import (
	"strings"
	"testing"

	"collimator/internal/house/sitetest"
)

// A reason that is too short is wrong usage; nothing is deleted.
func TestAReasonThatMakesNoSenseIsWrongUsage(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	study := studyWithMost(t, in)
	for _, reason := range []string{"x", strings.Repeat("y", 201)} {
		out, code := runOn(in, t, "delete", "--study", study, "--reason", reason)
		if code != exitUsage || !strings.Contains(out, "5 to 200") {
			t.Errorf("code %d: %s", code, out)
		}
	}
	if out, code := runOn(in, t, "export", "--study", study, "--out", t.TempDir()); code != 0 {
		t.Errorf("the study is gone: code %d: %s", code, out)
	}
}
