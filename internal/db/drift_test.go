package db

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDriftNamesWhatIsNotAsTheProgramMakesIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   []string
		want string // empty: nothing is named
	}{
		"untouched":         {},
		"statistics":        {do: []string{`ANALYZE`}},
		"a row":             {do: []string{`INSERT INTO person (name, role, password_hash, created, disabled) VALUES ('ada', 'x', '', 1, 0)`}},
		"no unique index":   {do: []string{`DROP INDEX instance_by_digest`}, want: "index instance_by_digest is missing"},
		"an index is less":  {do: []string{`DROP INDEX instance_by_digest`, `CREATE INDEX instance_by_digest ON instance (size)`}, want: "index instance_by_digest was changed"},
		"a table is gone":   {do: []string{`DROP TABLE posture_told`}, want: "table posture_told is missing"},
		"a table is wider":  {do: []string{`ALTER TABLE person ADD COLUMN shadow TEXT`}, want: "table person was changed"},
		"a table is looser": {do: []string{`DROP TABLE posture_told`, `CREATE TABLE posture_told (channel TEXT, sequence INTEGER, event INTEGER)`}, want: "table posture_told was changed"},
		"a trigger":         {do: []string{`CREATE TRIGGER t BEFORE UPDATE ON person BEGIN SELECT RAISE(IGNORE); END`}, want: "trigger t was added"},
		"a view":            {do: []string{`CREATE VIEW v AS SELECT 1`}, want: "view v was added"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "index.db")})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			for _, statement := range c.do {
				err := d.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(context.WithoutCancel(t.Context()), statement); return err })
				if err != nil {
					t.Fatal(err)
				}
			}

			found, err := d.Drift(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			named := slices.ContainsFunc(found, func(text string) bool { return strings.HasPrefix(text, c.want) })
			if c.want == "" && len(found) > 0 || c.want != "" && !named {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}

// What the snapshot makes is compared with where all migrations were applied: no
// object that is looked at, indexes that tables make by themselves among them, may
// be another one.
func TestDriftHoldsTheSnapshotForWhatAllMigrationsMake(t *testing.T) {
	t.Parallel()
	list, err := readMigrations(migrations)
	if err != nil {
		t.Fatal(err)
	}
	scripts, applied := []string{versionTable}, []int64{}
	for _, m := range list {
		scripts, applied = append(scripts, m.script), append(applied, int64(m.version))
	}
	if got := scriptsOf(list, applied); !slices.Equal(got, []string{snapshot}) {
		t.Errorf("all migrations are compared with %d scripts, not with the snapshot", len(got))
	}

	older := slices.Concat(applied[:len(applied)-1], []int64{applied[len(applied)-1] + 1})
	if got := scriptsOf(list, older); len(got) != len(list) {
		t.Errorf("a database without the last migration is compared with %d scripts, want %d", len(got), len(list))
	}

	want, err := sqlite{}.made(t.Context(), scripts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sqlite{}.made(t.Context(), []string{snapshot})
	if err != nil {
		t.Fatal(err)
	}
	if d := differences(got, want); len(want) == 0 || len(d) > 0 {
		t.Errorf("%d objects of the migrations; of those of the snapshot, %q", len(want), d)
	}
}

func BenchmarkDrift(b *testing.B) {
	list, err := readMigrations(migrations)
	if err != nil {
		b.Fatal(err)
	}
	scripts := []string{versionTable}
	for _, m := range list {
		scripts = append(scripts, m.script)
	}

	for name, scripts := range map[string][]string{"migrations": scripts, "snapshot": {snapshot}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := (sqlite{}).made(b.Context(), scripts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A copy that an older program made is held against what that one made.
func TestDriftLooksAtTheMigrationsThatWereApplied(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "index.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.Write(t.Context(), func(tx *Tx) error {
		for _, statement := range []string{
			`DROP TABLE provider_group`,
			`CREATE TABLE person_group (
				person   TEXT    NOT NULL REFERENCES person (name),
				name     TEXT    NOT NULL,
				expires  INTEGER NOT NULL,
				PRIMARY KEY (person, name)
			) WITHOUT ROWID`,
			`ALTER TABLE session DROP COLUMN provider`,
			`DELETE FROM schema_version WHERE version = 20`,
		} {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := d.Drift(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("found %q, %v", found, err)
	}
}
