package policy_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/policy"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestDevicesGetWhatTheirRegistrationGrants(t *testing.T) {
	t.Parallel()
	e := policy.New()
	ct := policy.Principal{Kind: policy.Device, Name: "CT1", Verbs: []policy.Verb{policy.Echo, policy.Retrieve}, Destinations: []string{"WS1"}}
	ended, running, plain := ct, ct, ct
	ended.Until, running.Until = now, now.Add(time.Second)
	plain.Plaintext = true
	for name, c := range map[string]struct {
		principal   policy.Principal
		verb        policy.Verb
		destination string
		want        bool
		reason      string
	}{
		"granted verb":                      {ct, policy.Echo, "", true, "CT1"},
		"verb that is not granted":          {ct, policy.Store, "", false, "CT1 may not store: this was not granted to the device"},
		"nobody":                            {policy.Principal{Kind: policy.Device, Verbs: policy.Verbs()}, policy.Echo, "", false, "nobody"},
		"kind that does not exist":          {policy.Principal{Kind: "robot", Name: "R", Verbs: policy.Verbs()}, policy.Echo, "", false, ""},
		"no verb at all":                    {ct, "", "", false, ""},
		"named destination":                 {ct, policy.Retrieve, "WS1", true, ""},
		"own title as destination":          {ct, policy.Retrieve, "CT1", true, ""},
		"other destination":                 {ct, policy.Retrieve, "WS2", false, "it was not granted"},
		"destination without the verb":      {ct, policy.Query, "WS2", false, ""},
		"grant that ends this very instant": {ended, policy.Echo, "", false, "ended"},
		"grant that still runs":             {running, policy.Echo, "", true, ""},
		"without TLS and without an end":    {plain, policy.Echo, "", false, "without TLS"},
		"verb of people":                    {policy.Principal{Kind: policy.Device, Name: "CT1", Verbs: policy.AllVerbs(), Role: policy.Administrator}, policy.Echo, "", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := e.Decide(policy.Request{Principal: c.principal, Verb: c.verb, Destination: c.destination, Now: now})
			if d.Allow != c.want || d.Reason == "" || !strings.Contains(d.Reason, c.reason) {
				t.Errorf("allow = %v (%s), want %v with %q", d.Allow, d.Reason, c.want, c.reason)
			}
		})
	}
}

// matrix is what each role may do with a study: a for all, s for those that
// were granted, d for what is de-identified.
var matrix = map[policy.Role]map[policy.Verb]string{
	policy.Administrator: {policy.Echo: "a", policy.Query: "a", policy.Retrieve: "a", policy.Store: "a", policy.Commit: "a", policy.Delete: "a", policy.ShareStudy: "a", policy.Label: "a", policy.Quarantine: "a", policy.Audit: "a",
		policy.Verify: "a", policy.Configure: "a", policy.Devices: "a", policy.People: "a", policy.Surface: "a", policy.Scan: "a", policy.Doors: "a", policy.Maintain: "a", policy.Metrics: "a"},
	policy.Radiologist:  {policy.Echo: "a", policy.Query: "a", policy.Retrieve: "a", policy.Store: "a", policy.Commit: "a", policy.ShareStudy: "a", policy.Label: "a"},
	policy.Technologist: {policy.Echo: "a", policy.Query: "a", policy.Retrieve: "a", policy.Store: "a", policy.Commit: "a", policy.Label: "a"},
	policy.Referrer:     {policy.Query: "s", policy.Retrieve: "s"},
	policy.Researcher:   {policy.Query: "d", policy.Retrieve: "d"},
	policy.Auditor:      {policy.Audit: "a", policy.Verify: "a", policy.Surface: "a"},
	policy.Vendor:       {policy.Maintain: "a"},
}

func TestRolesByVerbHaveNoHole(t *testing.T) {
	t.Parallel()
	e := policy.New()
	for _, role := range append(policy.Roles(), "", "janitor") {
		for _, verb := range policy.AllVerbs() {
			for _, study := range []string{"1.2.granted", "1.2.other"} {
				for _, deidentified := range []bool{false, true} {
					p := policy.Principal{Kind: policy.Person, Name: "ada", Role: role, Studies: []string{"1.2.granted"}, Verbs: policy.AllVerbs()}
					d := e.Decide(policy.Request{Principal: p, Verb: verb, Study: study, Deidentified: deidentified, Now: now})
					cell := matrix[role][verb]
					want := cell == "a" || cell == "s" && study == "1.2.granted" || cell == "d" && deidentified
					if d.Allow != want {
						t.Errorf("%s, %s, %s, deidentified %v: allow = %v (%s)", role, verb, study, deidentified, d.Allow, d.Reason)
					}
				}
			}
		}
	}
}

