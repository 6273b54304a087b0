package audit_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/state"
)

// disk is a trail that can be full.
type disk struct {
	mu      sync.Mutex
	full    bool
	written []audit.Record
}

func (d *disk) Write(_ context.Context, records ...audit.Record) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return fault.New(fault.Unavailable, "db: the disk is full")
	}
	d.written = append(d.written, records...)
	return nil
}

func (d *disk) set(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// kept runs a keeper over a disk within a bubble.
func kept(t *testing.T, wait time.Duration, test func(k *audit.Keeper, d *disk, states *state.Register)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d, states := &disk{}, state.New(time.Now)
		k := audit.NewKeeper(d, wait, states, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); k.Run(ctx) }()
		test(k, d, states)
		cancel()
		<-ended
	})
}

func note(k *audit.Keeper, name string) {
	k.Write(context.Background(), audit.Record{Event: audit.Query, Principal: name})
}

func TestRecordsThatCannotBeWrittenAreWrittenLaterInTheirOrderAndWithTheirTime(t *testing.T) {
	t.Parallel()
	kept(t, time.Minute, func(k *audit.Keeper, d *disk, states *state.Register) {
		began := time.Now()
		d.set(true)
		for i := range 500 {
			note(k, fmt.Sprint(i))
		}
		if states.Worst() != state.Failing {
			t.Errorf("%+v", states.All())
		}
		time.Sleep(10 * time.Second)
		if err := k.Ready(); err != nil {
			t.Errorf("after 10 s: %v", err)
		}
		d.set(false)
		time.Sleep(2 * time.Second)

		if len(d.written) != 500 || k.Ready() != nil || states.Worst() != state.Well {
			t.Fatalf("%d written, ready %v, %+v", len(d.written), k.Ready(), states.All())
		}
		for i, r := range d.written {
			if r.Principal != fmt.Sprint(i) || !r.Time.Equal(began) {
				t.Fatalf("record %d is %s of %s", i, r.Principal, r.Time)
			}
		}
	})
}

func TestNothingIsShownOnceNothingWasRecordedForLongerThanMayBe(t *testing.T) {
	t.Parallel()
	kept(t, time.Minute, func(k *audit.Keeper, d *disk, _ *state.Register) {
		d.set(true)
		note(k, "a")
		time.Sleep(59 * time.Second)
		if err := k.Ready(); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		if fault.Of(k.Ready()) != fault.Unavailable {
			t.Error(k.Ready())
		}
		d.set(false)
		time.Sleep(2 * time.Second)
		if err := k.Ready(); err != nil {
			t.Errorf("with room: %v", err)
		}
	})
}

func TestRecordsForWhichThereIsNoRoomAreCountedAndStopReading(t *testing.T) {
	t.Parallel()
	kept(t, time.Hour, func(k *audit.Keeper, d *disk, _ *state.Register) {
		d.set(true)
		for range 6 {
			note(k, strings.Repeat("x", 1<<20))
		}
		if waiting, lost := k.Waiting(); waiting != 3 || lost != 3 {
			t.Errorf("%d wait, %d are lost", waiting, lost)
		}
		if k.Ready() == nil {
			t.Error("reading goes on without a record")
		}
		d.set(false)
		time.Sleep(2 * time.Second)
		if len(d.written) != 4 || !strings.Contains(d.written[3].Reason, "3 records") || k.Ready() != nil {
			t.Errorf("%d written, ready %v", len(d.written), k.Ready())
		}
	})
}

func TestWhatWaitsIsWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	var last *disk
	kept(t, time.Minute, func(k *audit.Keeper, d *disk, _ *state.Register) {
		last = d
		d.set(true)
		note(k, "a")
		time.Sleep(500 * time.Millisecond)
		d.set(false)
	})
	if len(last.written) != 1 {
		t.Errorf("%d written", len(last.written))
	}
}
