package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/policy"
)

// aRoute has a rule of each kind. Names of rules say what they are about.
var aRoute = &policy.Route{Name: "PACS", Rules: []policy.RouteRule{
	{Name: "modalities", Who: []string{"CT1", "CT2"}, Verbs: []policy.Verb{policy.Echo, policy.Store}, Classes: []string{"1.2.ct"}},
	{Name: "night", Who: []string{"CT1"}, Verbs: []policy.Verb{policy.Query}, Hours: hours("22:00-06:00")},
	{Name: "syntax", Who: []string{"US1"}, Verbs: []policy.Verb{policy.Store}, Syntaxes: []string{"1.2.explicit"}},
	{Name: "trial", Who: []string{"WS1"}, Verbs: []policy.Verb{policy.Query, policy.Retrieve}, Studies: []string{"1.2.3"}},
	{Name: "one patient", Who: []string{"WS1"}, Verbs: []policy.Verb{policy.Query}, Patients: []string{"ZZPHI-1"}},
	{Name: "all", Who: []string{"WS2"}, Verbs: policy.RouteVerbs()},
	{Name: "also", Who: []string{"WS2"}, Verbs: []policy.Verb{policy.Query}, Studies: []string{"1.2.3"}},
}}

func hours(text string) policy.Hours {
	h, err := policy.ParseHours(text)
	if err != nil {
		panic(err)
	}
	return h
}

func TestARouteGrantsWhatItsRulesSayAndNothingElse(t *testing.T) {
	t.Parallel()
	e := policy.New()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
	night := time.Date(2026, 11, 23, 23, 30, 0, 0, time.Local)
	for _, c := range []struct {
		device string
		verb   policy.Verb
		class  string
		syntax string
		study  string
		at     time.Time
		want   string
	}{
		{"CT1", policy.Store, "1.2.ct", "1.2.any", "", noon, "CT1 is granted this by the route, rule modalities"},
		{"CT2", policy.Echo, "1.2.ct", "", "", noon, "CT2 is granted this by the route, rule modalities"},
		{"CT1", policy.Store, "1.2.mr", "", "", noon, `no: rule "modalities" grants it for other SOP Classes`},
		{"CT1", policy.Retrieve, "", "", "", noon, "no: no rule of the route grants it"},
		{"CT3", policy.Store, "1.2.ct", "", "", noon, "no: no rule of the route grants it"},
		{"CT1", policy.Query, "", "", "", night, "CT1 is granted this by the route, rule night"},
		{"CT1", policy.Query, "", "", "", noon, `no: rule "night" grants it at other hours`},
		{"US1", policy.Store, "", "1.2.explicit", "", noon, "US1 is granted this by the route, rule syntax"},
		{"US1", policy.Store, "", "1.2.jpeg", "", noon, `no: rule "syntax" grants it for other transfer syntaxes`},
		{"WS1", policy.Retrieve, "", "", "1.2.3", noon, "WS1 is granted this by the route, rule trial, only [1.2.3] []"},
		{"WS1", policy.Retrieve, "", "", "1.2.4", noon, `no: rule "trial" grants it for other studies`},
		{"WS1", policy.Query, "", "", "", noon, "WS1 is granted this by the route, rule trial, only [1.2.3] [ZZPHI-1]"},
		{"WS2", policy.Query, "", "", "", noon, "WS2 is granted this by the route, rule all"},
		{"WS2", policy.Delete, "", "", "", noon, "no: no rule of the route grants it"},
	} {
		d := e.Decide(policy.Request{
			Principal: policy.Principal{Kind: policy.Device, Name: c.device, Verbs: policy.AllVerbs()},
			Verb:      c.verb, SOPClass: c.class, TransferSyntax: c.syntax, Study: c.study, Now: c.at, Route: aRoute,
		})
		got := d.Reason
		if !d.Allow {
			_, why, _ := strings.Cut(d.Reason, ": ")
			got = "no: " + why
		} else if !d.Sight.Everything {
			got += fmt.Sprintf(", only %v %v", d.Sight.Studies, d.Sight.Patients)
		}
		if got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.device, c.verb, got, c.want)
		}
	}
}

