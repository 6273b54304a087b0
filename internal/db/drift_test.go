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
