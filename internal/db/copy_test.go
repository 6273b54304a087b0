package db

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"collimator/internal/fault"
)

func TestCopyIsOneStateBesideWritersThatNeverPause(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := Open(t.Context(), Options{Path: filepath.Join(dir, "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	write := func(ctx context.Context, tx *Tx) error {
		for _, table := range []string{"pair_a", "pair_b"} {
			if _, err := tx.Exec(ctx, `INSERT INTO `+table+` (v) VALUES (1)`); err != nil {
				return err
			}
		}
		return nil
	}
	err = d.Write(t.Context(), func(tx *Tx) error {
		for _, table := range []string{"pair_a", "pair_b"} {
			if _, err := tx.Exec(t.Context(), `CREATE TABLE `+table+` (v INTEGER)`); err != nil {
				return err
			}
		}
		return write(t.Context(), tx)
	})
	if err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := d.Write(ctx, func(tx *Tx) error { return write(ctx, tx) }); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	})
	path := filepath.Join(dir, "copy.db")
	for range 5 {
		if err := d.Copy(t.Context(), path); err != nil {
			t.Error(err)
		}
		checkPairs(t, path)
	}
	stop()
	wg.Wait()

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is not its owner's alone: %v %v", info, err)
	}
}

// checkPairs wants as many rows in both tables of a copy.
func checkPairs(t *testing.T, path string) {
	t.Helper()
	c, err := OpenCopy(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var a, b int
	err = c.Read(t.Context(), func(tx *Tx) error {
		return tx.QueryRow(t.Context(), `SELECT (SELECT COUNT(*) FROM pair_a), (SELECT COUNT(*) FROM pair_b)`).Scan(&a, &b)
	})
	if err != nil || a != b || a == 0 {
		t.Errorf("the copy has %d and %d rows: %v", a, b, err)
	}
	if err := c.Write(t.Context(), func(*Tx) error { return nil }); fault.Of(err) != fault.Internal {
		t.Errorf("a copy was written to: %v", err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("something was made beside the copy")
	}
}

func TestDatabaseInUseIsCopiedBeforeMigrationsChangeIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	copies := 0
	open := func() *DB {
		d, err := Open(t.Context(), Options{Path: path, Copied: func(string) { copies++ }})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	newest, err := d.Schema(t.Context())
	if err != nil || copies != 0 {
		t.Fatalf("a new database was copied %d times: %v", copies, err)
	}

	// An earlier program knew one migration less. Numbers may have gaps.
	err = d.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM schema_version WHERE version = ?1`, newest)
		return err
	})
	earlier, schemaErr := d.Schema(t.Context())
	if err := errors.Join(err, schemaErr, d.Close()); err != nil {
		t.Fatal(err)
	}
	if d, err = Open(t.Context(), Options{Path: path, Copied: func(string) { copies++ }}); err == nil {
		d.Close()
	}
	before := path + ".schema-" + strconv.Itoa(earlier)
	c, err := OpenCopy(t.Context(), before)
	if err != nil || copies != 1 {
		t.Fatalf("%d copies: %v", copies, err)
	}
	defer c.Close()
	if n, err := c.Schema(t.Context()); err != nil || n != earlier {
		t.Errorf("the copy has schema %d: %v", n, err)
	}
}

func TestNestedUndoesOnlyWhatItBegan(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	broken := errors.New("broken")
	var n int
	err = d.Write(t.Context(), func(tx *Tx) error {
		add := func(v int, result error) error {
			return tx.Nested(t.Context(), func() error {
				_, err := tx.Exec(t.Context(), `INSERT INTO posture_report (made) VALUES (?1)`, v)
				return errors.Join(err, result)
			})
		}
		if err := add(1, nil); err != nil {
			return err
		}
		if err := add(2, broken); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
		return tx.QueryRow(t.Context(), `SELECT SUM(made) FROM posture_report`).Scan(&n)
	})
	if err != nil || n != 1 {
		t.Errorf("sum %d: %v", n, err)
	}
}

func TestDamagedTellsABrokenFileFromAFullDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	if err := os.WriteFile(path, []byte("this is no database, whatever its name may say of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Path: path}); !Damaged(err) {
		t.Errorf("%v", err)
	}
	if Damaged(fault.New(fault.Unavailable, "full")) || Damaged(nil) {
		t.Error("a full disk counts as damage")
	}
}
