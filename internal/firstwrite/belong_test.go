package firstwrite_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"collimator/internal/firstwrite"
)

// one is an instance of a patient in a study and a series.
func one(patient, study, series, uid string) firstwrite.Instance {
	return firstwrite.Instance{Route: "PACS", Study: study, Series: series, UID: uid, Patient: firstwrite.Patient{ID: patient}}
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

// While the first image of a study is under way nobody knows whose the study will be.
func TestAnotherPatientWaitsForTheFirstImageOfAStudy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		through *firstwrite.Content
		want    string
	}{{content("one"), "other-patient"}, {nil, "new"}} {
		r := newRecord(t)
		m, _ := r.start()
		_, end := r.beginAs(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.1"))
		known, same := r.beginAs(m, one("ZZPHI-1", "1.2.3", "1.2.3.4", "1.2.3.4.2"))
		if known != "new" {
			t.Errorf("of the same patient: %s", known)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, _, err := m.Begin(ctx, one("ZZPHI-2", "1.2.3", "1.2.3.5", "1.2.3.5.2"), r.ask); err == nil {
			t.Error("another patient does not wait")
		}
		cancel()

		got := make(chan string, 1)
		go func() {
			known, end := r.beginAs(m, one("ZZPHI-2", "1.2.3", "1.2.3.5", "1.2.3.5.1"))
			end(nil)
			got <- known
		}()
		same(nil)
		end(c.through)
		if known := <-got; known != c.want {
			t.Errorf("after %v: %s, want %s", c.through, known, c.want)
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
			known, end := r.beginAs(m, one(fmt.Sprint("ZZPHI-", i), "1.2.3", "1.2.3.4", fmt.Sprint("1.2.3.4.", i)))
			if known != "new" {
				end(nil)
				return
			}
			through.Add(1)
			end(content("one"))
		})
	}
	wg.Wait()
	if n := through.Load(); n != 1 {
		t.Errorf("images of %d patients went into one study", n)
	}
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
