package upstream_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/upstream"
)

// counting is a PACS that counts what is open to it.
type counting struct {
	*dimsetest.Server
	opened atomic.Int32
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	c := &counting{}
	c.Server = dimsetest.NewServer(dimsetest.Options{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		c.opened.Add(1)
		return dimse.Negotiate(rq, dimse.AcceptStorage()), nil
	}})
	t.Cleanup(c.Close)
	return c
}

func ask(caller string) upstream.Ask {
	return upstream.Ask{Caller: caller, CallingAETitle: "GATE",
		Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false)}
}

func newPool(t *testing.T, c *counting, p upstream.PACS) *upstream.Pool {
	t.Helper()
	p.Address, p.AETitle = c.Address, c.AETitle
	pool := upstream.New(p)
	t.Cleanup(pool.Close)
	return pool
}

func TestAnAssociationIsUsedAgainByWhoAsksForTheSame(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	pool := newPool(t, c, upstream.PACS{Keep: time.Minute})
	for range 5 {
		l, err := pool.Take(t.Context(), ask("CT1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Echo(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Return()
		l.Return() // once more changes nothing
	}
	if n := c.opened.Load(); n != 1 {
		t.Errorf("%d associations for five requests of one caller", n)
	}

	l, err := pool.Take(t.Context(), ask("CT2"))
	if err != nil {
		t.Fatal(err)
	}
	l.Drop()
	if n := c.opened.Load(); n != 2 {
		t.Errorf("another caller was given the same association: %d", n)
	}
}

func TestNoMoreAssociationsAreOpenThanThePACSBears(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	pool := newPool(t, c, upstream.PACS{Associations: 2, Keep: time.Minute})

	var wg sync.WaitGroup
	var inUse, most atomic.Int32
	for i := range 24 {
		wg.Go(func() {
			l, err := pool.Take(t.Context(), ask([]string{"CT1", "CT2", "MR1"}[i%3]))
			if err != nil {
				t.Error(err)
				return
			}
			n := inUse.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if err := l.Echo(t.Context()); err != nil {
				t.Error(err)
			}
			inUse.Add(-1)
			l.Return()
		})
	}
	wg.Wait()
	if n := most.Load(); n > 2 {
		t.Errorf("%d at a time, want two at the most", n)
	}
}

func TestAPACSThatIsAwayCostsNoPlace(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	pool := newPool(t, c, upstream.PACS{Associations: 1, Wait: time.Second})
	c.Close()
	for range 3 {
		if _, err := pool.Take(t.Context(), ask("CT1")); fault.Of(err) != fault.Unavailable || !strings.Contains(fault.Text(err), "nobody listens there") {
			t.Fatalf("%v", err)
		}
	}
}

func TestWhyAPACSTakesNoCallIsSaid(t *testing.T) {
	t.Parallel()
	s := dimsetest.NewServer(dimsetest.Options{Admit: func(context.Context, *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Acceptance{}, dimse.Reject(nil)
	}})
	t.Cleanup(s.Close)
	pool := newPool(t, &counting{Server: s}, upstream.PACS{})
	if _, err := pool.Take(t.Context(), ask("CT1")); fault.Of(err) != fault.Unavailable || !strings.HasSuffix(fault.Text(err), "it rejects the AE title GATE") {
		t.Errorf("%v", err)
	}
}

func TestAClosedWayRefusesAndEndsWhatWasKept(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	pool := newPool(t, c, upstream.PACS{Keep: time.Minute})
	l, err := pool.Take(t.Context(), ask("CT1"))
	if err != nil {
		t.Fatal(err)
	}
	a := l.Association
	l.Return()

	pool.Close()
	<-a.Done()
	if _, err := pool.Take(t.Context(), ask("CT1")); fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestWhatAPACSMayAnswerIsChargedToWhoAsks(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	pool := newPool(t, c, upstream.PACS{Associations: 8})
	b := budget.New(20 << 20)
	var leases []*upstream.Lease
	for {
		l, err := pool.Take(budget.With(t.Context(), b.Open("CT1")), ask("CT1"))
		if fault.Of(err) == fault.Busy {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, l)
	}
	if len(leases) != 2 || b.Usage().Held == 0 {
		t.Errorf("%d leases, %+v", len(leases), b.Usage())
	}

	for _, l := range leases {
		l.Return()
	}
	if held := b.Usage().Held; held != 0 {
		t.Errorf("%d bytes are held at the end", held)
	}
	l, err := pool.Take(t.Context(), ask("MR1"))
	if err != nil {
		t.Fatalf("for somebody without an account: %v", err)
	}
	l.Drop()
}
