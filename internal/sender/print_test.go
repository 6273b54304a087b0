package sender

import (
	"bytes"
	"strings"
	"testing"

	"collimator/internal/fault"
)

func TestSendTellsWhatThePeerHasNotSaidThatItKeeps(t *testing.T) {
	t.Parallel()
	r := Report{
		Stored: 2, Warnings: 2, CommitmentUnknown: 2, CommitmentReason: "no report within 50ms",
		Warned: []Failure{{File: "a.dcm", Reason: "status B006H"}},
	}

	var out bytes.Buffer
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2 stored ", "0 failed, 2 with a warning, commitment unknown.\n",
		"commitment: no report within 50ms\n", "warning: a.dcm: status B006H\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	if err := r.Verdict(t.Context(), nil); fault.EndingOf(err) != fault.Partly {
		t.Errorf("verdict: %v", err)
	}
}
