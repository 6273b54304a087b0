package db

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"collimator/internal/fault"
)

// failingFile is one whose writes end with an error, as os.File wraps it.
type failingFile struct {
	systemFile
	errno syscall.Errno
}

func (f failingFile) WriteAt([]byte, int64) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "x", Err: f.errno}
}

func TestWriteWithoutRoomSaysThatTheDiskIsFull(t *testing.T) {
	t.Parallel()
	for errno, full := range map[syscall.Errno]bool{syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EIO: false} {
		_, err := roomFile{failingFile{errno: errno}}.WriteAt(make([]byte, 1), 0)
		if got := errors.Is(err, sqlite3.FULL); got != full {
			t.Errorf("%v: full %v, want %v (%v)", errno, got, full, err)
		}
	}
}

// TestFullDiskDoesNotEndTheUseOfTheDatabase fills a small file system: commits
// are refused, what is there can be read, and with room all goes on.
func TestFullDiskDoesNotEndTheUseOfTheDatabase(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var told []error
	d, err := Open(t.Context(), Options{Path: filepath.Join(dir, "x.db"), Failed: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	fill(t, d, 1)
	add := func(bytes int) error {
		return d.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO filler VALUES (zeroblob(?1))`, bytes)
			return err
		})
	}
	committed := 1
	var refused error
	for _, bytes := range []int{200_000, 3000} { // the checkpoint finds no room while commits still do
		for refused = nil; refused == nil; committed++ {
			refused = add(bytes)
		}
		committed--
	}
	if fault.Of(refused) != fault.Unavailable || !errors.Is(refused, sqlite3.FULL) {
		t.Errorf("the disk is full: got %v", refused)
	}
	for range 3 {
		if err := add(3000); err == nil {
			committed++
		}
	}
	if len(told) != 0 {
		t.Fatalf("a full disk ended the use of the database: %v", told)
	}
	count := func() (n int) {
		if err := d.Read(t.Context(), func(tx *Tx) error { return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM filler`).Scan(&n) }); err != nil {
			t.Error(err)
		}
		return n
	}
	if n := count(); n != committed {
		t.Errorf("%d of %d commits are there", n, committed)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := add(3000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if n := count(); n != committed+1 {
		t.Errorf("%d of %d commits are there", n, committed+1)
	}
	if err := d.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
