package house_test

import (
	"path/filepath"
	"slices"
	"testing"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/guard"
	"collimator/internal/house/sitetest"
)

// An alarm hangs on the code of a record, whatever its reason says to people: a
// suspicious object has it, and nothing else that is held back.
func TestASuspiciousObjectIsRecordedWithTheCodeThatAlarmsLookFor(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := sitetest.Open(t, c)
	defer in.Close()
	record := guard.RecordInstance(in.Ledger, in.Trail, in.Registry)
	for _, reason := range []archive.Reason{archive.Suspicious, archive.OtherPatient} {
		err := in.DB.Write(t.Context(), func(tx *db.Tx) error {
			return record(t.Context(), tx, archive.Event{Kind: archive.Quarantined, Reason: reason, Instance: archive.InstanceRef{SOPInstanceUID: "1.2.3"}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	var codes []audit.Code
	for r, err := range in.Trail.After(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Event == audit.SecurityAlert {
			codes = append(codes, r.Code)
		}
	}
	if len(codes) != 2 || codes[0] != audit.HeldSuspicious || codes[1] != "" {
		t.Errorf("codes %q", codes)
	}
}

// What was held at a route leaves the quarantine in two ways, which the record tells apart.
func TestTheRecordTellsAReleaseAtARouteFromADestruction(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := sitetest.Open(t, c)
	defer in.Close()
	record := guard.RecordInstance(in.Ledger, in.Trail, in.Registry)
	for _, why := range []string{"the route PACS takes it when it is sent again", ""} {
		err := in.DB.Write(t.Context(), func(tx *db.Tx) error {
			return record(t.Context(), tx, archive.Event{Kind: archive.Destroyed, Reason: archive.AtRoute, Why: why,
				Instance: archive.InstanceRef{SOPInstanceUID: "1.2.3"}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	var got []string
	for r, err := range in.Trail.After(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Event == audit.QuarantineChanged {
			got = append(got, r.Reason)
		}
	}
	want := []string{
		"released from quarantine (other-content-at-route): the route PACS takes it when it is sent again",
		"destroyed from quarantine: other-content-at-route",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
