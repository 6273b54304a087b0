package archive

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/durable"
	"collimator/internal/fault"
)

// recorded is an archive whose statements are kept.
type recorded struct {
	*opened
	dir        string
	statements []Statement
	events     []Event
}

func openRecorded(t testing.TB) *recorded {
	t.Helper()
	r := &recorded{dir: t.TempDir()}
	a, err := openIn(r.dir, func(o *Options) {
		o.Record = func(_ context.Context, _ *db.Tx, e Event) error {
			r.statements, r.events = append(r.statements, e.Statement()), append(r.events, e)
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	r.opened = a
	return r
}

// replay begins an index to build from the statements, as NewReplay does.
func (r *recorded) replay(t fataler) *Replay {
	place, err := durable.OpenScratch(filepath.Join(r.dir, ScratchDir))
	if err != nil {
		t.Fatal(err)
	}
	if err := dbtest.Place(filepath.Join(place.Path(), replayFile)); err != nil {
		t.Fatal(err)
	}
	rp, err := r.replayIn(context.Background(), place)
	if err != nil {
		t.Fatal(err)
	}
	return rp
}

type fataler interface{ Fatal(...any) }

func apply(t fataler, rp *Replay, list []Statement) {
	err := rp.Apply(context.Background(), list, func(s Statement, err error) { t.Fatal(s.Event, err) })
	if err != nil {
		t.Fatal(err)
	}
}

func differences(t fataler, rp *Replay) (list []string) {
	err := rp.Compare(context.Background(), nil, func(d Difference) bool {
		list = append(list, d.String())
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for uid := range rp.Missing() {
		list = append(list, "missing "+uid)
	}
	return list
}

func TestDeletionLeavesATombstoneAndNoFile(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	for i := range 3 {
		store(t, a.opened, image(t, 1, 1+i/2, i))
	}
	store(t, a.opened, image(t, 2, 1, 1))
	n, err := a.Delete(t.Context(), Deletion{Scope: Everything(), StudyUID: "1.2.3.1", Why: "wrong archive", By: Source{Principal: "admin"}})
	if err != nil || n.Instances != 3 {
		t.Fatal(n, err)
	}
	wantStats(t, a.opened, 1, 1, 1, 1, 0)
	if n := blobCount(t, a.opened); n != 1 {
		t.Errorf("%d files are left, want 1", n)
	}
	last := a.events[len(a.events)-1]
	if last.Kind != Deleted || last.Together == nil || last.Together.Instances != 3 || !last.Together.Whole || last.Together.Why != "wrong archive" {
		t.Errorf("got %+v", last)
	}
	if _, err := a.Delete(t.Context(), Deletion{Scope: Everything(), StudyUID: "1.2.3.1", Why: "wrong archive"}); fault.Of(err) != fault.NotFound {
		t.Errorf("a second time: %v", err)
	}
	store(t, a.opened, image(t, 1, 1, 0)) // the UID is free again
}

func TestDeletionNeedsAReasonAndAStudyInScope(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	store(t, a.opened, image(t, 1, 1, 1))
	for name, d := range map[string]Deletion{
		"no reason":     {Scope: Everything(), StudyUID: "1.2.3.1"},
		"short":         {Scope: Everything(), StudyUID: "1.2.3.1", Why: " x  "},
		"control":       {Scope: Everything(), StudyUID: "1.2.3.1", Why: "because\nof that"},
		"no study":      {Scope: Everything(), Why: "because of that"},
		"out of scope":  {StudyUID: "1.2.3.1", Why: "because of that", Scope: Scope{StudyUIDs: []string{"1.2.3.2"}}},
		"no scope":      {StudyUID: "1.2.3.1", Why: "because of that"},
		"another study": {Scope: Everything(), StudyUID: "1.2.3.2", Why: "because of that"},
	} {
		if _, err := a.Delete(t.Context(), d); err == nil {
			t.Errorf("%s: deleted", name)
		}
	}
	wantStats(t, a.opened, 1, 1, 1, 1, 0)
}

// The index is that of what is left in the order in which it came, whatever was
// stored, deleted, exchanged and destroyed before: rows built from the ledger
// and the files are the same. A verification that was half done when something
// was deleted comes to the same end.
func TestIndexAfterAnyDeletionsIsThatOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a := openRecorded(t)
		defer a.close()
		steps := rapid.IntRange(1, 25).Draw(rt, "steps")
		half := rapid.IntRange(0, steps-1).Draw(rt, "half")
		var early *Replay
		seen := 0
		for i := range steps {
			randomStep(t, rt, a)
			if i == half {
				early = a.replay(rt)
				defer early.Close()
				seen = len(a.statements)
				apply(rt, early, a.statements)
			}
		}
		apply(rt, early, a.statements[seen:])
		late := a.replay(rt)
		defer late.Close()
		apply(rt, late, a.statements)
		for _, rp := range []*Replay{late, early} {
			if d := differences(rt, rp); len(d) > 0 {
				rt.Fatal(d)
			}
		}
	})
}

func randomStep(t testing.TB, rt *rapid.T, a *recorded) {
	study, series, instance := rapid.IntRange(1, 3).Draw(rt, "study"), rapid.IntRange(1, 2).Draw(rt, "series"), rapid.IntRange(1, 3).Draw(rt, "instance")
	studyUID := fmt.Sprintf("1.2.3.%d", study)
	switch rapid.SampledFrom([]string{"store", "store", "store", "study", "series", "instance", "release", "destroy"}).Draw(rt, "step") {
	case "store":
		_, err := a.Ingest(t.Context(), incoming(t, variant(t, rt, study, series, instance)))
		if err != nil && fault.Of(err) != fault.Conflict {
			rt.Fatal(err)
		}
	case "study":
		remove(rt, a, Deletion{Scope: Everything(), StudyUID: studyUID})
	case "series":
		remove(rt, a, Deletion{Scope: Everything(), StudyUID: studyUID, SeriesUID: fmt.Sprintf("%s.%d", studyUID, series)})
	case "instance":
		remove(rt, a, Deletion{Scope: Everything(), StudyUID: studyUID, SOPInstanceUID: fmt.Sprintf("%s.%d.%d", studyUID, series, instance)})
	case "release":
		if list, _ := a.Quarantine(t.Context(), 0, 1); len(list) > 0 {
			if _, err := a.Release(t.Context(), list[0].ID, Source{Principal: "admin"}); err != nil && fault.Of(err) != fault.Conflict {
				rt.Fatal(err)
			}
		}
	case "destroy":
		if list, _ := a.Quarantine(t.Context(), 0, 1); len(list) > 0 {
			if err := a.Destroy(t.Context(), list[0].ID, Source{Principal: "admin"}); err != nil {
				rt.Fatal(err)
			}
		}
	}
}

func variant(t testing.TB, rt *rapid.T, study, series, instance int) *dicom.DataSet {
	// Studies 1 and 2 are of one patient.
	return image(t, study, series, instance,
		tag.PatientID, fmt.Sprintf("ID%d", max(study-1, 1)),
		tag.PatientName, rapid.SampledFrom([]string{"ZZPHI^A", "ZZPHI^B"}).Draw(rt, "name"),
		tag.StudyDescription, rapid.SampledFrom([]string{"one", "two"}).Draw(rt, "description"),
		tag.Modality, rapid.SampledFrom([]string{"CT", "MR"}).Draw(rt, "modality"))
}

func remove(rt *rapid.T, a *recorded, d Deletion) {
	d.Why = "because of the test"
	if _, err := a.Delete(context.Background(), d); err != nil && fault.Of(err) != fault.NotFound {
		rt.Fatal(err)
	}
}

// What was deleted is nowhere in the database file once its log is gone.
func TestADeletedNameIsNotLeftInTheFile(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	store(t, a.opened, image(t, 1, 1, 1, tag.PatientName, "ZZPHI^ERASED", tag.PatientID, "ZZPHI-77"))
	store(t, a.opened, image(t, 2, 1, 1))
	mustDelete(t, a.opened, Deletion{StudyUID: "1.2.3.1"})
	a.close()

	b, err := os.ReadFile(filepath.Join(a.dir, "collimator.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"ERASED", "erased", "ZZPHI-77"} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("%s is in the file", word)
		}
	}
	if !bytes.Contains(b, []byte("ZZPHI^Patient2")) {
		t.Error("what is not deleted is not in the file either: nothing was shown")
	}
}