func TestListQueriesCarryTheRestrictionOfTheRole(t *testing.T) {
	t.Parallel()
	e := policy.New()
	for _, c := range []struct {
		principal policy.Principal
		emergency bool
		want      string
	}{
		{policy.Principal{Kind: policy.Person, Name: "r", Role: policy.Referrer, Studies: []string{"1.2"}}, false, "allow limited [1.2] false alarm false"},
		{policy.Principal{Kind: policy.Person, Name: "r", Role: policy.Referrer}, false, "allow limited [] false alarm false"},
		{policy.Principal{Kind: policy.Person, Name: "r", Role: policy.Radiologist}, false, "allow all [] false alarm false"},
		{policy.Principal{Kind: policy.Service, Name: "t", Verbs: []policy.Verb{policy.Query}, Studies: []string{"1.2"}}, false, "allow limited [1.2] false alarm false"},
		{policy.Principal{Kind: policy.Service, Name: "t", Verbs: []policy.Verb{policy.Query}}, false, "allow all [] false alarm false"},
		{policy.Principal{Kind: policy.Share, Name: "s", Studies: []string{"1.2"}}, false, "deny"},
	} {
		d := e.Decide(policy.Request{Principal: c.principal, Verb: policy.Query, Emergency: c.emergency, Now: now})
		got := "deny"
		if d.Allow {
			scope := "all"
			if !d.Sight.Everything {
				scope = "limited"
			}
			got = fmt.Sprintf("allow %s %v %v alarm %v", scope, append([]string{}, d.Sight.Studies...), d.Sight.Deidentified, d.Alarm)
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.principal, got, c.want)
		}
	}
}

func TestEmergencyAccessOpensStudiesAndRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	e := policy.New()
	for role, want := range map[policy.Role]string{policy.Referrer: "alarm", policy.Radiologist: "quiet", policy.Auditor: "deny", policy.Researcher: "deny", policy.Administrator: "quiet"} {
		d := e.Decide(policy.Request{Principal: policy.Principal{Kind: policy.Person, Name: "ada", Role: role}, Verb: policy.Retrieve, Study: "1.2", Emergency: true, Now: now})
		got := map[bool]string{true: map[bool]string{true: "alarm", false: "quiet"}[d.Alarm], false: "deny"}[d.Allow]
		if got != want {
			t.Errorf("%s: %s (%s), want %s", role, got, d.Reason, want)
		}
	}
	d := e.Decide(policy.Request{Principal: policy.Principal{Kind: policy.Person, Name: "ada", Role: policy.Referrer}, Verb: policy.Store, Study: "1.2", Emergency: true, Now: now})
	if d.Allow {
		t.Error("emergency access lets somebody store")
	}
}

func TestTokensAndLinksNeverReachAnotherStudy(t *testing.T) {
	t.Parallel()
	e := policy.New()
	for _, kind := range []policy.Kind{policy.Service, policy.Share} {
		p := policy.Principal{Kind: kind, Name: "t", Verbs: policy.AllVerbs(), Studies: []string{"1.2"}, Until: now.Add(time.Hour)}
		for _, verb := range policy.AllVerbs() {
			if d := e.Decide(policy.Request{Principal: p, Verb: verb, Study: "1.3", Now: now}); d.Allow {
				t.Errorf("%s may %s another study", kind, verb)
			}
		}
		if d := e.Decide(policy.Request{Principal: p, Verb: policy.Retrieve, Study: "1.2", Now: now}); !d.Allow {
			t.Errorf("%s may not retrieve its own study: %s", kind, d.Reason)
		}
		if d := e.Decide(policy.Request{Principal: p, Verb: policy.Retrieve, Study: "1.2", Now: now.Add(time.Hour)}); d.Allow {
			t.Errorf("%s works after its end", kind)
		}
	}
	link := policy.Principal{Kind: policy.Share, Name: "s", Studies: []string{"1.2"}, Deidentified: true}
	if d := e.Decide(policy.Request{Principal: link, Verb: policy.Retrieve, Study: "1.2", Now: now}); d.Allow {
		t.Error("a link to a de-identified study gives the identified one")
	}
	if d := e.Decide(policy.Request{Principal: link, Verb: policy.Retrieve, Study: "1.2", Deidentified: true, Now: now}); !d.Allow || !d.Sight.Deidentified {
		t.Errorf("a link to a de-identified study: %+v", d)
	}
}

