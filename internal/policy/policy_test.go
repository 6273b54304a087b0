package policy_test

import (
	"testing"
	"time"

	"collimator/internal/policy"
)

func TestDecideDeniesWhatIsNotGranted(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ct := policy.Principal{Kind: policy.Device, Name: "CT1", Verbs: []policy.Verb{policy.Echo, policy.Retrieve}, Destinations: []string{"WS1"}}
	ended := ct
	ended.Until = now
	running := ct
	running.Until = now.Add(time.Second)
	for name, c := range map[string]struct {
		principal   policy.Principal
		verb        policy.Verb
		destination string
		want        bool
	}{
		"granted verb":                      {ct, policy.Echo, "", true},
		"verb that is not granted":          {ct, policy.Store, "", false},
		"nobody":                            {policy.Principal{Verbs: policy.Verbs()}, policy.Echo, "", false},
		"no verb at all":                    {ct, "", "", false},
		"named destination":                 {ct, policy.Retrieve, "WS1", true},
		"own title as destination":          {ct, policy.Retrieve, "CT1", true},
		"other destination":                 {ct, policy.Retrieve, "WS2", false},
		"destination without verb":          {ct, policy.Query, "WS2", false},
		"grant that ends this very instant": {ended, policy.Echo, "", false},
		"grant that still runs":             {running, policy.Echo, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := policy.Decide(policy.Request{Principal: c.principal, Verb: c.verb, Destination: c.destination, Now: now})
			if d.Allow != c.want {
				t.Errorf("allow = %v, want %v (%s)", d.Allow, c.want, d.Reason)
			}
			if d.Reason == "" {
				t.Error("the decision gives no reason")
			}
		})
	}
}

func TestParseVerbsRefusesWhatIsNoVerb(t *testing.T) {
	t.Parallel()
	if v, err := policy.ParseVerbs("store, ECHO,store,"); err != nil || len(v) != 2 {
		t.Errorf("got %v, %v; want store and echo", v, err)
	}
	if _, err := policy.ParseVerbs("store,delete"); err == nil {
		t.Error("delete was taken for a verb")
	}
}
