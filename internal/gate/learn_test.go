package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
	"collimator/internal/state"
)

func TestLearningLetsRegisteredCallersThroughAndEndsToTheSecond(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // that of the clock
	s := newSite(t, "      - {name: ward, who: [WS1], allow: [echo]}\n    learn_until: "+noon.Add(10*time.Minute).Format(time.RFC3339)+"\n",
		dimsetest.Options{})
	s.device("CT1") // its registration grants nothing
	s.device("WS1", policy.Echo)
	a := s.mustDial("CT1", uid.Verification, ct)
	ws := s.mustDial("WS1", uid.Verification)
	if got := store(t, a, image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")); got.Code != 0 {
		t.Fatalf("while it learns: %v", got)
	}
	if _, err := s.dial("NOBODY", ct); err == nil {
		t.Error("a caller that is not registered is let in")
	}

	s.Clock.Advance(10*time.Minute - time.Second)
	if got := store(t, a, image(t, "1.2.3.2", "1.2.3", "ZZPHI-1")); got.Code != 0 {
		t.Errorf("in the last second: %v", got)
	}
	s.Clock.Advance(time.Second)
	if got := store(t, a, image(t, "1.2.3.3", "1.2.3", "ZZPHI-1")); got.Code != dimse.NotAuthorized {
		t.Errorf("on the association that was open at the end: %v", got)
	}
	if _, err := s.dial("CT1", ct); err == nil {
		t.Error("whom no rule names is let in after the end")
	}
	if err := ws.Echo(t.Context()); err != nil {
		t.Errorf("whom a rule names: %v", err)
	}
	if got := s.flowsOf(); len(got) != 2 || got[0] != "CT1 store CT Image Storage 2x" || !strings.HasPrefix(got[1], "WS1 echo") {
		t.Errorf("counted %q", got)
	}

	var reasons, drift []string
	s.guard.Settle()
	for _, r := range s.Records(t) {
		reasons = append(reasons, r.Rule, r.Reason)
		if r.Code == audit.NotGranted {
			drift = append(drift, r.Principal+": "+r.Objects[0].Detail)
		}
	}
	if got := strings.Join(drift, "; "); got != "CT1: C-STORE of CT Image Storage; CT1: association" {
		t.Errorf("recorded as not granted: %s", got)
	}
	text := strings.Join(reasons, "\n")
	if !strings.Contains(text, "CT1 is granted this by the route, rule learning") || !strings.Contains(text, `rule "learning" has ended`) {
		t.Errorf("the record says\n%s", text)
	}
}

func TestARouteThatLearnsNeedsNoRulesAndSaysWhatThatMeans(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 12, 13, 8, 0, 0, 0, time.Local)
	h := house
	bare := Route{Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", LearnUntil: end}
	ruled := bare
	ruled.Rules = []Rule{{Name: "r", Who: []string{"CT1"}, Allow: []string{"store"}}}
	for name, c := range map[string]struct {
		r    Route
		now  time.Time
		want []string
	}{
		"without rules": {bare, end.Add(-time.Hour), []string{
			"LEARNING until 2026-12-13 08:00: every registered device may do everything. Then nobody may do anything: it has no rules.",
			"unsafe: every registered device may do everything until 2026-12-13 08:00; 'collimator gate enforce PACS'"}},
		"with rules": {ruled, end.Add(-time.Second), []string{"Then its rules alone count.", `Rule "r": CT1 may store.`}},
		"too long":   {ruled, end.AddDate(0, -3, 0), []string{"unsafe: learn_until is more than 60 days away"}},
		"ended without rules": {bare, end, []string{
			"Learning ended on 2026-12-13 08:00, and there are no rules: nobody may do anything.", "never: it lets nobody through"}},
		"ended with rules": {ruled, end, []string{"its rules alone count.", "note: what was learned is in no rule yet"}},
	} {
		if err := c.r.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		h.Now = c.now
		x := Explain(c.r, h)
		text := strings.Join(x.Lines(), "\n")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
	}

	h.Now = end.Add(-time.Second)
	if got := fmt.Sprint(bare.Callers(h)); got != "[CT1 OLD1 WS1]" {
		t.Errorf("it is called by %s", got)
	}
	h.Now = end
	if got := bare.Callers(h); len(got) > 0 {
		t.Errorf("after the end it is called by %v", got)
	}
}

func TestTheStateSaysWhatLearnsAndWhatHasStopped(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 12, 13, 8, 0, 0, 0, time.Local)
	rules := []Rule{{Name: "r", Registered: true}}
	for name, c := range map[string]struct {
		routes []Route
		now    time.Time
		level  state.Level
		text   string
	}{
		"none learns": {[]Route{{Name: "A", Rules: rules}}, end, state.Unknown, ""},
		"one learns": {[]Route{{Name: "A", Rules: rules}, {Name: "B", LearnUntil: end}}, end.AddDate(0, 0, -2), state.Degraded,
			"every registered device may do everything at B until 2026-12-13 08:00"},
		"within a day":  {[]Route{{Name: "B", LearnUntil: end}}, end.Add(-time.Hour), state.Degraded, "that ends within a day"},
		"ended":         {[]Route{{Name: "B", LearnUntil: end, Rules: rules}}, end, state.Degraded, "the rules from before count alone, at B"},
		"without rules": {[]Route{{Name: "B", LearnUntil: end}, {Name: "A", LearnUntil: end.Add(1)}}, end, state.Failing, "nobody is let through B"},
	} {
		states := state.New(func() time.Time { return c.now })
		states.Degraded(LearningPart, "from before", "")
		TellLearning(states, c.routes, c.now)
		all := states.All()
		switch {
		case c.text == "" && len(all) == 0:
		case c.text == "" || len(all) != 1:
			t.Errorf("%s: %+v", name, all)
		case all[0].Level != c.level || !strings.Contains(all[0].Text, c.text) || !strings.Contains(all[0].Do, "'collimator gate learn B'"):
			t.Errorf("%s: %+v", name, all[0])
		}
	}
}

