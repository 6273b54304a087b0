package house_test

import (
	"net/netip"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
	"collimator/internal/inventory"
)

// TestQuestionsAboutASystemAreAnsweredByAPI is a system of which an advisory speaks, and somebody who says that the
// fix is in: by the name of who is signed in, and with the day that this needs.
func TestQuestionsAboutASystemAreAnsweredByAPI(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	inventoried := x.In.Inventory
	id, err := inventoried.Observe(t.Context(), inventory.Observation{
		Source: inventory.Typed, Name: "Reading room", Vendor: "Orthanc", Product: "Orthanc", Version: "1.12.0", Addresses: []netip.Addr{netip.MustParseAddr("10.1.2.3")},
	})
	if err != nil {
		t.Fatal(err)
	}
	other, err := inventoried.Observe(t.Context(), inventory.Observation{Source: inventory.Typed, Name: "Another"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inventoried.Check(t.Context()); err != nil {
		t.Fatal(err)
	}

	said := b.Must(200, "GET", "/api/v1/assets/"+id+"/advisories", nil)
	if said.JSON["answer"] != "affected" || len(said.JSON["matches"].([]any)) == 0 || len(said.JSON["questions"].([]any)) != 3 {
		t.Fatalf("advisories: %s", said.Text)
	}
	match := said.JSON["matches"].([]any)[0].(map[string]any)
	if a := b.Must(200, "GET", "/api/v1/issues/"+match["issue"].(string), nil); a.JSON["asset"] != id || a.JSON["state"] != "open" {
		t.Errorf("the issue of it: %s", a.Text)
	}
	if a := b.Must(200, "GET", "/api/v1/advisories?limit=500", nil); !strings.Contains(a.Text, match["advisory"].(string)) {
		t.Errorf("%v is not among those that are known", match["advisory"])
	}

	at := "/api/v1/assets/" + id + "/statements"
	b.Must(400, "POST", at, map[string]any{"question": "patched", "answer": true})                        // since when?
	b.Must(400, "POST", at, map[string]any{"question": "patched", "answer": true, "since": "2999-01-01"}) // not yet
	b.Must(400, "POST", at, map[string]any{"question": "safe", "answer": true})
	b.Must(404, "POST", "/api/v1/assets/A999/statements", map[string]any{"question": "gate", "answer": true})
	a := b.Must(200, "POST", at, map[string]any{"question": "patched", "answer": true, "since": "2026-11-20", "note": "by the vendor"})
	patched := a.JSON["warning"].(map[string]any)["patched"].(map[string]any)
	if patched["who"] != "administrator" || patched["answer"] != true || patched["note"] != "by the vendor" {
		t.Errorf("patched: %v", patched)
	}
	if a := b.Must(200, "GET", "/api/v1/audit?event="+string(audit.InventoryChanged), nil); !strings.Contains(a.Text, "answered: patched") {
		t.Errorf("it is not recorded: %s", a.Text)
	}
	if a := b.Must(200, "GET", "/api/v1/changes?asset="+id+"&since=2000-01-01", nil); !strings.Contains(a.Text, `"answer"`) || strings.Contains(a.Text, other) {
		t.Errorf("changes: %s", a.Text)
	}
}
