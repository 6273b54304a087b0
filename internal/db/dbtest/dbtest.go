// Package dbtest holds what every database behind package db must do. Each
// dialect runs it.
package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Run checks a database. open returns an empty one that the caller closes.
func Run(t *testing.T, open func(t *testing.T) *db.DB) {
	for name, f := range map[string]func(*testing.T, *db.DB){
		"write commits":                                 testCommit,
		"an error rolls back":                           testRollback,
		"a panic rolls back":                            testPanic,
		"read cannot write":                             testReadOnly,
		"read sees one state":                           testSnapshot,
		"placeholders by number":                        testPlaceholders,
		"upsert and returning":                          testUpsert,
		"one statement open twice":                      testReentrant,
		"all rows come in the order of the query":       testAll,
		"an error of the reader ends the reading":       testReaderFails,
		"glob takes the standard's wild cards only":     testGlob,
		"constraint is a conflict":                      testConstraint,
		"no row is not found":                           testNoRow,
		"concurrent writers all commit":                 testConcurrent,
		"a cancelled caller leaves the database usable": testCancel,
		"a caller who gave up is told so":               testGaveUp,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			must(t, d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), `CREATE TABLE probe (id INTEGER PRIMARY KEY,
					name TEXT NOT NULL UNIQUE, n INTEGER NOT NULL DEFAULT 0)`)
				return err
			}))

			f(t, d)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func insert(ctx context.Context, tx *db.Tx, name string) error {
	_, err := tx.Exec(ctx, `INSERT INTO probe (name) VALUES (?1)`, name)
	return err
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	must(t, d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM probe`).Scan(&n)
	}))
	return n
}

func testCommit(t *testing.T, d *db.DB) {
	must(t, d.Write(t.Context(), func(tx *db.Tx) error { return insert(t.Context(), tx, "a") }))
	if n := count(t, d); n != 1 {
		t.Errorf("got %d rows, want 1", n)
	}
}

func testRollback(t *testing.T, d *db.DB) {
	boom := errors.New("boom")
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		must(t, insert(t.Context(), tx, "a"))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("got error %v, want the function's own", err)
	}
	if n := count(t, d); n != 0 {
		t.Errorf("got %d rows after the rollback, want 0", n)
	}
}

func testPanic(t *testing.T, d *db.DB) {
	func() {
		defer func() { _ = recover() }()
		_ = d.Write(t.Context(), func(tx *db.Tx) error {
			must(t, insert(t.Context(), tx, "a"))
			panic("boom")
		})
	}()

	if n := count(t, d); n != 0 {
		t.Errorf("got %d rows after the panic, want 0", n)
	}

	testCommit(t, d)
}

func testReadOnly(t *testing.T, d *db.DB) {
	err := d.Read(t.Context(), func(tx *db.Tx) error { return insert(t.Context(), tx, "a") })
	if err == nil {
		t.Error("a reading transaction could write")
	}
}

func testSnapshot(t *testing.T, d *db.DB) {
	must(t, d.Read(t.Context(), func(tx *db.Tx) error {
		var before, after int

		must(t, tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM probe`).Scan(&before))
		must(t, d.Write(t.Context(), func(w *db.Tx) error { return insert(t.Context(), w, "a") }))
		must(t, tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM probe`).Scan(&after))

		if before != after {
			t.Errorf("the count went from %d to %d inside a reading transaction", before, after)
		}
		return nil
	}))
}

func testPlaceholders(t *testing.T, d *db.DB) {
	must(t, d.Read(t.Context(), func(tx *db.Tx) error {
		var got string
		must(t, tx.QueryRow(t.Context(), `SELECT ?2 || ?1 || ?2 || '?1'`, "a", "b").Scan(&got))
		if got != "bab?1" {
			t.Errorf("got %q, want bab?1", got)
		}
		return nil
	}))
}

func testUpsert(t *testing.T, d *db.DB) {
	must(t, d.Write(t.Context(), func(tx *db.Tx) error {
		for want := range 3 {
			var got int
			must(t, tx.QueryRow(t.Context(), `INSERT INTO probe (name) VALUES (?1)
				ON CONFLICT (name) DO UPDATE SET n = probe.n + 1 RETURNING n`, "a").Scan(&got))
			if got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}
		return nil
	}))
}

func testReentrant(t *testing.T, d *db.DB) {
	must(t, d.Write(t.Context(), func(tx *db.Tx) error {
		for i := range 5 {
			must(t, insert(t.Context(), tx, fmt.Sprint(i)))
		}

		const q = `SELECT id FROM probe ORDER BY id`
		n := 0
		outer, err := tx.Query(t.Context(), q)
		must(t, err)
		defer outer.Close()

		for outer.Next() {
			inner, err := tx.Query(t.Context(), q)
			must(t, err)
			for inner.Next() {
				n++
			}
			must(t, inner.Close())
		}

		if n != 25 {
			t.Errorf("got %d rows, want 25", n)
		}
		return outer.Err()
	}))
}

func testAll(t *testing.T, d *db.DB) {
	must(t, d.Write(t.Context(), func(tx *db.Tx) error {
		name := func(scan db.Scan) (s string, err error) {
			err = scan(&s)
			return s, err
		}
		none, err := db.All(t.Context(), tx, name, `SELECT name FROM probe`)
		must(t, err)
		if none != nil {
			t.Errorf("an empty table: got %q, want nil", none)
		}

		for _, s := range []string{"b", "c", "a"} {
			must(t, insert(t.Context(), tx, s))
		}

		got, err := db.All(t.Context(), tx, name, `SELECT name FROM probe WHERE name <> ?1 ORDER BY name DESC`, "b")
		must(t, err)
		if !slices.Equal(got, []string{"c", "a"}) {
			t.Errorf("got %q, want c and a", got)
		}

		numbers, err := db.Column[int](t.Context(), tx, `SELECT id FROM probe ORDER BY id`)
		must(t, err)
		if !slices.Equal(numbers, []int{1, 2, 3}) {
			t.Errorf("got %d, want 1 to 3", numbers)
		}

		return nil
	}))
}

func testReaderFails(t *testing.T, d *db.DB) {
	must(t, d.Write(t.Context(), func(tx *db.Tx) error {
		for i := range 3 {
			must(t, insert(t.Context(), tx, fmt.Sprint(i)))
		}

		const q = `SELECT id FROM probe ORDER BY id`
		errEnough := errors.New("enough")

		calls := 0
		err := db.Each(t.Context(), tx, func(db.Scan) error {
			calls++
			return errEnough
		}, q)
		if calls != 1 || !errors.Is(err, errEnough) {
			t.Errorf("Each: %d calls and %v, want 1 and the reader's error", calls, err)
		}

		list, err := db.All(t.Context(), tx, func(scan db.Scan) (n int, err error) {
			err = scan(&n)
			if n == 2 {
				err = errEnough
			}
			return n, err
		}, q)
		if list != nil || !errors.Is(err, errEnough) {
			t.Errorf("All: got %d and %v, want nothing and the reader's error", list, err)
		}

		// The statement was given back: it runs again from its first row.
		again, err := db.Column[int](t.Context(), tx, q)
		must(t, err)
		if len(again) != 3 {
			t.Errorf("got %d rows afterwards, want 3", len(again))
		}

		return nil
	}))
}

func testGlob(t *testing.T, d *db.DB) {
	stored := []string{"a", "abc", "a%c", "a_c", "a[b]c", `a\c`, "ABC", "a'c"}
	must(t, d.Write(t.Context(), func(tx *db.Tx) error {
		for _, s := range stored {
			must(t, insert(t.Context(), tx, s))
		}

		for pattern, want := range map[string]int{
			"*": 8, "a*": 7, "a?c": 5, "%": 0, "a%c": 1, "a_c": 1, "a[b]c": 1, "a[*": 1, "[a]*": 0,
			`a\c`: 1, "a'c": 1, "x' OR 1=1 --": 0, "?": 1, "*b*": 2, "": 0,
		} {
			var got int
			const query = `SELECT COUNT(*) FROM probe WHERE `
			must(t, tx.QueryRow(t.Context(), query+d.Glob("name", "?1"), d.Pattern(pattern)).Scan(&got))

			if got != want {
				t.Errorf("pattern %q: got %d rows, want %d", pattern, got, want)
			}
		}
		return nil
	}))
}

func testConstraint(t *testing.T, d *db.DB) {
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		must(t, insert(t.Context(), tx, "a"))
		return insert(t.Context(), tx, "a")
	})
	if fault.Of(err) != fault.Conflict {
		t.Errorf("got %v (%v), want a conflict", fault.Of(err), err)
	}
}

func testNoRow(t *testing.T, d *db.DB) {
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		var s string
		return tx.QueryRow(t.Context(), `SELECT name FROM probe WHERE id = ?1`, 1).Scan(&s)
	})
	if fault.Of(err) != fault.NotFound || !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("got %v, want not found", err)
	}
}

func testConcurrent(t *testing.T, d *db.DB) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				err := d.Write(t.Context(), func(tx *db.Tx) error { return insert(t.Context(), tx, fmt.Sprint(i, j)) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}

	wg.Wait()
	if n := count(t, d); n != 40 {
		t.Errorf("got %d rows, want 40", n)
	}
}

// testGaveUp cancels before the transaction begins: whichever of the two the
// database notices first, the caller sees the context's own error.
func testGaveUp(t *testing.T, d *db.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 64 {
		for _, run := range []func(context.Context, func(*db.Tx) error) error{d.Read, d.Write} {
			if err := run(ctx, func(*db.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v, want %v", err, context.Canceled)
			}
		}
	}

	testCommit(t, d)
}

func testCancel(t *testing.T, d *db.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Write(ctx, func(tx *db.Tx) error {
		must(t, insert(ctx, tx, "a"))
		cancel()
		return insert(ctx, tx, "b")
	})
	if err == nil {
		t.Error("a cancelled transaction committed")
	}
	if n := count(t, d); n != 0 {
		t.Errorf("got %d rows, want 0", n)
	}

	testCommit(t, d)
}