// TestNoCallerAndVerbOfARouteIsLetThroughWithoutARule walks the whole matrix, with a
// registration that grants everything at the archive.
func TestNoCallerAndVerbOfARouteIsLetThroughWithoutARule(t *testing.T) {
	t.Parallel()
	e := policy.New()
	for _, kind := range []policy.Kind{policy.Device, policy.Service, policy.Share, policy.Person, "robot"} {
		for _, name := range []string{"CT1", "CT2", "US1", "WS1", "WS2", "X"} {
			for i, verb := range append(policy.AllVerbs(), policy.AllVerbs()...) {
				p := policy.Principal{Kind: kind, Name: name, Verbs: policy.AllVerbs()}
				if i >= len(policy.AllVerbs()) {
					p.Studies = []string{"1.2.9"}
				}
				d := e.Decide(policy.Request{Principal: p, Verb: verb, Now: now, Route: aRoute})
				want := kind == policy.Device && slices.ContainsFunc(aRoute.Rules, func(r policy.RouteRule) bool {
					return slices.Contains(r.Who, name) && slices.Contains(r.Verbs, verb) && r.Hours.Contain(now)
				})
				if d.Allow != want {
					t.Errorf("%s %s, %q: allow = %v (%s)", kind, name, verb, d.Allow, d.Reason)
				}
			}
		}
	}
}

func TestWhatEndsARegistrationEndsItAtARouteToo(t *testing.T) {
	t.Parallel()
	e := policy.New()
	ws := policy.Principal{Kind: policy.Device, Name: "WS2"}
	ended, plain := ws, ws
	ended.Until = now
	plain.Plaintext = true
	for name, c := range map[string]struct {
		who         policy.Principal
		destination string
		want        bool
	}{
		"registered": {ws, "", true}, "ended": {ended, "", false}, "without TLS and no end": {plain, "", false},
		"own title": {ws, "WS2", true}, "destination nobody granted": {ws, "WS9", false},
	} {
		d := e.Decide(policy.Request{Principal: c.who, Verb: policy.Retrieve, Destination: c.destination, Now: now, Route: aRoute})
		if d.Allow != c.want {
			t.Errorf("%s: %v (%s)", name, d.Allow, d.Reason)
		}
	}
}

func TestHoursReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text string
		at   time.Duration // since Monday 00:00
		want bool
	}{
		{"", 3 * time.Hour, true},
		{"06:00-20:00", 6 * time.Hour, true}, {"06:00-20:00", 20 * time.Hour, false}, {"06:00-24:00", 23*time.Hour + 59*time.Minute, true},
		{"22:00-06:00", 23 * time.Hour, true}, {"22:00-06:00", 29 * time.Hour, true}, {"22:00-06:00", 30 * time.Hour, false},
		{"mon-fri 06:00-20:00", 12 * time.Hour, true}, {"sat,sun 06:00-20:00", 12 * time.Hour, false},
		{"fri-mon 06:00-20:00", 12 * time.Hour, true}, {"tue-fri 06:00-20:00", 12 * time.Hour, false},
		{"mon 22:00-06:00", 27 * time.Hour, true}, {"tue 22:00-06:00", 27 * time.Hour, false}, {"sun 22:00-06:00", time.Hour, true},
	} {
		h, err := policy.ParseHours(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		if got := h.Contain(monday.Add(c.at)); got != c.want {
			t.Errorf("%q at %v: %v", c.text, c.at, got)
		}
	}
	for _, bad := range []string{"6-8", "06:00", "06:00-25:00", "06:00-06:00", "moon 06:00-08:00", "mon tue 06:00-08:00", "-", "mon-"} {
		if _, err := policy.ParseHours(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestWhoeverIsRegisteredMayDoEverythingUntilLearningEnds walks the matrix of a route that learns, before and
// after its end.
func TestWhoeverIsRegisteredMayDoEverythingUntilLearningEnds(t *testing.T) {
	t.Parallel()
	e := policy.New()
	end := time.Date(2026, 12, 13, 8, 0, 0, 0, time.UTC)
	r := &policy.Route{Name: "PACS", Rules: []policy.RouteRule{
		{Name: "modalities", Who: []string{"CT1"}, Verbs: []policy.Verb{policy.Store}},
		{Name: "learning", Everybody: true, Until: end},
	}}

	for _, kind := range []policy.Kind{policy.Device, policy.System, policy.Service, policy.Share, policy.Person, "robot"} {
		for _, verb := range append(policy.AllVerbs(), "") {
			for at, learns := range map[time.Time]bool{end.Add(-time.Second): true, end: false, end.AddDate(1, 0, 0): false} {
				for _, name := range []string{"CT1", "WS1"} {
					p := policy.Principal{Kind: kind, Name: name, Verbs: policy.RouteVerbs(), Studies: []string{"1.2.9"}}
					d := e.Decide(policy.Request{Principal: p, Verb: verb, SOPClass: "1.2.ct", Now: at, Route: r})
					want := kind == policy.Device && (learns && slices.Contains(policy.RouteVerbs(), verb) || name == "CT1" && verb == policy.Store) ||
						kind == policy.System && (verb == policy.Echo || name == "CT1" && verb == policy.Store)
					if d.Allow != want {
						t.Errorf("%s %s, %q at %s: allow = %v (%s)", kind, name, verb, at, d.Allow, d.Reason)
					}
					if could := r.Could(at, p, "1.2.ct", verb); kind == policy.Device && could != want {
						t.Errorf("%s, %q at %s: could = %v", name, verb, at, could)
					}
				}
			}
		}
	}
}

func TestTheReasonNamesLearningOnlyWhereNoRuleWasEnough(t *testing.T) {
	t.Parallel()
	e := policy.New()
	end := time.Date(2026, 12, 13, 8, 0, 0, 0, time.UTC)
	r := &policy.Route{Name: "PACS", Rules: []policy.RouteRule{
		{Name: "trial", Who: []string{"WS1"}, Verbs: []policy.Verb{policy.Query}, Studies: []string{"1.2.3"}},
		{Name: "learning", Everybody: true, Until: end},
	}}
	for _, c := range []struct {
		verb    policy.Verb
		at      time.Time
		reason  string
		studies []string
	}{
		{policy.Query, end.Add(-time.Second), "WS1 is granted this by the route, rule trial", nil},
		{policy.Store, end.Add(-time.Second), "WS1 is granted this by the route, rule learning", nil},
		{policy.Query, end, "WS1 is granted this by the route, rule trial", []string{"1.2.3"}},
		{policy.Store, end, `WS1 may not store: rule "learning" has ended, and no other rule of the route grants it`, nil},
	} {
		d := e.Decide(policy.Request{Principal: policy.Principal{Kind: policy.Device, Name: "WS1"}, Verb: c.verb, Now: c.at, Route: r})
		if d.Reason != c.reason || !slices.Equal(d.Sight.Studies, c.studies) {
			t.Errorf("%s at %s: %q, sees %v", c.verb, c.at, d.Reason, d.Sight)
		}
	}
}

func TestWhatEndsARegistrationEndsItWhileARouteLearns(t *testing.T) {
	t.Parallel()
	e := policy.New()
	r := &policy.Route{Name: "PACS", Rules: []policy.RouteRule{{Name: "learning", Everybody: true, Until: now.AddDate(0, 0, 1)}}}
	for name, p := range map[string]policy.Principal{"ended": {Until: now}, "without TLS and no end": {Plaintext: true}} {
		p.Kind = policy.Device
		p.Name = "CT1"
		if d := e.Decide(policy.Request{Principal: p, Verb: policy.Store, Now: now, Route: r}); d.Allow {
			t.Errorf("%s: let through (%s)", name, d.Reason)
		}
	}
	q := policy.Request{Principal: policy.Principal{Kind: policy.Device, Name: "WS1"}, Verb: policy.Retrieve, Destination: "WS9", Now: now, Route: r}
	if d := e.Decide(q); d.Allow {
		t.Errorf("to a destination nobody granted: %s", d.Reason)
	}
}
