package house

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/gate/kind"
)

func TestADoorKnowsTheSystemBehindARouteOfEachKind(t *testing.T) {
	t.Parallel()
	routes, err := gate.Parse([]byte(`routes:
  - {name: PACS, protect: "OLD@10.0.0.5:104", web: {to: "http://10.0.0.5:8042", at: "https://pacs.example:8444", product: orthanc}, rules: [{name: all, registered: true}]}
  - {name: CT2, outbound: {from: CT2@10.0.0.9, to: "PACS2@pacs.example:2762", plain: true}}
  - {name: CT3, outbound: {from: "CT3@10.0.0.10:104", to: "PACS2@pacs.example:2762", plain: true}}
  - {name: HL7, messages: {listen: "10.0.0.1:2575", to: "10.0.0.7:2575", rules: [{name: adt, who: [SIS1], types: [ADT]}]}}
  - {name: SHUT, protect: "OLD@10.0.0.8:104", closed: true, rules: [{name: all, registered: true}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	names := &kind.Names{LookUp: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != "pacs.example" {
			return nil, errors.New("nobody knows " + host)
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.9")}, nil
	}}
	for name, want := range map[string]string{"PACS": "10.0.0.5:104", "CT2": "10.0.0.9:0", "CT3": "10.0.0.10:104", "HL7": "10.0.0.7:2575"} {
		p, err := placeOf(t.Context(), routes, name, names)
		if err != nil || len(p.Guarded) != 1 || p.Guarded[0].String() != want {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}

	// What other routes guard, one that is closed too, and where routes listen.
	p, err := placeOf(t.Context(), routes, "CT2", names)
	if err != nil || !slices.Equal(p.Listeners, []uint16{8444, 2575}) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, want := range []string{"10.0.0.5:104", "10.0.0.5:8042", "10.0.0.10:104", "10.0.0.7:2575", "10.0.0.8:104", "192.0.2.9:2762"} {
		if !slices.Contains(p.Others, netip.MustParseAddrPort(want)) {
			t.Errorf("%s is not guarded: %v", want, p.Others)
		}
	}
	for _, name := range []string{"SHUT", "NONE"} {
		if _, err := placeOf(t.Context(), routes, name, names); !slices.Contains([]fault.Kind{fault.Conflict, fault.NotFound}, fault.Of(err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
