package db

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite schema.sql from the migrations")

func TestTheSnapshotIsWhatTheMigrationsMake(t *testing.T) {
	migrated := unmigrated(t)
	list, err := readMigrations(migrations)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrated.apply(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.sql", []byte(script(t, migrated)), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Log("schema.sql is written anew; run the test again")
		return
	}

	started := unmigrated(t)
	if _, err := started.start(t.Context(), list); err != nil {
		t.Fatal(err)
	}

	if d := cmp.Diff(rowsOf(t, migrated, objects), rowsOf(t, started, objects)); d != "" {
		t.Errorf("schema.sql makes another schema than the migrations; write it anew with -update: %s", d)
	}
	if d := cmp.Diff(contents(t, migrated), contents(t, started)); d != "" {
		t.Errorf("schema.sql makes other rows than the migrations: %s", d)
	}
	if d := cmp.Diff(contents(t, migrated)["schema_version"], len(list)); d != "" {
		t.Errorf("migrations that the database says it has: %s", d)
	}
}

// objects are the tables and what belongs to them, as they were declared.
const objects = `SELECT type || ' ' || name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1`

// seeds are the rows that a new database has.
var seeds = []string{
	"INSERT INTO index_state (one, version) VALUES (1, 1);",
	"INSERT INTO pairing (one, id) VALUES (1, hex(randomblob(16)));",
}

// script is the schema of a database as statements.
func script(t *testing.T, d *DB) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("-- Made from the migrations by 'go test ./internal/db -run Snapshot -update'.\n\n")
	for _, row := range rowsOf(t, d, `SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`) {
		fmt.Fprintf(&b, "%s;\n\n", row[1])
	}
	b.WriteString(strings.Join(seeds, "\n") + "\n")

	return b.String()
}

// contents counts the rows of each table. Of the numbers that SQLite has given out
// only those that are not zero count.
func contents(t *testing.T, d *DB) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range rowsOf(t, d, `SELECT name, '' FROM sqlite_schema WHERE type = 'table'`) {
		query := `SELECT '', '' FROM "` + table[0] + `"`
		if table[0] == "sqlite_sequence" {
			query += " WHERE seq <> 0"
		}
		out[table[0]] = len(rowsOf(t, d, query))
	}

	return out
}

// rowsOf reads two columns of text.
func rowsOf(t *testing.T, d *DB, query string) (list [][2]string) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *Tx) error {
		rows, err := tx.Query(t.Context(), query)
		if err != nil {
			return err
		}
		defer rows.Close()

		for rows.Next() {
			var name string
			var text *string
			if err := rows.Scan(&name, &text); err != nil {
				return err
			}
			row := [2]string{name}
			if text != nil {
				row[1] = *text
			}
			list = append(list, row)
		}

		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}

	return list
}

// unmigrated is a database without a schema.
func unmigrated(t *testing.T) *DB {
	t.Helper()
	d, err := sqliteOnly(t, filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}

	return d
}
