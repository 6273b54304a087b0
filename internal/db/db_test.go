package db

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"collimator/internal/fault"
)

func openTest(t testing.TB, path string) *DB {
	t.Helper()
	d, err := Open(context.Background(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestMigrationsRunOnceWhenManyOpenAtTheSameTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	list := []migration{{1, "one", `CREATE TABLE one (a INTEGER); INSERT INTO one VALUES (1);`}, {5, "five", `INSERT INTO one VALUES (2);`}}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			d, err := sqliteOnly(t, path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := d.apply(t.Context(), list); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d, err := sqliteOnly(t, path)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := d.Read(t.Context(), func(tx *Tx) error { return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM one`).Scan(&n) }); err != nil || n != 2 {
		t.Errorf("got %d rows, error %v; want 2", n, err)
	}
}

// sqliteOnly opens a database without the real history.
func sqliteOnly(t *testing.T, path string) (*DB, error) {
	t.Helper()
	w, r, err := openSQLite(Options{Path: path, Readers: 1, BusyTimeout: 10 * time.Second}, &writeAheadLog{})
	if err != nil {
		return nil, err
	}
	d := &DB{dialect: sqlite{}, writer: make(chan *session, 1), readers: newSessions(1), closed: make(chan struct{})}
	d.writer <- newSession(w, d.dialect, true, 10*time.Second)
	d.readers.fresh <- newSession(r, d.dialect, false, 10*time.Second)
	t.Cleanup(func() { d.Close(); w.Close(); r.Close() })
	return d, nil
}

func TestLowerMigrationAddedLaterIsStillApplied(t *testing.T) {
	t.Parallel()
	d, err := sqliteOnly(t, filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	three := migration{3, "three", `CREATE TABLE three (a INTEGER);`}
	two := migration{2, "two", `CREATE TABLE two (a INTEGER);`}
	for _, list := range [][]migration{{three}, {two, three}, {two, three}} {
		if err := d.apply(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.apply(t.Context(), []migration{two}); fault.Of(err) != fault.Unsupported {
		t.Errorf("a database of a newer program was accepted: %v", err)
	}
}

func TestBrokenMigrationLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	d, err := sqliteOnly(t, filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	bad := migration{1, "bad", `CREATE TABLE half (a INTEGER); CREATE TABLE half (a INTEGER);`}
	if err := d.apply(t.Context(), []migration{bad}); err == nil {
		t.Fatal("the broken migration passed")
	}
	good := migration{1, "good", `CREATE TABLE half (a INTEGER);`}
	if err := d.apply(t.Context(), []migration{good}); err != nil {
		t.Errorf("half of the broken migration stayed: %v", err)
	}
}

func TestMigrationNamesAreChecked(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]string{
		"no number":     {"archive.sql"},
		"short number":  {"1_archive.sql"},
		"number twice":  {"0001_a.sql", "0001_b.sql"},
		"number zero":   {"0000_a.sql"},
		"number signed": {"-001_a.sql"},
	} {
		fsys := fstest.MapFS{}
		for _, f := range files {
			fsys["migrations/"+f] = &fstest.MapFile{}
		}
		if _, err := readMigrations(fsys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	list, err := readMigrations(fstest.MapFS{"migrations/0010_b.sql": {}, "migrations/0002_a.sql": {}, "migrations/README": {}})
	if err != nil || len(list) != 2 || list[0].version != 2 || list[1].name != "b" {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestDatabaseFileBelongsToItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dir with % and ?", "x.db")
	d := openTest(t, path)
	if err := d.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q has mode %v", "x.db"+suffix, info.Mode())
		}
	}
}

func TestSettingsOfTheConnections(t *testing.T) {
	t.Parallel()
	d := openTest(t, filepath.Join(t.TempDir(), "x.db"))
	check := func(tx *Tx, pragma, want string) {
		var got string
		if err := tx.QueryRow(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %s", pragma, got, err, want)
		}
	}
	_ = d.Write(t.Context(), func(tx *Tx) error {
		check(tx, "journal_mode", "wal")
		check(tx, "synchronous", "2")
		check(tx, "wal_autocheckpoint", "0")
		check(tx, "foreign_keys", "1")
		return nil
	})
	_ = d.Read(t.Context(), func(tx *Tx) error { check(tx, "query_only", "1"); return nil })

	// What is made anew after a power cut is not synced for each transaction.
	scratch, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "y.db"), Scratch: true})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	_ = scratch.Write(t.Context(), func(tx *Tx) error { check(tx, "synchronous", "0"); return nil })
}

func TestClosedDatabaseSaysSo(t *testing.T) {
	t.Parallel()
	d := openTest(t, filepath.Join(t.TempDir(), "x.db"))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Read(t.Context(), func(*Tx) error { return nil }); fault.Of(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestDollarLeavesLiteralsAlone(t *testing.T) {
	t.Parallel()
	if got, want := dollar(`SELECT '?1', "?2", x FROM t WHERE a = ?1 AND b = ?12 AND c = '?'`), `SELECT '?1', "?2", x FROM t WHERE a = $1 AND b = $12 AND c = '?'`; got != want {
		t.Errorf("got %s", got)
	}
	if got, want := likePattern(`a%b_c*d?e\`), `a\%b\_c%d_e\\`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func BenchmarkWrite(b *testing.B) {
	d := openTest(b, filepath.Join(b.TempDir(), "x.db"))
	ctx := b.Context()
	if err := d.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)`)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprintf("rows=%d", batch), func(b *testing.B) {
			for b.Loop() {
				if err := d.Write(ctx, func(tx *Tx) error {
					for range batch {
						if _, err := tx.Exec(ctx, `INSERT INTO t (s) VALUES (?1)`, "x"); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A number that named a row once names no other later: whoever still holds it
// must not act on another row.
func TestRowsThatAreActedOnByNumberAreNumberedOnce(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "index.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()

	for _, table := range []string{"patient", "study", "series", "instance", "description", "quarantine", "refusal", "commitment_report"} {
		var sql string
		err := d.Read(t.Context(), func(tx *Tx) error {
			return tx.QueryRow(t.Context(), `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1`, table).Scan(&sql)
		})
		if err != nil || !strings.Contains(sql, "AUTOINCREMENT") {
			t.Errorf("%s: %v: %.60s", table, err, sql)
		}
	}
}
