package main

import (
	"strings"
	"testing"
)

func TestAWrongListenAddressIsAMistakeOfTheCommandLine(t *testing.T) {
	t.Parallel()
	_, problem, code := runAgainst(t, "127.0.0.1:1", "send", t.TempDir(), "--commit", "--listen", "here")
	if code != exitUsage || !strings.Contains(problem, "--listen: want HOST:PORT of this machine") {
		t.Errorf("code %d: %s", code, problem)
	}
}
