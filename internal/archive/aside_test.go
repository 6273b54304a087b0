package archive

import (
	"context"
	"errors"
	"testing"
	"time"

	"collimator/dicom/tag"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
)

var later = time.Now().Add(time.Hour)

// An index that lost its rows, as an older copy put back has, costs no file.
func TestFilesThatTheIndexDoesNotKnowAreKept(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	many(t, a, 1, 5)
	err := a.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM instance`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	u, err := a.SetAside(t.Context(), later, nil)
	if err != nil || u != (Unknown{SetAside: 5}) {
		t.Fatal(u, err)
	}
	list, err := a.Aside(t.Context())
	if err != nil || len(list) != 5 {
		t.Fatalf("%d files are set aside: %v", len(list), err)
	}
	for _, s := range list {
		if err := a.blobs.Aside().Return(t.Context(), s.Digest); err != nil {
			t.Fatal(err)
		}
		if _, err := a.blobs.Open(t.Context(), s.Digest); err != nil {
			t.Error(err)
		}
	}
}

// Only what the ledger says was deleted is removed.
func TestOnlyATombstoneRemovesAFile(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	r := store(t, a, image(t, 1, 1, 1))
	other := store(t, a, image(t, 1, 1, 2))
	err := a.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM instance`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	u, err := a.SetAside(t.Context(), later, func(_ context.Context, uid, digest string) (EventKind, error) {
		if uid == r.Instance.SOPInstanceUID && digest == r.Instance.Digest {
			return Deleted, nil
		}
		return Stored, nil
	})
	if err != nil || u != (Unknown{SetAside: 1, Deleted: 1}) {
		t.Fatal(u, err)
	}
	if _, err := a.blobs.Aside().Open(t.Context(), other.Instance.Digest); err != nil {
		t.Error(err)
	}
	if _, err := a.blobs.Aside().Open(t.Context(), r.Instance.Digest); !errors.Is(err, blob.ErrNotFound) {
		t.Error(err)
	}
}

// A file that lay there before is not removed because a transfer of the same
// content failed: it may be one of which the index lost the row.
func TestAFailedTransferLeavesAFileThatWasThere(t *testing.T) {
	t.Parallel()
	fail := false
	a := openTest(t, func(o *Options) {
		o.Record = func(context.Context, *db.Tx, Event) error {
			if fail {
				return fault.New(fault.Unavailable, "no room")
			}
			return nil
		}
	})
	r := store(t, a, image(t, 1, 1, 1))
	err := a.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM instance`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	fail = true
	if _, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, 1))); err == nil {
		t.Fatal("stored without a record")
	}
	if _, err := a.blobs.Stat(t.Context(), r.Instance.Digest); err != nil {
		t.Errorf("the file that was there: %v", err)
	}
}

// An index of an earlier version is made anew from headers and files, and says
// afterwards what a new one says.
func TestUpgradeMakesEveryRowAnew(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	many(t, a.opened, 1, 5)
	store(t, a.opened, image(t, 2, 1, 1, tag.PatientID, "ID1", tag.PatientName, "ZZPHI^Other"))
	err := a.db.Write(t.Context(), func(tx *db.Tx) error {
		for _, query := range []string{
			`DELETE FROM description`, `DELETE FROM study_value`, `DELETE FROM patient_value`, `DELETE FROM index_state`,
			`UPDATE instance SET description = 0`, `UPDATE study SET description = 'what an older program made of it', received = received + 7, updated = updated - 7`,
			`UPDATE instance_data SET data = X'00' WHERE id = 2`, // a header that cannot be read
		} {
			if _, err := tx.Exec(t.Context(), query); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	if stale, err := a.Stale(t.Context()); err != nil || !stale {
		t.Fatal(stale, err)
	}
	done := int64(0)
	if err := a.Upgrade(t.Context(), func(d, all int64) { done = d }); err != nil || done != 6 {
		t.Fatal(done, err)
	}
	if stale, err := a.Stale(t.Context()); err != nil || stale {
		t.Fatal(stale, err)
	}
	rp := a.replay(t)
	defer rp.Close()
	apply(t, rp, a.statements)
	if d := differences(t, rp); len(d) > 0 {
		t.Error(d)
	}
}
