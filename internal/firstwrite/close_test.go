package firstwrite

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"collimator/internal/db"
	"collimator/internal/db/dbtest"
)

func TestAStudyIsClosedWhenAllIsWrittenAndNothingComesAnyMore(t *testing.T) {
	t.Parallel()
	d, err := dbtest.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	now := time.Now()
	m := New(d, slog.New(slog.DiscardHandler), func() time.Time { return now })
	open := func() (n int) {
		t.Helper()
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM first_write_study WHERE open = 1`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	step := func(what string, want int, do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if got := open(); got != want {
			t.Errorf("%s: %d studies open, want %d", what, got, want)
		}
	}
	closeNow := func() error { return m.closeIdle(t.Context(), closeAfter) }

	i := Instance{Route: "PACS", Study: "1.2.3", UID: "1.2.3.1"}
	ask := func(context.Context) ([]string, bool, error) { return nil, true, nil }
	_, _, end, err := m.Begin(t.Context(), i, ask)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	step("under way", 1, closeNow)
	end(&Content{Syntax: "1.2", Hash: "one"})
	step("not written", 1, closeNow)
	step("written", 1, func() error { return m.flush(t.Context()) })
	step("idle", 0, closeNow)
	if len(m.studies)+len(m.waiting)+len(m.busy) != 0 {
		t.Errorf("left behind: %+v", m)
	}
}
