package db

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"collimator/internal/fault"
)

// fill commits n times, a page or more each time.
func fill(t *testing.T, d *DB, n int) {
	t.Helper()
	write := func(query string) {
		if err := d.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(t.Context(), query)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	write(`CREATE TABLE IF NOT EXISTS filler (b BLOB)`)
	for range n {
		write(`INSERT INTO filler VALUES (zeroblob(12000))`)
	}
}

// reading holds on to the state of now until the returned function is called. A
// read that fails is an error of the test, and there is nothing to end.
func reading(t *testing.T, d *DB) (end func()) {
	t.Helper()
	began, stop, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- d.Read(t.Context(), func(tx *Tx) error {
			var n int
			if err := tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM filler`).Scan(&n); err != nil {
				return err
			}
			close(began)
			<-stop
			return nil
		})
	}()
	select {
	case <-began:
	case err := <-ended:
		t.Errorf("the read failed: %v", err)
		return func() {}
	}

	return func() {
		close(stop)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestLogStaysBoundedBesideReadersThatOverlap(t *testing.T) {
	t.Parallel()
	d := openTest(t, filepath.Join(t.TempDir(), "x.db"))
	fill(t, d, 1)

	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 { // so that there is always one
		wg.Go(func() {
			for end := reading(t, d); ; end = reading(t, d) {
				time.Sleep(5 * time.Millisecond) // the time a query takes
				end()
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	// Without a wait for readers it never begins anew. On a busy machine they need
	// longer than a server would wait for them.
	d.log.wait = time.Minute
	restarts := 0
	for round := 0; restarts < 3 && round < 100; round++ {
		before := d.log.frames.Load()
		fill(t, d, 60)
		if d.log.frames.Load() < before {
			restarts++
		}
	}
	close(stop)
	wg.Wait()
	if restarts < 3 {
		t.Errorf("the log began anew %d times while it grew to %d bytes", restarts, d.LogBytes())
	}
}

func TestFailedSyncEndsTheUseAndTheNextStartLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	var told []error
	d, err := Open(t.Context(), Options{Path: path, Failed: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, d, 1)
	d.log.sync = func() error { return syscall.EIO }
	end := reading(t, d)
	committed := 1
	for range 2 * checkpointFrames {
		err := d.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO filler VALUES (zeroblob(12000))`)
			return err
		})
		if err != nil {
			if fault.Of(err) != fault.Unavailable || !errors.Is(err, syscall.EIO) {
				t.Errorf("got %v", err)
			}
			break
		}
		committed++
	}
	end()
	if len(told) != 1 {
		t.Fatalf("told %d times, want once", len(told))
	}
	if err := d.Read(t.Context(), func(*Tx) error { return nil }); fault.Of(err) != fault.Unavailable {
		t.Errorf("a database on a failed disk was read: %v", err)
	}
	_ = d.Close()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("closing threw the log away (%v)", err)
	}

	// What the disk lost of the database file comes from the log.
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[4096:])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	d = openTest(t, path)
	var n int
	if err := d.Read(t.Context(), func(tx *Tx) error { return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM filler`).Scan(&n) }); err != nil || n != committed {
		t.Errorf("%d of %d commits are there (%v)", n, committed, err)
	}
	if err := d.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOrderlyCloseLeavesTheDatabaseFileAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	d := openTest(t, path)
	fill(t, d, 10)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the log is still there")
	}
}

func TestFullDiskIsNoFailedCheckpoint(t *testing.T) {
	t.Parallel()
	for err, fatal := range map[error]bool{sqlite3.IOERR_FSYNC: true, sqlite3.IOERR_WRITE: true, sqlite3.IOERR: true, sqlite3.FULL: false, sqlite3.BUSY: false} {
		if got := fatalCheckpoint(err); got != fatal {
			t.Errorf("%v: fatal %v, want %v", err, got, fatal)
		}
	}
}

func TestCheckpointsAreForOneProcessAndNotBehindAMark(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	first, err := openShare(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := openShare(path)
	if err != nil {
		t.Fatal(err)
	}
	if !first.begin() || second.begin() {
		t.Error("want that the first may and the second may not")
	}

	// The first dies while it is at it.
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	third, err := openShare(path)
	if err != nil {
		t.Fatal(err)
	}
	if second.begin() || third.begin() {
		t.Error("a checkpoint goes on where one was cut off, beside a process that was there before")
	}
	if err := errors.Join(second.close(), third.close()); err != nil {
		t.Fatal(err)
	}
	alone, err := openShare(path)
	if err != nil {
		t.Fatal(err)
	}
	defer alone.close()
	if !alone.begin() {
		t.Error("who opens the file alone may not make checkpoints")
	}
}
