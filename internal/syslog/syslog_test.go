package syslog

import (
	"strings"
	"testing"
	"time"
)

func TestFrameCountsOctetsAndKeepsTheHeaderInOneLine(t *testing.T) {
	t.Parallel()
	got := string(Frame(Header{Priority: 82, Time: time.Date(2026, 11, 23, 1, 2, 3, 4e6, time.UTC), Host: "a b\n", App: "collimator", Message: strings.Repeat("x", 40)}, "Größe"))
	want := "<82>1 2026-11-23T01:02:03.004Z ab collimator - " + strings.Repeat("x", 32) + " - \xEF\xBB\xBFGröße"
	if got != "92 "+want || len(want) != 92 {
		t.Errorf("%q (%d)", got, len(want))
	}
}
