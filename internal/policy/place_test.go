package policy_test

import (
	"slices"
	"testing"

	"collimator/internal/policy"
)

func TestAStudyIsGrantedAtOnePlace(t *testing.T) {
	t.Parallel()
	e := policy.New()
	pacs, other := &policy.Route{Name: "PACS"}, &policy.Route{Name: "OTHER"}
	person := func(role policy.Role, studies ...string) policy.Principal {
		return policy.Principal{Kind: policy.Person, Name: "ann", Role: role, Studies: studies}
	}
	token := func(studies ...string) policy.Principal {
		return policy.Principal{Kind: policy.Service, Name: "token 1", Verbs: []policy.Verb{policy.Query, policy.Retrieve}, Studies: studies}
	}
	link := policy.Principal{Kind: policy.Share, Name: "share 1", Studies: []string{"PACS/1.2"}}
	for name, c := range map[string]struct {
		who   policy.Principal
		route *policy.Route
		study string
		want  bool
		sees  []string // empty with want: everything
	}{
		"referrer, the route":               {person(policy.Referrer, "PACS/1.2", "1.3"), pacs, "1.2", true, []string{"1.2"}},
		"referrer, another study":           {person(policy.Referrer, "PACS/1.2", "1.3"), pacs, "1.3", false, nil},
		"referrer, the same UID, archive":   {person(policy.Referrer, "PACS/1.2", "1.3"), nil, "1.2", false, nil},
		"referrer, the archive":             {person(policy.Referrer, "PACS/1.2", "1.3"), nil, "1.3", true, []string{"1.3"}},
		"referrer, another route":           {person(policy.Referrer, "PACS/1.2"), other, "1.2", false, nil},
		"token, the route":                  {token("PACS/1.2"), pacs, "1.2", true, []string{"1.2"}},
		"token, the archive":                {token("PACS/1.2"), nil, "1.2", false, nil},
		"token, all of the archive":         {token("PACS/1.2"), nil, "", false, nil},
		"token of the archive, the route":   {token("1.2"), pacs, "1.2", false, nil},
		"token of the archive, all of it":   {token("1.2"), pacs, "", false, nil},
		"token without studies":             {token(), pacs, "1.2", true, nil},
		"link, the route":                   {link, pacs, "1.2", true, []string{"1.2"}},
		"link, the archive":                 {link, nil, "1.2", false, nil},
		"link, another route":               {link, other, "1.2", false, nil},
		"radiologist":                       {person(policy.Radiologist), pacs, "1.2", true, nil},
		"auditor":                           {person(policy.Auditor), pacs, "1.2", false, nil},
		"a device has no business there":    {policy.Principal{Kind: policy.Device, Name: "CT1", Verbs: policy.AllVerbs()}, pacs, "1.2", false, nil},
		"nor the system behind":             {policy.Principal{Kind: policy.System, Name: "OLD"}, pacs, "1.2", false, nil},
		"researcher, only without identity": {person(policy.Researcher), pacs, "1.2", true, nil},
	} {
		d := e.Decide(policy.Request{
			Principal: c.who, Verb: policy.Retrieve, Study: c.study, Route: c.route, Face: c.route != nil, Deidentified: true, Now: now,
		})
		if c.study == "" {
			d = e.Decide(policy.Request{Principal: c.who, Verb: policy.Query, Route: c.route, Face: c.route != nil, Now: now})
		}
		if d.Allow != c.want || d.Allow && (!slices.Equal(d.Sight.Studies, c.sees) || d.Sight.Everything != (len(c.sees) == 0)) {
			t.Errorf("%s: %+v", name, d)
		}
		if c.who.Role == policy.Researcher && !d.Sight.Deidentified {
			t.Errorf("%s: with identity", name)
		}
	}
	if d := e.Decide(policy.Request{Principal: person(policy.Administrator), Verb: policy.Query, Face: true, Now: now}); d.Allow {
		t.Error("a face of no route")
	}
}

func TestPlacesReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, route := range []string{"", "PACS", "A/B"} {
		if at, study := policy.PlaceOf(policy.GrantedAt(route, "1.2")); at != route || study != "1.2" {
			t.Errorf("%q: %q %q", route, at, study)
		}
	}
}