func TestLearningIsWrittenBetweenCommentsAndTakenOutByRules(t *testing.T) {
	t.Parallel()
	path := edited(t, written)
	now := time.Date(2026, 11, 29, 8, 0, 0, 500, time.UTC)
	if err := Learn(path, "PACS", now.AddDate(0, 0, 14), now); err != nil {
		t.Fatal(err)
	}
	holds(t, path, strings.Replace(written, "    associations: 2\n", "    associations: 2\n    learn_until: 2026-12-13T08:00:00Z\n", 1))
	if err := Learn(path, "PACS", now.AddDate(0, 0, 15), now); err != nil { // prolonged
		t.Fatal(err)
	}
	holds(t, path, strings.Replace(written, "    associations: 2\n", "    associations: 2\n    learn_until: 2026-12-14T08:00:00Z\n", 1))

	routes, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	rules := append(routes[0].Rules[:1:1], Rule{Name: "learned 1: query", Who: []string{"WS1"}, Allow: []string{"query"}, Classes: []string{}})
	if err := Enforce(path, "PACS", rules); err != nil {
		t.Fatal(err)
	}
	holds(t, path, strings.Replace(written, "      - name: ward\n        who:\n          - WS1 # beside the kitchen\n        allow: [query]\n",
		"      - name: 'learned 1: query'\n        who: [WS1]\n        allow: [query]\n", 1))
}

func TestARouteWithoutRulesGetsThoseThatWereLearned(t *testing.T) {
	t.Parallel()
	block := "routes:\n  - name: PACS\n    protect: OLDPACS@10.0.0.5:104\n    learn_until: 2026-12-13T08:00:00Z # for two weeks\n"
	for _, without := range []string{"", "    rules:\n", "    rules: []\n"} {
		path := edited(t, block+without)
		if err := Enforce(path, "PACS", []Rule{{Name: "a", Who: []string{"CT1"}, Allow: []string{"store"}}}); err != nil {
			t.Errorf("%q: %v", without, err)
			continue
		}
		holds(t, path, "routes:\n  - name: PACS\n    protect: OLDPACS@10.0.0.5:104\n    rules:\n      - name: a\n        who: [CT1]\n        allow: [store]\n")
	}
}

func TestLearningThatMakesNoSenseIsRefusedAndNothingWritten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		edit func(path string) error
		want fault.Kind
		says string
	}{
		"over before it begins": {func(p string) error { return Learn(p, "PACS", now, now) }, fault.Invalid, "a time to come"},
		"too long":              {func(p string) error { return Learn(p, "PACS", now.AddDate(0, 0, 61), now) }, fault.Invalid, "60 days"},
		"no route":              {func(p string) error { return Learn(p, "NONE", now.AddDate(0, 0, 1), now) }, fault.NotFound, "gate list"},
		"no rules":              {func(p string) error { return Enforce(p, "PACS", nil) }, fault.Invalid, "rules: there is none"},
		"the name of learning": {func(p string) error { return Enforce(p, "PACS", []Rule{{Name: "learning", Registered: true}}) },
			fault.Invalid, "take another"},
	} {
		path := edited(t, written)
		if err := c.edit(path); fault.Of(err) != c.want || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s with %q", name, err, c.want, c.says)
		}
		holds(t, path, written)
	}

	bad := "routes: [{name: PACS, protect: OLDPACS@10.0.0.5:104, learn_until: soon}]"
	if _, err := Parse([]byte(bad)); err == nil || !strings.Contains(err.Error(), "learn_until on line 1: want a point in time") {
		t.Errorf("a time that is none: %v", err)
	}
}

func TestAProposalKeepsRulesThatNameDevices(t *testing.T) {
	t.Parallel()
	modalities := Rule{Name: "modalities", Who: []string{"CT1", "CT2"}, Allow: []string{"echo", "store"}, Classes: []string{ct}}
	taken := Rule{Name: "learned 1: store", Who: []string{"XR1"}, Allow: []string{"store"}}
	r := Route{Name: "PACS", Rules: []Rule{modalities, {Name: "all", Registered: true}, taken}}
	rules, err := r.Proposed(append(aWeek(), Flow{Device: "BAD1", Verb: policy.Store, Class: "no class"}))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, rule := range rules {
		words = append(words, fmt.Sprintf("%s: %v", rule.Name, rule.Who))
	}
	if got := strings.Join(words, "; "); got != "modalities: [CT1 CT2]; learned 1: store: [XR1]; learned 1: store 2: [MR1]; learned 2: query and retrieve: [WS1]" {
		t.Error(got)
	}

	text, err := RulesBlock(rules)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseRules([]byte(text)); err != nil || fmt.Sprint(again) != fmt.Sprint(rules) {
		t.Errorf("%v, read again:\n%v\n%v", err, again, rules)
	}
	for _, bad := range []string{"routes: []", "rules: []\n---\nrules: []", "- name: a"} {
		if _, err := ParseRules([]byte(bad)); fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestFlowsAreSummedOverTheHours(t *testing.T) {
	t.Parallel()
	seen := Summary(aWeek()[1:4])
	if len(seen) != 2 || seen[0].Requests != 20 || fmt.Sprint(seen[0].Hours) != "[30 31]" {
		t.Errorf("%+v", seen)
	}
	if got := seen[0].When(); got != "mon 06:00-08:00" {
		t.Error(got)
	}
}
