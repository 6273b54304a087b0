package sitetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver" // the tamperer's own way into the file

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/blob"
	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/house"
)

// Filled opens an installation with a few studies, an instance in quarantine, one
// that was deleted, and records of the trail. It is closed with the test.
func Filled(t testing.TB) *house.Installation {
	t.Helper()
	content, err := filled()
	if err != nil {
		t.Fatal(err)
	}

	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := content.open(t, c)
	t.Cleanup(func() { in.Close() })

	return in
}

// filled is a data directory in which things were stored, exchanged and deleted.
var filled = grown(Made, fill)

// fill stores eight instances, sends other content under the UIDs of two of them,
// releases one of those from the quarantine, stores a ninth instance and deletes it,
// and writes five records of an alert.
func fill(ctx context.Context, in *house.Installation) error {
	blobs, err := blob.OpenDir(filepath.Join(in.Config.Data, house.BlobsDir))
	if err != nil {
		return err
	}
	defer blobs.Close()

	a, err := archive.Open(archive.Options{DB: in.DB, Blobs: blobs, Record: guard.RecordInstance(in.Ledger, in.Trail, in.Registry)})
	if err != nil {
		return err
	}

	if err := a.Upgrade(ctx, nil); err != nil { // as a server does before it takes anything
		return err
	}
	for i := range 8 {
		if err := ingest(ctx, a, i, byte(i)); err != nil {
			return err
		}
	}
	for _, i := range []int{3, 5} {
		if err := ingest(ctx, a, i, 99); err == nil {
			return errors.New("other content under a UID was taken")
		}
	}

	list, err := a.Quarantine(ctx, 0, 10)
	if err != nil {
		return err
	}
	if _, err := a.Release(ctx, list[0].ID, archive.Source{Principal: "ada"}); err != nil {
		return err
	}

	if err := ingest(ctx, a, 8, 8); err != nil {
		return err
	}

	d := archive.Deletion{Scope: archive.Everything(), StudyUID: "2.25.72", SOPInstanceUID: "2.25.96", Why: "because of the test"}
	deleted, err := a.Delete(ctx, d)
	if err != nil {
		return fmt.Errorf("delete an instance: %w", err)
	}
	if deleted.Instances != 1 {
		return fmt.Errorf("%d instances were deleted, want 1", deleted.Instances)
	}

	for range 5 {
		err := in.Record(ctx, audit.Record{
			Event:   audit.SecurityAlert,
			Outcome: audit.MinorFailure,
			Reason:  "test",
			Peer:    audit.Peer{Address: "127.0.0.1"},
		})
		if err != nil {
			return err
		}
	}

	return nil
}

// Tamper changes the database behind the program's back.
func Tamper(t testing.TB, in *house.Installation, statements ...string) {
	t.Helper()
	raw, err := sql.Open("sqlite3", "file:"+filepath.Join(in.Config.Data, house.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, s := range statements {
		if _, err := raw.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}
