package archive

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/db"
)

// contradict sends other content under a stored UID.
func contradict(t *testing.T, a *opened, instance int, text string, from Source) *ConflictError {
	t.Helper()
	in := incoming(t, image(t, 1, 1, instance, tag.StudyDescription, text))
	in.Source = from
	_, err := a.Ingest(t.Context(), in)
	conflict, ok := errors.AsType[*ConflictError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}

	return conflict
}

// One source cannot take the places of all others, and what is not kept is
// recorded and not promised.
func TestQuarantineHasAShareForEachSource(t *testing.T) {
	t.Parallel()
	var events []Event
	a := openTest(t, func(o *Options) {
		o.Limits.QuarantineEntries = 8
		o.Limits.QuarantineShare = 2
		o.Record = func(_ context.Context, _ *db.Tx, e Event) error {
			events = append(events, e)
			return nil
		}
	})
	for i := range 4 {
		store(t, a, image(t, 1, 1, i))
	}
	events = nil

	loud := Source{AETitle: "LOUD", Principal: "loud"}
	for i := range 2 {
		if c := contradict(t, a, i, "changed", loud); c.Quarantine == 0 {
			t.Errorf("number %d was not kept", i)
		}
	}
	if c := contradict(t, a, 2, "changed", loud); c.Quarantine != 0 {
		t.Error("kept beyond the share of the source")
	}
	if c := contradict(t, a, 3, "changed", Source{AETitle: "OTHER", Principal: "other"}); c.Quarantine == 0 {
		t.Error("another source has no place any more")
	}
	if len(events) != 4 || events[2].Kind != Refused || events[2].Reason != DifferentContent {
		t.Errorf("recorded: %+v", events)
	}

	var refs []SOPReference
	for i := range 4 {
		refs = append(refs, SOPReference{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: fmt.Sprintf("1.2.3.1.1.%d", i)})
	}
	got, err := a.Commit(t.Context(), refs)
	if err != nil || fmt.Sprint(got) != fmt.Sprint([]Commitment{CommitmentNotKnown, CommitmentNotKnown, CommitmentNotKnown, CommitmentNotKnown}) {
		t.Errorf("%v, %v: promised what was held back or refused", got, err)
	}

	// Once somebody decided, the promise stands again.
	list, err := a.Quarantine(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if err := a.Destroy(t.Context(), e.ID, Source{Principal: "admin"}); err != nil {
			t.Fatal(err)
		}
	}
	if c := contradict(t, a, 2, "changed", loud); c.Quarantine == 0 {
		t.Error("not kept although there is room now")
	} else if err := a.Destroy(t.Context(), c.Quarantine, Source{Principal: "admin"}); err != nil {
		t.Fatal(err)
	}
	got, err = a.Commit(t.Context(), refs)
	if err != nil || fmt.Sprint(got) != fmt.Sprint([]Commitment{Committed, Committed, Committed, Committed}) {
		t.Errorf("%v, %v", got, err)
	}
}

// Whoever repeats a decision must not decide about another entry.
func TestNumbersOfTheQuarantineAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1))
	c := contradict(t, a, 1, "changed", Source{})
	if _, err := a.Release(t.Context(), c.Quarantine, Source{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Release(t.Context(), c.Quarantine, Source{}); err == nil {
		t.Error("released twice under one number")
	}
	list, err := a.Quarantine(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].ID == c.Quarantine || list[0].Reason != Replaced {
		t.Errorf("%+v, %v", list, err)
	}
}

// A study that is deleted is gone with all that was held back of it. Where part
// of it stays, the deletion says what is still held.
func TestDeletionOfAStudyTakesWhatIsHeldBackOfIt(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	many(t, a, 1, 2)
	contradict(t, a, 1, "changed", Source{})

	some, err := a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", SOPInstanceUID: "1.2.3.1.2.2", Why: "because of the test", Scope: Everything()})
	if err != nil || some.StillHeld != 1 || some.Held != 0 || some.Whole {
		t.Fatalf("%+v, %v", some, err)
	}
	rest, err := a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", Why: "because of the test", Scope: Everything()})
	if err != nil || rest.Held != 1 || rest.StillHeld != 0 || !rest.Whole {
		t.Fatalf("%+v, %v", rest, err)
	}
	wantStats(t, a, 0, 0, 0, 0, 0)
	if n := blobCount(t, a); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// An image of the right patient counts before one that somebody let in, and
// when only the latter are left the study is theirs.
func TestAStudyFollowsItsCorrectedImages(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	many(t, a, 1, 2)
	patient := func() string {
		got := findAll(t, a, Query{Scope: Everything(), Level: StudyLevel, Keys: keys(t, tag.PatientID, "", tag.PatientName, "")})
		return got[0].Text(tag.PatientID) + " " + got[0].Text(tag.PatientName)
	}
	for i := range 2 {
		in := incoming(t, image(t, 1, 1+i%2, i+1, tag.PatientID, "RIGHT", tag.PatientName, "ZZPHI^Right"))
		_, err := a.Ingest(t.Context(), in)
		conflict, ok := errors.AsType[*ConflictError](err)
		if !ok {
			t.Fatal(err)
		}
		if _, err := a.Release(t.Context(), conflict.Quarantine, Source{Principal: "admin"}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"ID1 ZZPHI^Patient1", "RIGHT ZZPHI^Right"}[i]; patient() != want {
			t.Errorf("after %d released: %q, want %q", i+1, patient(), want)
		}
	}
	wantStats(t, a, 1, 1, 2, 2, 2)
}

// Old equipment declares no character set and writes its own.
func TestACharacterSetCanBeAssumedForASource(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	a.o.CharacterSet = func(s Source) []string {
		if s.AETitle == "OLD" {
			return []string{"ISO_IR 100"}
		}
		return nil
	}
	ds := image(t, 1, 1, 1)
	ds.Delete(tag.SpecificCharacterSet)
	in := incoming(t, ds)
	in.Source.AETitle = "OLD"
	raw := encoded(t, ds, uid.ExplicitVRLittleEndian)
	in.Data = newLatin(raw, "ZZPHI^Patient1", "ZZPHI^Gr\xF6\xDFe___")
	if _, err := a.Ingest(t.Context(), in); err != nil {
		t.Fatal(err)
	}

	for _, level := range []Level{StudyLevel, ImageLevel} {
		got := findAll(t, a.opened, Query{Scope: Everything(), Level: level, Relational: true, Keys: keys(t, tag.PatientName, "*grö*")})
		if len(got) != 1 || got[0].Text(tag.PatientName) != "ZZPHI^Größe___" {
			t.Errorf("%s: %d matches", level, len(got))
		}
	}
	rp := a.replay(t)
	defer rp.Close()
	apply(t, rp, a.statements)
	if d := differences(t, rp); len(d) > 0 {
		t.Error(d)
	}
}
