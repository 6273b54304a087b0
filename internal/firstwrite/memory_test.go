package firstwrite_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/firstwrite"
)

// record is a memory over a database of the test, and who asked the system behind.
type record struct {
	t     *testing.T
	db    *db.DB
	asked atomic.Int32
	has   firstwrite.Before
	mute  bool // it does not answer
	fails error
}

func newRecord(t *testing.T) *record {
	t.Helper()
	d, err := dbtest.Open(context.Background(), filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &record{t: t, db: d}
}

// start runs a memory; stop ends it in order.
func (r *record) start() (m *firstwrite.Memory, stop func()) {
	m = firstwrite.New(r.db, slog.New(slog.DiscardHandler), time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { m.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	r.t.Cleanup(stop)
	return m, stop
}

func (r *record) ask(context.Context) (firstwrite.Before, bool, error) {
	r.asked.Add(1)
	return r.has, !r.mute, r.fails
}

// begin takes an instance in hand and tells what was known of it.
func (r *record) begin(m *firstwrite.Memory, uid, study string) (known string, end func(*firstwrite.Content)) {
	r.t.Helper()
	return r.beginAs(m, firstwrite.Instance{Route: "PACS", Study: study, UID: uid})
}

func (r *record) beginAs(m *firstwrite.Memory, i firstwrite.Instance) (known string, end func(*firstwrite.Content)) {
	r.t.Helper()
	k, turn, err := m.Begin(context.Background(), i, r.ask)
	if err != nil {
		return "error", nil
	}
	end = func(through *firstwrite.Content) {
		if through != nil {
			if conflict, err := turn.Last(context.Background()); err != nil || conflict != firstwrite.NoConflict {
				r.t.Errorf("the end of %s may not go: %s, %v", i.UID, conflict, err)
			}
		}
		turn.End(through)
	}
	switch {
	case k.Conflict != firstwrite.NoConflict:
		return string(k.Conflict), end
	case !k.Found:
		return "new", end
	case k.Hash == "":
		return "there before", end
	}
	return k.Hash, end
}

func content(hash string) *firstwrite.Content {
	return &firstwrite.Content{Syntax: "1.2.840.10008.1.2.1", Hash: hash}
}

func TestWhatWentThroughIsKnownAtOnceAndAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, stop := r.start()
	known, end := r.begin(m, "1.2.3.1", "1.2.3")
	if known != "new" {
		t.Errorf("at first %s", known)
	}
	end(content("one"))
	known, end = r.begin(m, "1.2.3.1", "1.2.3")
	if known != "one" {
		t.Errorf("then %s", known)
	}
	end(content("one"))
	if known, end = r.begin(m, "1.2.3.2", "1.2.3"); known != "new" {
		t.Errorf("another is %s", known)
	}
	end(nil) // it did not go through

	stop()
	m, _ = r.start()
	for uid, want := range map[string]string{"1.2.3.1": "one", "1.2.3.2": "new"} {
		known, end := r.begin(m, uid, "1.2.3")
		if known != want {
			t.Errorf("after a restart %s is %s, want %s", uid, known, want)
		}
		end(nil)
	}
	if n := r.asked.Load(); n != 1 {
		t.Errorf("the system behind was asked %d times about one study", n)
	}
}

func TestWhatSomebodyDecidedStandsAndCounts(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, stop := r.start()
	_, end := r.begin(m, "1.2.3.1", "1.2.3")
	end(content("one")) // not written yet, or just now
	i := firstwrite.Instance{Route: "PACS", Study: "1.2.3", UID: "1.2.3.1"}
	err := r.db.Write(t.Context(), func(tx *db.Tx) error { return firstwrite.Accept(t.Context(), tx, i, *content("two")) })
	if err != nil {
		t.Fatal(err)
	}
	stop()

	m, _ = r.start()
	known, end := r.begin(m, "1.2.3.1", "1.2.3")
	if known != "two" {
		t.Errorf("%s", known)
	}
	end(nil)
}

func TestWhatTheSystemBehindHadBeforeIsKnownWithoutContent(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	r.has.UIDs = []string{"1.2.3.1", "1.2.3.2"}
	m, _ := r.start()
	for uid, want := range map[string]string{"1.2.3.1": "there before", "1.2.3.9": "new"} {
		known, end := r.begin(m, uid, "1.2.3")
		if known != want {
			t.Errorf("%s is %s, want %s", uid, known, want)
		}
		end(nil)
	}
}

func TestAStudyThatAProcessLeftOpenIsAskedForAgain(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m := firstwrite.New(r.db, slog.New(slog.DiscardHandler), time.Now) // Run does not run: nothing is written
	_, end := r.begin(m, "1.2.3.1", "1.2.3")
	end(content("one"))

	r.has.UIDs = []string{"1.2.3.1"} // it went through
	m, _ = r.start()
	known, end := r.begin(m, "1.2.3.1", "1.2.3")
	if known != "there before" || r.asked.Load() != 2 {
		t.Errorf("%s, asked %d times", known, r.asked.Load())
	}
	end(nil)
}

func TestWithoutAnAnswerNothingGoesThroughAndTheQuestionIsRepeated(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, stop := r.start()
	r.fails = errors.New("test: it is not there")
	if known, _ := r.begin(m, "1.2.3.1", "1.2.3"); known != "error" {
		t.Errorf("%s", known)
	}
	r.fails = nil
	r.mute = true // it answers no such questions, ever
	known, end := r.begin(m, "1.2.3.1", "1.2.3")
	if known != "new" || r.asked.Load() != 2 {
		t.Errorf("%s, asked %d times", known, r.asked.Load())
	}
	end(nil)

	stop()
	r.mute = false
	r.has.UIDs = []string{"1.2.3.1"}
	m, _ = r.start()
	known, end = r.begin(m, "1.2.3.1", "1.2.3")
	if known != "there before" {
		t.Errorf("what nobody told is not asked for again: %s", known)
	}
	end(nil)
}

func TestOneUIDIsInOneHandAtATime(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, _ := r.start()
	var running, done atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			known, end := r.begin(m, "1.2.3.1", fmt.Sprint("1.2.", i%3)) // said to be of several studies
			if running.Add(1) != 1 {
				t.Error("two have it in hand")
			}
			if known == "new" && done.Load() > 0 {
				t.Error("it went through and is new")
			}
			running.Add(-1)
			done.Add(1)
			end(content("one"))
		})
	}
	wg.Wait()

	_, end := r.begin(m, "1.2.3.1", "1.2.3")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := m.Begin(ctx, firstwrite.Instance{Route: "PACS", Study: "1.2.3", UID: "1.2.3.1"}, r.ask); !errors.Is(err, context.Canceled) {
		t.Errorf("waited for: %v", err)
	}
	if _, end := r.begin(m, "1.2.3.7", "1.2.3"); end == nil {
		t.Error("another UID waits too")
	} else {
		end(nil)
	}
	end(nil)
}

