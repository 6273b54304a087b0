package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"collimator/dicom/tag"
	"collimator/internal/archive/index"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// lived is an archive with a history: images of two studies, one held back, one
// released in the place of another, one destroyed, one deleted.
func lived(t *testing.T) *recorded {
	t.Helper()
	a := openRecorded(t)
	for i := range 4 {
		store(t, a.opened, image(t, 1, 1+i/2, i))
	}
	store(t, a.opened, image(t, 2, 1, 1))
	conflict := func(s, i int, pairs ...any) int64 {
		_, err := a.Ingest(t.Context(), incoming(t, image(t, s, 1, i, pairs...)))
		c, ok := errors.AsType[*ConflictError](err)
		if !ok {
			t.Fatal(err)
		}
		return c.Quarantine
	}
	conflict(1, 0, tag.StudyDescription, "Held back")
	released := conflict(1, 1, tag.StudyDescription, "Released")
	if _, err := a.Release(t.Context(), released, Source{Principal: "ada"}); err != nil {
		t.Fatal(err)
	}
	destroyed := conflict(2, 1, tag.StudyDescription, "Destroyed")
	if err := a.Destroy(t.Context(), destroyed, Source{Principal: "ada"}); err != nil {
		t.Fatal(err)
	}
	_, err := a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", SeriesUID: "1.2.3.1.2", SOPInstanceUID: "1.2.3.1.2.3", Why: "by mistake", Scope: Everything()})
	if err != nil {
		t.Fatal(err)
	}

	return a
}

// fate is what the statements hold last of a file.
func (r *recorded) fate(_ context.Context, uid, digest string) (last EventKind, _ error) {
	for _, s := range r.statements {
		if s.SOPInstanceUID == uid && s.Digest == digest {
			last = s.Event
		}
	}
	return last, nil
}

func rebuild(t *testing.T, a *recorded) *Rebuild {
	t.Helper()
	r, err := a.BeginRebuild(t.Context())
	if err == nil {
		err = r.Apply(t.Context(), a.statements)
	}
	if err == nil {
		err = r.End(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRebuiltIndexIsTheOneThatWasLost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *recorded){
		"nothing was lost": func(*testing.T, *recorded) {},
		"rows changed": func(t *testing.T, a *recorded) {
			must(t, a.db.Write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE study SET description = 'other', patient_id = 'other'`)
				return err
			}))
		},
		"files were set aside": func(t *testing.T, a *recorded) {
			var keys []string
			for f, err := range Files(t.Context(), a.db) {
				must(t, err)
				keys = append(keys, f.Digest)
			}
			for _, key := range keys {
				must(t, a.blobs.Aside().Put(t.Context(), key))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := lived(t)
			lose(t, a)
			r := rebuild(t, a)
			if len(r.Unreadable()) != 0 || r.replay.Lost() {
				t.Errorf("%d unreadable, lost %v", len(r.Unreadable()), r.replay.Lost())
			}
			again := a.replay(t)
			defer again.Close()
			apply(t, again, a.statements)
			if list := differences(t, again); len(list) != 0 {
				t.Errorf("%q", list)
			}
			list, err := a.Strangers(t.Context())
			if err != nil || len(list) != 0 {
				t.Errorf("%d files without a row: %v", len(list), err)
			}
		})
	}
}

func TestRebuildThatWasCutOffIsNoticedAndRepeated(t *testing.T) {
	t.Parallel()
	a := lived(t)
	r, err := a.BeginRebuild(t.Context())
	must(t, err)
	must(t, r.Apply(t.Context(), a.statements[:2]))
	if cut, err := a.CutOff(t.Context()); err != nil || !cut {
		t.Errorf("cut off: %v %v", cut, err)
	}

	rebuild(t, a)
	if cut, err := a.CutOff(t.Context()); err != nil || cut {
		t.Errorf("cut off: %v %v", cut, err)
	}
	if s, err := a.Stats(t.Context()); err != nil || s.Instances != 4 || s.Quarantined != 2 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestFilesWithoutALedgerAreTakenInLikeNewOnes(t *testing.T) {
	t.Parallel()
	a := lived(t)
	must(t, a.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM quarantine`)
		return errors.Join(err, index.Clear(t.Context(), tx))
	}))
	a.statements = nil

	list, err := a.Strangers(t.Context())
	must(t, err)
	count := map[Taken]int{}
	for _, s := range list {
		taken, err := a.TakeIn(t.Context(), s, Source{Principal: "reindex"}, a.fate)
		must(t, err)
		count[taken]++
	}
	if count[TakenIn] != 4 || count[TakenHeld] != 2 || len(list) != 6 {
		t.Errorf("%v", count)
	}
	again := a.replay(t)
	defer again.Close()
	apply(t, again, a.statements)
	if list := differences(t, again); len(list) != 0 {
		t.Errorf("%q", list)
	}
	if a.statements[0].Source.Principal != "reindex" {
		t.Errorf("%+v", a.statements[0].Source)
	}
}

func TestWhatWasDeletedOrIsDamagedStaysOut(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	store(t, a.opened, image(t, 1, 1, 1))
	store(t, a.opened, image(t, 1, 1, 2))
	var files []string
	for _, s := range a.statements {
		files = append(files, s.Digest)
	}
	path := func(key string) string { return filepath.Join(a.dir, "blobs", key[:2], key[2:3], key) }
	kept, err := os.ReadFile(path(files[0]))
	must(t, err)
	_, err = a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", Why: "by mistake", Scope: Everything()})
	must(t, err)
	must(t, os.WriteFile(path(files[0]), kept, 0o600))
	kept[len(kept)-1]++
	must(t, os.WriteFile(path(files[1]), kept, 0o600))
	a.statements = a.statements[:3:3]
	forget := func(ctx context.Context, uid, digest string) (EventKind, error) {
		if digest == files[1] {
			return "", nil
		}
		return Deleted, nil
	}

	list, err := a.Strangers(t.Context())
	must(t, err)
	got := map[string]Taken{}
	for _, s := range list {
		got[s.Digest], err = a.TakeIn(t.Context(), s, Source{}, forget)
		must(t, err)
	}
	if got[files[0]] != NotDeleted || got[files[1]] != NotReadable {
		t.Errorf("%v", got)
	}
	if s, err := a.Stats(t.Context()); err != nil || s.Instances != 0 {
		t.Errorf("%+v %v", s, err)
	}
	if aside, err := a.Aside(t.Context()); err != nil || len(aside) != 1 || aside[0].Digest != files[1] {
		t.Errorf("%v %v", aside, err)
	}
}

func TestRemovingWhatWasSetAsideIsRecorded(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	store(t, a.opened, image(t, 1, 1, 1))
	key := a.statements[0].Digest
	must(t, a.db.Write(t.Context(), func(tx *db.Tx) error { return index.Remove(t.Context(), tx, "1.2.3.1.1.1") }))
	must(t, a.blobs.Aside().Put(t.Context(), key))
	list, err := a.Aside(t.Context())
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%v", list)
	}
	if err := a.Discard(t.Context(), list[0], Source{}, "no"); fault.Of(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	must(t, a.Discard(t.Context(), list[0], Source{Principal: "ada"}, "looked at, of no use"))

	last := a.events[len(a.events)-1]
	if last.Kind != Destroyed || last.Why != "looked at, of no use" || last.Instance.SOPInstanceUID != "1.2.3.1.1.1" {
		t.Errorf("%+v", last)
	}
	if list, err := a.Aside(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
