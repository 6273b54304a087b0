package firstwrite_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/fault"
	"collimator/internal/firstwrite"
)

// one is an instance of a patient in a study and a series.
func one(patient, study, series, uid string) firstwrite.Instance {
	return firstwrite.Instance{Route: "PACS", Study: study, Series: series, UID: uid, Patient: firstwrite.Patient{ID: patient}}
}

// turn takes an instance in hand of which nothing is known.
func (r *record) turn(m *firstwrite.Memory, i firstwrite.Instance) *firstwrite.Turn {
	r.t.Helper()
	known, turn, err := m.Begin(context.Background(), i, r.ask)
	if err != nil || known.Found || known.Conflict != firstwrite.NoConflict {
		r.t.Fatalf("%+v, %v", known, err)
	}
	return turn
}

func TestWhoseAStudyIsIsKnownAtOnceAndAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, stop := r.start()
	_, end := r.beginAs(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.1"))
	end(content("one"))
	look := func(when string) {
		t.Helper()
		for want, i := range map[string]firstwrite.Instance{
			"other-patient": one("ZZPHI-2", "1.2.3", "1.2.3.5", "1.2.3.5.1"),
			"other-study":   one("ZZPHI-1", "1.2.6", "1.2.3.4", "1.2.6.1"),
			"new":           one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.2"),
		} {
			known, end := r.beginAs(m, i)
			if known != want {
				t.Errorf("%s: %s, want %s", when, known, want)
			}
			end(nil)
		}
	}
	look("at once")
	stop()
	m, _ = r.start()
	look("after a restart")
}

func TestWhatDidNotGoThroughClaimsNothing(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, _ := r.start()
	_, end := r.beginAs(m, one("ZZPHI-2", "1.2.3", "1.2.3.4", "1.2.3.4.1"))
	end(nil)
	known, end := r.beginAs(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.1"))
	if known != "new" {
		t.Errorf("%s", known)
	}
	end(content("one"))
}

// Who begins the first image of a study and never ends it keeps the study from nobody: it is of the
// first that went through whole.
func TestAStudyIsOfTheFirstThatWentThroughAndNotOfTheFirstThatBegan(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, _ := r.start()
	slow := r.turn(m, one("ZZPHI-2", "1.2.3", "1.2.3.4", "1.2.3.4.1"))
	known, end := r.beginAs(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.2"))
	if known != "new" {
		t.Fatalf("%s", known)
	}
	end(content("one"))
	if conflict, err := slow.Last(t.Context()); conflict != firstwrite.OtherPatient || err != nil {
		t.Errorf("the end of the slow one: %q, %v", conflict, err)
	}
	slow.End(nil)

	slow = r.turn(m, one("ZZPHI-3", "1.2.5", "1.2.7.4", "1.2.5.4.1"))
	_, end = r.beginAs(m, one("ZZPHI-1", "1.2.7", "1.2.7.4", "1.2.7.4.2"))
	end(content("one"))
	if conflict, err := slow.Last(t.Context()); conflict != firstwrite.OtherStudy || err != nil {
		t.Errorf("the end of one in the series: %q, %v", conflict, err)
	}
	slow.End(nil)
	if known, end = r.beginAs(m, one("ZZPHI-1", "1.2.5", "1.2.5.1", "1.2.5.1.1")); known != "new" {
		t.Errorf("the study of one that did not go through is %s", known)
	}
	end(nil)
}

// Between the end of the first image of a study and its answer nobody knows whose the study will be.
func TestTheEndOfAnImageOfAnotherPatientWaitsForTheAnswerToTheFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		through *firstwrite.Content
		want    firstwrite.Conflict
	}{{content("one"), firstwrite.OtherPatient}, {nil, firstwrite.NoConflict}} {
		r := newRecord(t)
		m, _ := r.start()
		first := r.turn(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.1"))
		same := r.turn(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.2"))
		other := r.turn(m, one("ZZPHI-2", "1.2.3", "1.2.3.5", "1.2.3.5.1"))
		for _, turn := range []*firstwrite.Turn{first, same} {
			if conflict, err := turn.Last(t.Context()); err != nil || conflict != firstwrite.NoConflict {
				t.Errorf("of one patient: %s, %v", conflict, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := other.Last(ctx); err == nil {
			t.Error("another patient does not wait")
		}
		cancel()

		got := make(chan firstwrite.Conflict, 1)
		go func() {
			conflict, err := other.Last(t.Context())
			if err != nil {
				t.Error(err)
			}
			other.End(nil)
			got <- conflict
		}()
		same.End(nil)
		first.End(c.through)
		if conflict := <-got; conflict != c.want {
			t.Errorf("after %v: %q, want %q", c.through, conflict, c.want)
		}
	}
}

func TestOfManyPatientsAtOnceAStudyGetsOne(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	m, _ := r.start()
	var through atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			_, turn, err := m.Begin(t.Context(), one(fmt.Sprint("ZZPHI-", i), "1.2.3", "1.2.3.4", fmt.Sprint("1.2.3.4.", i)), r.ask)
			if err != nil {
				t.Error(err)
				return
			}
			if conflict, err := turn.Last(t.Context()); err != nil || conflict != firstwrite.NoConflict {
				turn.End(nil)
				return
			}
			through.Add(1)
			turn.End(content("one"))
		})
	}
	wg.Wait()
	if n := through.Load(); n != 1 {
		t.Errorf("images of %d patients went into one study", n)
	}
}

// A hostile sender may have a UID in hand for as long as it likes; others are told to come again.
func TestWhoWaitsForAUIDInAnotherHandWaitsForAWhile(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	synctest.Test(t, func(t *testing.T) {
		m := firstwrite.New(r.db, slog.New(slog.DiscardHandler), time.Now)
		r.mute = true
		slow := r.turn(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.1"))
		began := time.Now()
		_, _, err := m.Begin(t.Context(), one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.1"), r.ask)
		if fault.Of(err) != fault.Busy || time.Since(began) > time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		slow.End(nil)
	})
}

func TestTwoDescriptionsMeanOnePatient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b firstwrite.Patient
		want bool
	}{
		{firstwrite.Patient{ID: "1"}, firstwrite.Patient{ID: "1", Name: "ZZPHI"}, true},
		{firstwrite.Patient{ID: "1", Name: "ZZPHI^A"}, firstwrite.Patient{ID: "1", Name: "ZZPHI^B"}, true}, // somebody married
		{firstwrite.Patient{ID: "1"}, firstwrite.Patient{ID: "2"}, false},
		{firstwrite.Patient{ID: "1"}, firstwrite.Patient{}, false},
		{firstwrite.Patient{ID: "1", Issuer: "A"}, firstwrite.Patient{ID: "1", Issuer: "B"}, false},
		{firstwrite.Patient{ID: "1", Issuer: "A"}, firstwrite.Patient{ID: "1"}, true},
		{firstwrite.Patient{Name: "ZZPHI^A"}, firstwrite.Patient{Name: "Zzphi^A^^"}, true},
		{firstwrite.Patient{Name: "ZZPHI^A"}, firstwrite.Patient{Name: "ZZPHI^B"}, false},
		{firstwrite.Patient{Name: "ZZPHI^A"}, firstwrite.Patient{}, true},
	} {
		if c.a.Same(c.b) != c.want || c.b.Same(c.a) != c.want {
			t.Errorf("%+v and %+v: want %v", c.a, c.b, c.want)
		}
	}
}
