package main

import (
	"strings"
	"testing"
)

// A reason that is too short is wrong usage; nothing is deleted.
func TestAReasonThatMakesNoSenseIsWrongUsage(t *testing.T) {
	t.Parallel()
	in := filled(t)
	study := studyWithMost(t, in)
	for _, reason := range []string{"x", strings.Repeat("y", 201)} {
		out, code := in.run(t, "delete", "--study", study, "--reason", reason)
		if code != exitUsage || !strings.Contains(out, "5 to 200") {
			t.Errorf("code %d: %s", code, out)
		}
	}
	if out, code := in.run(t, "export", "--study", study, "--out", t.TempDir()); code != 0 {
		t.Errorf("the study is gone: code %d: %s", code, out)
	}
}
