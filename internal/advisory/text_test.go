package advisory

import (
	"bytes"
	"strings"
	"testing"

	"collimator/internal/fault"
)

func TestTheWorstOfSeveralAnswersDecides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answers []Answer
		worst   Answer
		limit   string
		fails   bool
	}{
		{nil, NotListed, "possibly", false},
		{[]Answer{NotListed, Possibly, NotListed}, Possibly, "possibly", true},
		{[]Answer{Possibly, NotListed}, Possibly, "affected", false},
		{[]Answer{Affected, Possibly}, Affected, "affected", true},
		{[]Answer{Affected}, Affected, "", false},
	} {
		worst := NotListed
		for _, a := range c.answers {
			worst = worst.Or(a)
		}
		err := worst.Verdict(c.limit)
		if worst != c.worst || (err != nil) != c.fails || err != nil && fault.EndingOf(err) != fault.Partly {
			t.Errorf("%v: the worst is %s, %v", c.answers, worst, err)
		}
	}
}

func TestAnAnswerSaysWhatIsNotKnownAndWhatTheVendorHas(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	WriteNamed(&out, []Named{
		{Product: "unheard of", Result: Result{Answer: NotListed}},
		{Vendor: "GEHC", Product: "X", Result: Result{Answer: Affected, Matches: []Match{{Answer: Affected, Advisory: "A-1", Update: NoUpdate, Fix: "isolate"}}}},
	})
	for _, want := range []string{"unheard of: not listed", "That does not mean that it has no weakness.", "GEHC X: affected", "score -  no update: isolate behind a gate"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
}

func TestAdvisoriesAreSelectedByVendorAndAlert(t *testing.T) {
	t.Parallel()
	table := Default()
	all, named := table.Select("", true), table.Select("GEHC", false)
	if len(table.Select("", false)) != len(table.Advisories) || len(all) == 0 || len(all) >= len(table.Advisories) {
		t.Errorf("%d of %d are of the alert", len(all), len(table.Advisories))
	}
	if len(named) == 0 || len(named) >= len(table.Advisories) || len(table.Select("nobody makes this", false)) != 0 {
		t.Errorf("%d are of one vendor", len(named))
	}
}
