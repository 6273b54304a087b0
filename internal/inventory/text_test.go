package inventory

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/fault"
)

func TestWhatWasFoundIsSaidWithWhatWasDecided(t *testing.T) {
	t.Parallel()
	affected := &Asset{ID: "A1", Vendor: "GEHC", Product: "Optima 680", Version: "2"}
	affected.Warning.Patched = &Statement{Question: Patched, Answer: false, Who: "ada\x1b[31m", Made: time.Now()}
	list := []Checked{
		{Asset: affected, Answer: advisory.Affected, Unsettled: advisory.Possibly, Questions: []string{"Is the fix in?"},
			Matches: []Settled{{Match: advisory.Match{Answer: advisory.Affected, Advisory: "X-1", Product: "Optima", Fix: "update"}, Issue: "I7", Accepted: true}}},
		{Asset: &Asset{ID: "A2"}, Answer: advisory.NotListed, Unsettled: advisory.NotListed},
	}

	var out bytes.Buffer
	WriteChecked(&out, list, false)
	for _, want := range []string{"2 systems: 1 affected, 0 possibly, 1 not listed.", "\nA1 GEHC Optima 680 2", "issue I7, accepted", "patched: no, says ada", "open: Is the fix in?"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "A2") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("what is not listed, or a control character, is printed:\n%q", &out)
	}
	if worst := Worst(list); worst != advisory.Possibly || fault.EndingOf(worst.Verdict("possibly")) != fault.Partly || worst.Verdict("affected") != nil {
		t.Errorf("the worst is %s", worst)
	}
}

func TestAnIssueSaysUntilWhenItIsAccepted(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.Local)
	for want, i := range map[string]Issue{
		"open":                                 {State: Open},
		"accepted until 2026-12-31":            {State: Accepted, AcceptedUntil: end},
		"open (was accepted until 2026-12-31)": {State: Open, Lapsed: true, AcceptedUntil: end},
	} {
		if got := i.Standing(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRepliesAreStatementsOrWrongUsage(t *testing.T) {
	t.Parallel()
	list, err := Replies{Patched: "2026-05-04", Gate: "no", Who: "ada"}.Statements()
	if err != nil || len(list) != 2 || !list[0].Answer || list[0].Since != time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) || list[1].Question != Gated || list[1].Answer {
		t.Errorf("%+v, %v", list, err)
	}
	for _, wrong := range []Replies{{}, {Patched: "perhaps"}, {Patched: "9999-12-31"}} {
		if _, err := wrong.Statements(); fault.EndingOf(err) != fault.Misused {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
