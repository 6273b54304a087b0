package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"collimator/internal/policy"
)

// house has CT1, which stores, WS1, which queries, and OLD1, which comes without TLS.
var house = House{
	AETitle: "ARCHIVE",
	Devices: []policy.Principal{
		{Kind: policy.Device, Name: "CT1", Verbs: []policy.Verb{policy.Echo, policy.Store}},
		{Kind: policy.Device, Name: "OLD1", Plaintext: true, Until: time.Date(2031, 1, 1, 0, 0, 0, 0, time.Local)},
		{Kind: policy.Device, Name: "WS1", Verbs: []policy.Verb{policy.Query}},
	},
}

// only is a route with one rule.
func only(rule Rule) Route {
	rule.Name = "r"
	return Route{Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", Rules: []Rule{rule}}
}

func TestARouteIsExplainedInWords(t *testing.T) {
	t.Parallel()
	r := full
	r.Closed = true
	r.Rules = append(r.Rules, Rule{Name: "by itself", Who: []string{"OLDPACS"}, Allow: []string{"store"}})
	want := []string{
		"CLOSED, nobody is let through. When it is open: Who calls PACS reaches OLDPACS at 10.0.0.5:104, under the AE title GATE; " +
			"2 associations at a time, 8 requests may wait for up to 1m30s, and a search has at most 500 matches.",
		`Rule "CT1,CT2": CT1 and CT 2 may echo and store, of CT Image Storage, stored as Implicit VR Little Endian, ` +
			"mon-fri 06:00-20:00 by the clock of the server, in 1 study alone and what is of 1 patient alone.",
		`Rule "all": every registered device may do what its registration grants: CT1 (echo, store), OLD1 (nothing) and WS1 (query).`,
		`Rule "by itself": OLDPACS (the system itself, to registered devices) may store.`,
	}
	e := Explain(r, house)
	if diff := cmp.Diff(want, e.Says); diff != "" {
		t.Error(diff)
	}
	if text := strings.Join(e.Lines(), "\n"); strings.Contains(text, "007") || strings.Contains(text, "1.2.3") {
		t.Errorf("it names a patient:\n%s", text)
	}

	faced := only(Rule{Who: []string{"WS1"}, Allow: []string{"query"}})
	faced.DICOMweb = true
	if got := Explain(faced, house).Lines(); !strings.Contains(got[1], "/routes/PACS/dicom-web") || !strings.Contains(got[1], "called by PACS") || len(got) != 3 {
		t.Errorf("with DICOMweb: %q", got)
	}
	faced.DICOMwebAs = "WS1"
	if got := Explain(faced, house).Lines(); !strings.HasPrefix(got[len(got)-1], "unsafe: WS1 is a registered device, too") {
		t.Errorf("with the title of a device: %q", got)
	}
	faced.DICOMweb = false
	if got := Explain(faced, house).Lines(); !strings.HasPrefix(got[len(got)-1], "never: dicomweb_as counts with dicomweb: true alone") {
		t.Errorf("with a title alone: %q", got)
	}

	plain := Explain(only(Rule{Who: []string{"WS1"}, Allow: []string{"query"}}), house)
	if diff := cmp.Diff([]string{
		"Who calls PACS reaches OLDPACS at 10.0.0.5:104, under the AE title of the caller; 4 associations at a time, " +
			"64 requests may wait for up to 30s, and a search has at most 1000 matches.",
		`Rule "r": WS1 may query.`,
	}, plain.Lines()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatNeverMatchesAndWhatIsUnsafeIsNamed(t *testing.T) {
	t.Parallel()
	store := []string{"store"}
	for name, c := range map[string]struct {
		route Route
		house House
		want  []string // beginnings of remarks
	}{
		"all is well":           {only(Rule{Who: []string{"CT1"}, Allow: store, Classes: []string{"CT Image Storage"}}), house, nil},
		"not registered":        {only(Rule{Who: []string{"CT1", "CT2"}, Allow: store}), house, []string{`never: rule "r": CT2 is not registered; 'collimator device add CT2`}},
		"the system itself":     {only(Rule{Who: []string{"OLDPACS"}, Allow: store}), house, nil},
		"register not read":     {only(Rule{Who: []string{"CT2"}, Allow: store}), House{Unknown: "it is locked"}, []string{"note: which devices are registered is not known here: it is locked"}},
		"without TLS":           {only(Rule{Who: []string{"OLD1"}, Allow: store}), house, []string{`unsafe: rule "r": OLD1 comes in without TLS until 2030-12-31`}},
		"everybody":             {only(Rule{Registered: true}), house, []string{`unsafe: rule "r" is for every device that is registered now or later`}},
		"everybody, and nobody": {only(Rule{Registered: true}), House{}, []string{"unsafe:", `never: rule "r": no device is registered`}},
		"a class of a service that is not carried": {
			only(Rule{Registered: true, Classes: []string{"1.2.840.10008.5.1.1.9"}}), house, []string{"unsafe:", `never: rule "r": the gate carries nothing of Basic Grayscale`},
		},
		"a class that needs another verb": {
			only(Rule{Who: []string{"WS1"}, Allow: []string{"query"}, Classes: []string{"CT Image Storage"}}), house,
			[]string{`never: rule "r": CT Image Storage needs store or retrieve`},
		},
		"a private class": {only(Rule{Who: []string{"CT1"}, Allow: store, Classes: []string{"1.2.3.4"}}), house, []string{`note: rule "r": 1.2.3.4 is not a SOP Class of the standard`}},
		"a syntax without store": {
			only(Rule{Who: []string{"WS1"}, Allow: []string{"query"}, Syntaxes: []string{"1.2.840.10008.1.2"}}), house, []string{`never: rule "r": syntaxes are those of what is stored`},
		},
		"an unknown syntax": {only(Rule{Who: []string{"CT1"}, Allow: []string{" Store"}, Syntaxes: []string{"1.2.3"}}), house, []string{`note: rule "r": 1.2.3 is not a transfer syntax`}},
		"a public address": {
			Route{Name: "PACS", Protect: "OLDPACS@203.0.113.5:104", Rules: []Rule{{Name: "r", Who: []string{"CT1"}, Allow: store}}}, house,
			[]string{"unsafe: 203.0.113.5 is a public address"},
		},
		"the title of the archive": {
			Route{Name: "ARCHIVE", Protect: "OLDPACS@10.0.0.5:104", Rules: []Rule{{Name: "r", Who: []string{"CT1"}, Allow: store}}}, house,
			[]string{"never: ARCHIVE is the AE title of the archive"},
		},
		"the title of a device": {
			Route{Name: "WS1", Protect: "OLDPACS@10.0.0.5:104", Rules: []Rule{{Name: "r", Who: []string{"CT1"}, Allow: store}}}, house,
			[]string{"note: a registered device is called WS1, too"},
		},
		"another route to the same": {
			only(Rule{Who: []string{"CT1"}, Allow: store}),
			House{Devices: house.Devices, Routes: []Route{only(Rule{}), {Name: "AGAIN", Protect: "OLDPACS@10.0.0.5:104"}, {Name: "OTHER", Protect: "X@10.0.0.5:104"}}},
			[]string{"note: AGAIN leads to the same system"},
		},
	} {
		if err := c.route.Check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e := Explain(c.route, c.house)
		got := e.Lines()[len(e.Says):]
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: remarks %q, want %q", name, got, c.want)
		}
	}
}

func TestAHouseWithManyDevicesIsNotListedWhole(t *testing.T) {
	t.Parallel()
	h := House{}
	for range namesMost + 5 {
		h.Devices = append(h.Devices, policy.Principal{Name: "CT"})
	}
	if says := Explain(only(Rule{Registered: true}), h).Says[1]; strings.Count(says, "CT (nothing)") != namesMost || !strings.Contains(says, "and 5 more") {
		t.Error(says)
	}
}
