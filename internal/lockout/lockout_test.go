package lockout

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var usual = Bounds{Free: 5, First: time.Second, Most: 15 * time.Minute, Quiet: 24 * time.Hour, Keys: 100}

// fail takes one attempt that does not count; false where it has to wait.
func fail(t *Table, key string) (time.Duration, bool) {
	a, wait := t.Take(context.Background(), key)
	if a == nil {
		return wait, false
	}
	return a.Failed(), true
}

func TestWhoGuessesWaitsTwiceAsLongEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(time.Now, usual)
		for i := range usual.Free {
			if wait, tried := fail(l, "a"); wait != 0 || !tried {
				t.Fatalf("failure %d: wait %v", i+1, wait)
			}
		}
		for want := time.Second; want <= usual.Most; want *= 2 {
			if wait, tried := fail(l, "a"); wait != want || !tried {
				t.Fatalf("wait %v, want %v", wait, want)
			}
			time.Sleep(want - time.Millisecond)
			if wait, tried := fail(l, "a"); tried || wait != time.Millisecond {
				t.Fatalf("let in before %v are over, %v left", want, wait)
			}
			time.Sleep(time.Millisecond)
		}
		if wait, _ := fail(l, "a"); wait != usual.Most {
			t.Errorf("wait %v, want %v at most", wait, usual.Most)
		}
		if _, tried := fail(l, "b"); !tried {
			t.Error("another key waits too")
		}
		time.Sleep(usual.Quiet - time.Minute)
		if wait, _ := fail(l, "a"); wait != usual.Most {
			t.Errorf("within a day the failures are forgotten: wait %v", wait)
		}
		time.Sleep(usual.Quiet + time.Minute)
		if wait, tried := fail(l, "a"); !tried || wait != 0 {
			t.Errorf("after a quiet day: wait %v", wait)
		}
	})
}

func TestOfManyAtOnceNoMoreAreJudgedThanMayFail(t *testing.T) {
	t.Parallel()
	l := New(time.Now, usual)
	var judged, waited atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 300 {
		all.Go(func() {
			<-start
			a, wait := l.Take(context.Background(), "a")
			if a == nil {
				if wait <= 0 {
					t.Error("refused without a wait")
				}
				waited.Add(1)
				return
			}
			judged.Add(1)
			a.Failed()
		})
	}
	close(start)
	all.Wait()
	if judged.Load() != int64(usual.Free+1) || waited.Load() != 300-judged.Load() {
		t.Errorf("%d judged, %d had to wait", judged.Load(), waited.Load())
	}
}

func TestManyAtOnceThatAreRightAllCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(time.Now, usual)
		var most, now atomic.Int64
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				a, wait := l.Take(t.Context(), "a")
				if a == nil {
					t.Errorf("one that is right has to wait %v", wait)
					return
				}
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Millisecond)
				now.Add(-1)
				a.Succeeded()
			})
		}
		all.Wait()
		if got := most.Load(); got != int64(usual.Free+1) {
			t.Errorf("%d were tried at the same time", got)
		}
	})
}

func TestASuccessGivesBackItsOwnAttemptAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(time.Now, usual)
		for range usual.Free {
			fail(l, "a")
		}
		for range 10 {
			a, _ := l.Take(t.Context(), "a")
			a.Succeeded()
			a.Failed() // settled already
		}
		if wait, _ := fail(l, "a"); wait != time.Second {
			t.Errorf("wait %v: what failed before is forgotten, or more than that counts", wait)
		}
		time.Sleep(time.Second)
		a, _ := l.Take(t.Context(), "a")
		a.Forgive()
		if wait, _ := fail(l, "a"); wait != 0 {
			t.Errorf("wait %v after all was forgiven", wait)
		}
	})
}

func TestAnAttemptThatIsNotSettledHoldsOthersForABoundedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, before := New(time.Now, usual), time.Now()
		for range usual.Free + 1 {
			l.Take(t.Context(), "a")
		}
		if a, wait := l.Take(t.Context(), "a"); a != nil || wait <= 0 || time.Since(before) != patience {
			t.Errorf("wait %v after %v", wait, time.Since(before))
		}
	})
}

func TestAFullTableStillCountsWhoComesNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(time.Now, usual)
		for i := range 2 * usual.Keys { // once each, as cheap as it is
			fail(l, fmt.Sprint("stranger", i))
		}
		judged := 0
		for range 40 {
			if _, tried := fail(l, "new"); tried {
				judged++
			}
		}
		if judged != usual.Free+1 {
			t.Errorf("%d were judged of one that came when the table was full", judged)
		}
		if len(l.keys) > usual.Keys {
			t.Errorf("%d keys", len(l.keys))
		}
	})
}

func TestATableFullOfThoseThatWaitCountsWhoComesNewAndLocksNobodyOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(time.Now, usual)
		for wait := time.Duration(0); wait < usual.Most; time.Sleep(wait) {
			for i := range usual.Keys {
				wait, _ = fail(l, fmt.Sprint("stranger", i))
			}
		}
		for i := range usual.Keys {
			fail(l, fmt.Sprint("stranger", i))
		}
		time.Sleep(time.Second)
		judged := 0
		for range 40 {
			if _, tried := fail(l, "new"); tried {
				judged++
			}
		}
		if judged > usual.Free+1 {
			t.Errorf("%d were judged of one that found no place", judged)
		}
		for range 100 { // nobody can make a shared bucket wait for long
			if wait, _ := fail(l, "new"); wait > sharedMost {
				t.Fatalf("a bucket that strangers share waits %v", wait)
			}
			time.Sleep(time.Second)
		}
		honest, waits := 0, 0
		for i := range 100 {
			if a, _ := l.Take(t.Context(), fmt.Sprint("honest", i)); a != nil {
				honest++
				a.Succeeded()
			} else {
				waits++
			}
		}
		if honest < 95 {
			t.Errorf("%d of 100 that did nothing are locked out", waits)
		}
		if len(l.keys) > usual.Keys || len(l.shared) > shared {
			t.Errorf("%d keys and %d buckets", len(l.keys), len(l.shared))
		}
	})
}

func TestOneHostOfIPv6IsOneOrigin(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:0:1::5": "2001:db8:0:1::/64", "2001:db8:0:1:ffff::5": "2001:db8:0:1::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "x": "x",
	} {
		if got := Origin(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
