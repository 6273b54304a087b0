package guard

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// copyOf is handed out in place of an instance, without its identity.
type copyOf struct{ archive.InstanceRef }

func (c copyOf) Original() any { return c.InstanceRef }

func transferring(t *testing.T) (*door, *transfer) {
	t.Helper()
	d := newDoor(t)
	d.Patient = func(_ context.Context, study string) (string, string, error) { return "ZZPHI-" + study, "H", nil }
	return d, d.newTransfer(&Caller{})
}

func TestBeginTransferringIsWrittenForEachStudyBeforeItsFirstInstanceLeaves(t *testing.T) {
	t.Parallel()
	d, sent := transferring(t)
	for _, study := range []string{"1.1", "1.2", "1.1"} {
		before := len(sent.studies)
		if err := sent.begins(t.Context(), archive.InstanceRef{StudyUID: study}); err != nil {
			t.Fatal(err)
		}
		written := d.records()
		if len(written) != len(sent.studies)-before {
			t.Fatalf("%d records", len(written))
		}
		for _, r := range written {
			if o := r.Objects[0]; r.Event != audit.Transferring || o.Study != study || o.Patient != "ZZPHI-"+study || o.PatientIssuer != "H" {
				t.Errorf("%+v", r)
			}
		}
		sent.left(t.Context(), archive.InstanceRef{StudyUID: study}, "class", false)
	}

	sent.settle(t.Context(), audit.Success, "", 0, nil)
	all := d.records() // of each patient one
	if len(all) != 2 || all[0].Event != audit.Transferred || all[1].Event != audit.Transferred {
		t.Fatalf("%+v", all)
	}
	if all[0].Objects[0].Instances != 2 || all[1].Objects[0].Instances != 1 || all[0].Objects[0].SOPClasses["class"] != 2 {
		t.Errorf("%+v", all)
	}
}

func TestCopiesWithoutIdentityAreRecordedUnderTheOriginalStudy(t *testing.T) {
	t.Parallel()
	d, sent := transferring(t)
	if err := sent.begins(t.Context(), copyOf{archive.InstanceRef{StudyUID: "1.1"}}); err != nil {
		t.Fatal(err)
	}
	if o := d.one().Objects[0]; o.Study != "1.1" || o.Patient != "ZZPHI-1.1" {
		t.Errorf("%+v", o)
	}
}

func TestEveryStudyOfALargeRetrievalIsRecorded(t *testing.T) {
	t.Parallel()
	d, sent := transferring(t)
	for i := range 250 {
		sent.left(t.Context(), archive.InstanceRef{StudyUID: fmt.Sprint("1.", i)}, "class", i%2 == 1)
	}
	sent.settle(t.Context(), audit.SeriousFailure, "status B000H", 130, nil)

	named, failed := map[string]bool{}, 0
	for _, r := range d.records() {
		for _, o := range r.Objects {
			named[o.Study] = true
			failed += o.Failed
		}
	}
	if len(named) != 250 || failed != 130 {
		t.Errorf("%d studies are named, %d failed", len(named), failed)
	}
}

func TestWithoutARecordNothingLeaves(t *testing.T) {
	t.Parallel()
	s := serve(t, policy.Query, policy.Retrieve, policy.Echo)
	var full atomic.Bool
	s.Keeper = audit.NewKeeper(fullDisk{&full}, time.Minute, nil, s.Guard.Log, s.clock.Now)
	a := s.dial()

	full.Store(true)
	if got := statusOf(operations(t)[policy.Retrieve](a)); got != dimse.Success {
		t.Errorf("at once: %s", got) // it is kept, and written later
	}
	s.clock.Advance(2 * time.Minute)
	for _, verb := range []policy.Verb{policy.Retrieve, policy.Query} {
		if got := statusOf(operations(t)[verb](a)); got != dimse.OutOfResources {
			t.Errorf("%s after two minutes: %s", verb, got)
		}
	}
	if got := statusOf(operations(t)[policy.Echo](a)); got != dimse.Success {
		t.Errorf("echo: %s", got)
	}
}

// fullDisk is a trail to which nothing can be written while it is full.
type fullDisk struct{ full *atomic.Bool }

func (f fullDisk) Write(context.Context, ...audit.Record) error {
	if f.full.Load() {
		return fault.New(fault.Unavailable, "test: full")
	}
	return nil
}
