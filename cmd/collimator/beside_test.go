//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

// older makes the index of a data directory what the program before the last
// migration made, and closes it.
func older(t *testing.T, in *house.Installation) {
	t.Helper()
	sitetest.Tamper(t, in, `DELETE FROM schema_version WHERE version = 33`,
		`DROP INDEX study_by_moment`, `DROP INDEX study_by_name`, `DROP INDEX study_list_patient`, `DROP INDEX study_list_accession`,
		`DROP INDEX study_list_modality`, `DROP INDEX study_list_source`, `DROP INDEX study_by_instances`, `DROP INDEX study_by_size`,
		`DROP INDEX study_value_by_study`, `CREATE INDEX study_value_by_study ON study_value (study)`,
		`DROP TABLE study_label`, `DROP TABLE study_mark`, `ALTER TABLE study DROP COLUMN name`, `ALTER TABLE study DROP COLUMN sources`,
		`PRAGMA wal_checkpoint(TRUNCATE)`) // schemaOf reads the file alone
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
}

func schemaOf(t *testing.T, in *house.Installation) int {
	t.Helper()
	d, err := db.OpenCopy(t.Context(), filepath.Join(in.Config.Data, house.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A newer program beside a server of an older one leaves the index as it is, and
// says what to do; without the server it changes it.
func TestANewerProgramChangesNoIndexThatAServerHasInUse(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	last := schemaOf(t, in)
	older(t, in)
	lock, err := house.LockData(in.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in.Config.Data, house.ServeLock), []byte("v0.9.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, args := range [][]string{{"verify"}, {"device", "list"}, {"lost", "take", "--all"}, {"audit", "tail"}} {
		out, code := runOn(in, t, args...)
		if code != exitUsage || !strings.Contains(out, "a server runs on it (v0.9.1)") || !strings.Contains(out, "Nothing was changed") {
			t.Errorf("%v: code %d: %s", args, code, out)
		}
		if n := schemaOf(t, in); n != last-1 {
			t.Fatalf("%v: the index has schema %d", args, n)
		}
	}

	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if out, code := runOn(in, t, "device", "list"); code != 0 {
		t.Errorf("without the server: code %d: %s", code, out)
	}
	if n := schemaOf(t, in); n != last {
		t.Errorf("without the server: schema %d", n)
	}
}

// Who asks what a route lets through changes no index, with a server or without.
func TestASettingsCheckChangesNoIndexOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	last := schemaOf(t, in)
	older(t, in)
	routes := "routes:\n  - {name: PACS, protect: \"OLD@10.0.0.5:104\", rules: [{name: ct, who: [CT1], allow: [store]}]}\n"
	if err := os.WriteFile(house.RoutesFile(in.Config), []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}

	out, code := runOn(in, t, "config", "check")
	if code != 0 || !strings.Contains(out, "which devices are registered is not known here: the index is of an earlier version") {
		t.Errorf("code %d: %s", code, out)
	}
	if n := schemaOf(t, in); n != last-1 {
		t.Errorf("the index has schema %d", n)
	}
}

// What a command did is recorded also where it was interrupted meanwhile.
func TestACommandThatWasInterruptedIsRecorded(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := in.Record(ctx, audit.Record{Event: audit.Export, Action: audit.Read, Reason: "interrupted"}); err != nil {
		t.Fatal(err)
	}
}

// untilFile is a context that ends as soon as a file is there.
type untilFile struct {
	context.Context
	cancel context.CancelFunc
	path   string
}

func (u untilFile) Err() error {
	if house.FileExists(u.path) {
		u.cancel()
	}
	return u.Context.Err()
}

func TestAnExportThatIsInterruptedRecordsWhatWasNotWritten(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	out := filepath.Join(t.TempDir(), "out")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout := &strings.Builder{}
	study := studyWithMost(t, in)
	code := run([]string{"export", "--data", in.Config.Data, "--study", study, "--out", out},
		&env{ctx: untilFile{Context: ctx, cancel: cancel, path: filepath.Join(out, "000001.dcm")}, stdout: stdout, stderr: stdout})
	if code != exitPartial {
		t.Fatalf("code %d: %s", code, stdout)
	}

	failed := 0
	for r, err := range in.Trail.After(t.Context(), -1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Event == audit.Export && r.Outcome == audit.MinorFailure {
			failed += r.Objects[0].Failed
		}
	}
	if failed == 0 {
		t.Error("the trail does not say that files were not written")
	}
}

// studyWithMost is the study of a data directory with the most instances.
func studyWithMost(t *testing.T, in *house.Installation) (study string) {
	t.Helper()
	err := in.DB.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT uid FROM study ORDER BY instances DESC LIMIT 1`).Scan(&study)
	})
	if err != nil {
		t.Fatal(err)
	}
	return study
}