// A route leads to another system from now on: that has what nobody asked it for.
func TestAnotherSystemBehindARouteIsAskedForItself(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, stop := r.start()
	old := firstwrite.Instance{Route: "PACS", System: "OLD@10.0.0.1:104", Study: "1.2.3", UID: "1.2.3.1"}
	_, end := r.beginAs(m, old)
	end(content("one"))

	r.has.UIDs = []string{"1.2.3.2"}
	look := func(when string, uid, system, want string) {
		t.Helper()
		known, end := r.beginAs(m, firstwrite.Instance{Route: "PACS", System: system, Study: "1.2.3", UID: uid})
		if known != want {
			t.Errorf("%s %s is %s, want %s", when, uid, known, want)
		}
		end(nil)
	}
	look("at once", "1.2.3.2", "NEW@10.0.0.2:104", "there before")

	r.has.UIDs = append(r.has.UIDs, "1.2.3.3")
	stop()
	m, stop = r.start()
	look("after a restart, the same system", "1.2.3.3", "NEW@10.0.0.2:104", "new")
	stop()
	m, _ = r.start()
	look("after a restart", "1.2.3.3", "OTHER@10.0.0.3:104", "there before")
	if n := r.asked.Load(); n != 3 {
		t.Errorf("systems were asked %d times", n)
	}
}
