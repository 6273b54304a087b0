package db

import (
	"path/filepath"
	"testing"
	"time"
)

func TestATimeComesBackAsItWasKept(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 28, 23, 59, 59, int(250*time.Millisecond), time.FixedZone("", 3600))
	if got := Instant(Millis(at)); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("got %v", got)
	}
	if got := Instant(Millis(time.Time{})); !got.IsZero() {
		t.Errorf("never became %v", got)
	}
}

// The index of an older program has times of the archive in microseconds.
func TestTimesOfAnOlderArchiveBecomeMilliseconds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	d, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}

	const at = 1_771_000_000_123_456
	err = d.Write(t.Context(), func(tx *Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO refusal (uid, digest, reason, principal, times, last) VALUES ('1.2', 'x', '', '', 1, ?1)`, at); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `DELETE FROM schema_version WHERE version = 21`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()

	for range 2 { // opening it once more changes nothing
		if d, err = Open(t.Context(), Options{Path: path}); err != nil {
			t.Fatal(err)
		}
		var last int64
		err = d.Read(t.Context(), func(tx *Tx) error { return tx.QueryRow(t.Context(), `SELECT last FROM refusal`).Scan(&last) })
		if err != nil || last != at/1000 {
			t.Fatalf("%d, want %d: %v", last, at/1000, err)
		}
		d.Close()
	}
}
