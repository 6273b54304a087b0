package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/outbox"
	"collimator/internal/outbox/outboxtest"
)

// A night in which the target takes associations and answers nothing is no fault of any object.
func TestNothingIsSetAsideWhileTheTargetAnswersNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), nil)
		morning := time.Now().Add(12 * time.Hour)
		to := &outboxtest.Target{Answer: func(string, int) (dimse.StatusCode, error) {
			if time.Now().Before(morning) {
				time.Sleep(time.Minute)
				return 0, outboxtest.ErrBroken
			}
			return dimse.Success, nil
		}}
		s.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, s)
		for _, instance := range []string{"1.2.1", "1.2.2", "1.2.3"} {
			if err := s.Put(t.Context(), "1.2", instance, "a"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(12*time.Hour - time.Second)
		list, _ := s.Queue(t.Context())
		for _, i := range list {
			if i.State != outbox.Waiting {
				t.Errorf("%s is %s: %s", i.SOPInstanceUID, i.State, i.Reason)
			}
		}
		time.Sleep(2 * time.Hour)
		if list, _ := s.Queue(t.Context()); len(list) != 0 {
			t.Errorf("in the morning: %+v", list)
		}
	})
}

// The destination may come back between the last attempt with an object and that with the one behind it.
func TestAnObjectIsTriedOnceMoreBeforeItIsSetAside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), nil)
		back := false
		to := &outboxtest.Target{Answer: func(instance string, _ int) (dimse.StatusCode, error) {
			if back = back || instance == "1.2.2"; !back {
				return 0, outboxtest.ErrBroken
			}
			return dimse.Success, nil
		}}
		s.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, s)
		for _, instance := range []string{"1.2.1", "1.2.2"} {
			if err := s.Put(t.Context(), "1.2", instance, "a"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(24 * time.Hour)
		if list, _ := s.Queue(t.Context()); len(list) != 0 || len(to.Arrived()) != 2 {
			t.Errorf("arrived %+v, waiting %+v", to.Arrived(), list)
		}
	})
}

// A clock that was years ahead leaves nothing waiting for years.
func TestAClockThatWasWrongHoldsNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ahead time.Duration
		s := open(t, t.TempDir(), func(o *outbox.Options) { o.Now = func() time.Time { return time.Now().Add(ahead) } })
		ahead = 3 * 365 * 24 * time.Hour
		to := &outboxtest.Target{}
		to.Down(true)
		ctx, stop := context.WithCancel(t.Context())
		s.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		<-ended

		ahead = 0
		if err := s.DB.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE outbox SET due = ?1`, db.Millis(time.Now().Add(1000*24*time.Hour)))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		to.Down(false)
		s.Set(nil)
		s.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, s)
		time.Sleep(time.Minute)
		if len(to.Arrived()) != 1 {
			list, _ := s.Queue(t.Context())
			t.Errorf("%+v", list)
		}
	})
}

// A target that takes requests for commitment and never reports gets what comes next all the same.
func TestWhatIsNeverCommittedToHoldsUpNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), nil)
		fill(t, s, 3000, 10, "sent", 0)
		to := &outboxtest.Target{Commits: true} // reports reach nobody
		s.Set(map[string]outbox.Way{away: to.Way(outbox.IfOffered)})
		run(t, s)
		time.Sleep(2 * time.Second)
		if err := s.Put(t.Context(), "9.9", "9.9.1", "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(8 * time.Second)
		if len(to.Arrived()) != 1 {
			t.Error("it waits for commitments that never come")
		}
	})
}

// Two ways at once would send the same twice, in any order.
func TestAWayEndsBeforeAnotherBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), nil)
		open := 0
		way := outbox.Way{Commit: outbox.No, Open: func(ctx context.Context, _ []ul.ProposedContext) (outbox.Session, error) {
			if open++; open > 1 {
				t.Error("a second association while the first is open")
			}
			<-ctx.Done()
			time.Sleep(time.Second)
			open--
			return nil, ctx.Err()
		}}
		s.Set(map[string]outbox.Way{away: way})
		run(t, s)
		if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			time.Sleep(time.Minute)
			way.Mark = fmt.Sprint(n)
			s.Set(map[string]outbox.Way{away: way})
		}
	})
}

// fill puts n rows without files into the index, of some studies.
func fill(t testing.TB, s sender, n, studies int, state string, due int64) {
	t.Helper()
	err := s.DB.Write(t.Context(), func(tx *db.Tx) error {
		for i := range n {
			at := int64(0)
			if i < studies {
				at = due // the first of each
			}
			_, err := tx.Exec(t.Context(), `INSERT INTO outbox (destination, target, study, uid, class, syntax, hash, size, file, patient,
				issuer, source, state, due, queued) VALUES (?1, '', ?2, ?3, '1.2', '1.2', 'x', 1000, ?3, '', '', '', ?4, ?5, 1)`,
				away, fmt.Sprint("1.2.", i%studies), fmt.Sprint("1.2.3.", i), state, at)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkPutBehind is an object that comes while many wait.
func BenchmarkPutBehind(b *testing.B) {
	for _, n := range []int{0, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b, b.TempDir(), nil)
			fill(b, s, n, 1000, "waiting", 0)
			at := 0
			for b.Loop() {
				at++
				if err := s.Put(b.Context(), "9.9", fmt.Sprint("9.9.", at), "a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
