package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"collimator/internal/sender"
)

func TestSendTellsWhatThePeerHasNotSaidThatItKeeps(t *testing.T) {
	t.Parallel()
	r := sender.Report{
		Stored: 2, Warnings: 2, CommitmentUnknown: 2, CommitmentReason: "no report within 50ms",
		Warned: []sender.Failure{{File: "a.dcm", Reason: "status B006H"}},
	}

	var out bytes.Buffer
	if err := printSent(&out, "text", r); err != nil {
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
	coded, ok := errors.AsType[*exitError](sentVerdict(t.Context(), r, nil))
	if !ok || coded.code != exitPartial {
		t.Errorf("verdict: %v", coded)
	}
}

func TestAWrongListenAddressIsAMistakeOfTheCommandLine(t *testing.T) {
	t.Parallel()
	_, problem, code := runAgainst(t, "127.0.0.1:1", "send", t.TempDir(), "--commit", "--listen", "here")
	if code != exitUsage || !strings.Contains(problem, "--listen: want HOST:PORT of this machine") {
		t.Errorf("code %d: %s", code, problem)
	}
}
