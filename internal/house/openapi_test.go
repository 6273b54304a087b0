package house_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"collimator/internal/house/sitetest"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

func TestTheDescriptionOfTheAPIIsThatOfItsRoutes(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	got := x.SignIn("administrator").Send("GET", "/api/v1/openapi.json", nil)
	if got.StatusCode != 200 {
		t.Fatalf("status %d: %s\n%s", got.StatusCode, got.Text, x.Log)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(got.Text), "", " "); err != nil {
		t.Fatal(err)
	}

	const path = "../../docs/openapi.json"
	if *update {
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(want, pretty.Bytes()) {
		t.Errorf("docs/openapi.json is not what the server tells (%v): go test ./internal/house -run DescriptionOfTheAPI -update", err)
	}
}
