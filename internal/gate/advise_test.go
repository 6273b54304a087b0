package gate

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/fault"
	"collimator/internal/gate/kind"
)

func TestRulesAreReadAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words []string
		want  []Rule
	}{
		{nil, []Rule{{Name: "registered", Registered: true}}},
		{[]string{"CT1, CT2:echo,store", "WS1:query"}, []Rule{
			{Name: "CT1,CT2", Who: []string{"CT1", "CT2"}, Allow: []string{"echo", "store"}},
			{Name: "WS1", Who: []string{"WS1"}, Allow: []string{"query"}},
		}},
		{[]string{"WS1:echo", "WS1:query", "WS1:store"}, []Rule{
			{Name: "WS1", Who: []string{"WS1"}, Allow: []string{"echo"}},
			{Name: "WS1 2", Who: []string{"WS1"}, Allow: []string{"query"}},
			{Name: "WS1 3", Who: []string{"WS1"}, Allow: []string{"store"}},
		}},
		{[]string{"A:B:echo"}, []Rule{{Name: "A:B", Who: []string{"A:B"}, Allow: []string{"echo"}}}},
	} {
		if got, err := RulesOf(c.words); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, %v", c.words, got, err)
		}
	}
	if _, err := RulesOf([]string{"CT1"}); fault.Of(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{":echo", "CT1:", ",:,"} { // which Check refuses
		rules, err := RulesOf([]string{bad})
		r := Route{Name: "PACS", Protect: "OLD@10.0.0.5:104", Rules: rules}
		if err != nil || r.Check() == nil {
			t.Errorf("%q: %+v, %v", bad, rules, err)
		}
	}
}

func TestWhatToChangeAtASystemNamesTheGateAndWhoCalls(t *testing.T) {
	t.Parallel()
	r := only(Rule{Who: []string{"WS1", "CT1", "OLDPACS", "WS1"}, Allow: []string{"store"}})
	if diff := cmp.Diff([]string{"CT1", "WS1"}, r.Callers(house)); diff != "" {
		t.Error(diff)
	}
	faced := r
	faced.DICOMweb = true
	faced.DICOMwebAs = "GATEWEB"
	if diff := cmp.Diff([]string{"CT1", "WS1", "GATEWEB"}, faced.Callers(house)); diff != "" {
		t.Error(diff)
	}
	advice := fmt.Sprint(faced.AtSystem(kind.Place{From: "10.0.0.1", Plain: "10.0.0.1:11112"}, faced.Callers(house)))
	if !strings.Contains(advice, "GATEWEB is a destination of C-MOVE without TLS at the gate: 10.0.0.1:11112") {
		t.Error(advice)
	}
	everybody := only(Rule{Registered: true})
	if diff := cmp.Diff([]string{"CT1", "OLD1", "WS1"}, everybody.Callers(house)); diff != "" {
		t.Error(diff)
	}
	everybody.As = "GATE"
	if diff := cmp.Diff([]string{"GATE"}, everybody.Callers(house)); diff != "" {
		t.Error(diff)
	}

	place := kind.Place{From: "10.0.0.1", Plain: "10.0.0.1:11112", Destinations: []string{"WS1"}}
	want := []kind.Step{
		kind.At("firewall of its machine", "nft add rule inet filter input tcp dport 104 ip saddr != 10.0.0.1 drop"),
		kind.At("Orthanc, orthanc.json", `"DicomAlwaysAllowStore": false, "DicomCheckModalityHost": true, `+
			`"DicomModalities": {"gate1": {"AET": "CT1", "Host": "10.0.0.1", "Port": 11112}}, and one such entry for WS1; no others`),
		kind.At("dcm4chee", "Accepted Calling AE Title of its AE (dcmAcceptedCallingAETitle): CT1 and WS1, and no others"),
		kind.At("DCMTK, dcmqrscp.cfg", "HostTable: gate1 = (CT1, 10.0.0.1, 11112), and one such entry for WS1; AETable: gate1 in place of ANY; "+
			"start it with -dhl, so that it compares addresses; it loses objects that come at the same time: --associations 1"),
		kind.At("Conquest", "it asks nobody who calls: the firewall of its machine is all there is"),
		kind.At("any other", "take associations from 10.0.0.1 alone, under CT1 and WS1"),
		kind.At("destinations of C-MOVE", "WS1: each under its own AE title, without TLS, at the gate: 10.0.0.1:11112"),
	}
	if diff := cmp.Diff(want, r.AtSystem(place, []string{"CT1", "WS1"})); diff != "" {
		t.Error(diff)
	}
	// It sends to where the gate takes it, and is called from elsewhere.
	steps := r.AtSystem(kind.Place{From: "10.0.0.1", Plain: "10.9.0.1:11112"}, []string{"CT1"})
	if text := fmt.Sprint(steps[1:4]); !strings.Contains(text, `"DicomCheckModalityHost": false, "DicomModalities": {"gate1": {"AET": "CT1", "Host": "10.9.0.1", "Port": 11112}}`) ||
		!strings.Contains(text, "gate1 = (CT1, 10.9.0.1, 11112), (CT1, 10.0.0.1, 11112);") {
		t.Error(text)
	}
	if steps := r.AtSystem(kind.Place{From: "10.0.0.1"}, nil); len(steps) != 6 || !strings.Contains(steps[1].What, `"AET_OF_EACH_DEVICE"`) || !strings.Contains(steps[1].What, `"Port": 104}`) {
		t.Errorf("%+v", steps)
	}
}

func TestASystemIsAskedWhetherItIsThere(t *testing.T) {
	t.Parallel()
	s := dimsetest.NewServer(dimsetest.Options{AETitle: "OLDPACS", Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		if rq.CallingAETitle != "GATE" {
			return dimse.Acceptance{}, dimse.Reject(nil)
		}
		return dimse.Negotiate(rq, everything()), nil
	}})
	defer s.Close()
	r := Route{Protect: "OLDPACS@" + s.Address}
	if _, err := r.Ask(t.Context(), "GATE"); err != nil {
		t.Error(err)
	}
	if _, err := r.Ask(t.Context(), "WS1"); err == nil || !strings.Contains(err.Error(), "rejects the AE title WS1: enter it there") {
		t.Errorf("got %v", err)
	}

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.Protect = "OLDPACS@" + ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ask(t.Context(), "GATE"); err == nil || !strings.Contains(err.Error(), "OLDPACS at 127.0.0.1:") || !strings.Contains(err.Error(), "nobody listens there") {
		t.Errorf("got %v", err)
	}
}