func TestParseVerbsRefusesWhatADeviceCannotBeGranted(t *testing.T) {
	t.Parallel()
	if v, err := policy.ParseVerbs("store, ECHO,store,"); err != nil || !slices.Equal(v, []policy.Verb{policy.Store, policy.Echo}) {
		t.Errorf("got %v, %v; want store and echo", v, err)
	}
	for _, list := range []string{"store,delete", "people", "sto re"} {
		if _, err := policy.ParseVerbs(list); err == nil {
			t.Errorf("%q was taken", list)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	e := policy.New()
	r := policy.Request{Principal: policy.Principal{Kind: policy.Device, Name: "CT1", Verbs: policy.Verbs()}, Verb: policy.Store, Now: now}
	b.ReportAllocs()
	for b.Loop() {
		e.Decide(r)
	}
}

func TestRestrictionsOfATokenAndItsOwnerAddUp(t *testing.T) {
	t.Parallel()
	e := policy.New()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	token := func(studies ...string) policy.Principal {
		return policy.Principal{Kind: policy.Service, Name: "token 1", Verbs: []policy.Verb{policy.Query, policy.Retrieve}, Studies: studies, Until: now.Add(time.Hour)}
	}
	referrer := policy.Principal{Kind: policy.Person, Name: "practice", Role: policy.Referrer, Studies: []string{"1.2", "1.3"}}
	for _, c := range []struct {
		name  string
		who   []policy.Principal
		study string
		allow bool
		want  policy.Sight
	}{
		{"nobody", nil, "", false, policy.Sight{Everything: true}},
		{"both limited", []policy.Principal{token("1.3", "1.4"), referrer}, "", true, policy.Sight{Studies: []string{"1.3"}}},
		{"nothing in common", []policy.Principal{token("1.4"), referrer}, "", true, policy.Sight{}},
		{"the owner limited", []policy.Principal{token(), referrer}, "1.2", true, policy.Sight{Studies: []string{"1.2", "1.3"}}},
		{"the token limited", []policy.Principal{token("1.4"), {Kind: policy.Person, Name: "grace", Role: policy.Radiologist}}, "1.4", true, policy.Sight{Studies: []string{"1.4"}}},
		{"a study of the token only", []policy.Principal{token("1.4"), referrer}, "1.4", false, policy.Sight{Everything: true}},
		{"an owner who may not", []policy.Principal{token(), {Kind: policy.Person, Name: "bob", Role: policy.Auditor}}, "", false, policy.Sight{Everything: true}},
	} {
		d := e.DecideTogether(policy.Request{Verb: policy.Query, Study: c.study, Now: now}, c.who...)
		if d.Allow != c.allow || d.Reason == "" || d.Allow && !reflect.DeepEqual(d.Sight, c.want) {
			t.Errorf("%s: got %+v", c.name, d)
		}
	}
}

func TestEmergencyAccessAlarmsWhereItWidensASearch(t *testing.T) {
	t.Parallel()
	e := policy.New()
	referrer := policy.Principal{Kind: policy.Person, Name: "r", Role: policy.Referrer, Studies: []string{"1.2"}}
	for _, c := range []struct {
		what             string
		role             policy.Role
		study            string
		verb             policy.Verb
		alarm, unlimited bool
	}{
		{"a search of a referrer", policy.Referrer, "", policy.Query, true, true},
		{"a study that was not granted", policy.Referrer, "9.9", policy.Retrieve, true, true},
		{"a study that was granted", policy.Referrer, "1.2", policy.Retrieve, false, false},
		{"a search of a radiologist", policy.Radiologist, "", policy.Query, false, true},
	} {
		p := referrer
		p.Role = c.role
		d := e.Decide(policy.Request{Principal: p, Verb: c.verb, Study: c.study, Emergency: true, Now: time.Now()})
		if !d.Allow || d.Alarm != c.alarm || d.Sight.Everything != c.unlimited {
			t.Errorf("%s: %+v", c.what, d)
		}
	}
}

// Who is refused has to be told whether a grant would help.
func TestARefusalSaysWhetherAGrantIsMissing(t *testing.T) {
	t.Parallel()
	e := policy.New()
	referrer := policy.Principal{Kind: policy.Person, Name: "practice", Role: policy.Referrer, Studies: []string{"1.2"}}
	token := policy.Principal{Kind: policy.Service, Name: "token 1", Verbs: []policy.Verb{policy.Query}, Studies: []string{"1.2"}}
	device := policy.Principal{Kind: policy.Device, Name: "CT1"}
	for _, c := range []struct {
		who     policy.Principal
		verb    policy.Verb
		study   string
		granted bool // would help
	}{
		{referrer, policy.Retrieve, "1.3", true},
		{referrer, policy.Retrieve, "", true},
		{referrer, policy.Store, "1.2", false},
		{policy.Principal{Kind: policy.Person, Name: "grace", Role: policy.Radiologist}, policy.Audit, "", false},
		{token, policy.Retrieve, "1.2", true},
		{token, policy.Query, "1.3", true},
		{device, policy.Store, "", true},
		{device, policy.Delete, "", false},
		{policy.Principal{Kind: policy.Share, Name: "link 1", Studies: []string{"1.2"}}, policy.Retrieve, "1.3", false},
	} {
		d := e.Decide(policy.Request{Principal: c.who, Verb: c.verb, Study: c.study, Now: now})
		told := strings.Contains(d.Reason, "not granted") || strings.Contains(d.Reason, "were granted")
		if d.Allow || told != c.granted || !strings.HasPrefix(d.Reason, c.who.Name+" may not ") {
			t.Errorf("%s, %s of %q: %q", c.who.Name, c.verb, c.study, d.Reason)
		}
	}
}
