package firstwrite

import (
	"context"
	"errors"
	"fmt"
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
	ask := func(context.Context) (Before, bool, error) { return Before{}, true, nil }
	_, turn, err := m.Begin(t.Context(), i, ask)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	step("under way", 1, closeNow)
	turn.End(&Content{Syntax: "1.2", Hash: "one"})
	step("not written", 1, closeNow)
	step("written", 1, func() error { return m.flush(t.Context()) })
	step("idle", 0, closeNow)
	if len(m.studies)+len(m.waiting)+len(m.busy) != 0 {
		t.Errorf("left behind: %+v", m)
	}
}

// Who sends one instance of each of many studies makes many entries.
func TestStudiesOfWhichNothingIsKnownAndThoseBeyondTheMostAreForgottenSoon(t *testing.T) {
	t.Parallel()
	d, err := dbtest.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	m := New(d, slog.New(slog.DiscardHandler), time.Now)
	for i := range 50 {
		away := func(context.Context) (Before, bool, error) { return Before{}, false, errors.New("away") }
		if _, _, err := m.Begin(t.Context(), Instance{Route: "PACS", Study: fmt.Sprint("1.2.", i), UID: fmt.Sprint("1.2.", i, ".1")}, away); err == nil {
			t.Fatal("a study of which nothing is known")
		}
	}
	if len(m.studies) != 0 {
		t.Errorf("%d studies are kept of which nothing is known", len(m.studies))
	}

	ask := func(context.Context) (Before, bool, error) { return Before{}, true, nil }
	for i := range openMost + 1 {
		_, turn, err := m.Begin(t.Context(), Instance{Route: "PACS", Study: fmt.Sprint("1.3.", i), UID: fmt.Sprint("1.3.", i, ".1")}, ask)
		if err != nil {
			t.Fatal(err)
		}
		turn.End(nil)
	}
	if err := m.closeIdle(t.Context(), m.idle()); err != nil {
		t.Fatal(err)
	}
	if len(m.studies) > openMost {
		t.Errorf("%d studies are open", len(m.studies))
	}
}

func TestWhoGivesUpDoesNotWaitUntilTheSystemBehindAnswers(t *testing.T) {
	t.Parallel()
	d, err := dbtest.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	m := New(d, slog.New(slog.DiscardHandler), time.Now)
	asking, answer := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		_, turn, err := m.Begin(t.Context(), Instance{Route: "PACS", Study: "1.2", UID: "1.2.1"}, func(context.Context) (Before, bool, error) {
			close(asking)
			<-answer
			return Before{}, true, nil
		})
		if err == nil {
			turn.End(nil)
		}
		first <- err
	}()
	<-asking

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := m.Begin(ctx, Instance{Route: "PACS", Study: "1.2", UID: "1.2.2"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(answer)
	if err := <-first; err != nil {
		t.Error(err)
	}
}
