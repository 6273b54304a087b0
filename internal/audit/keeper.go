package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"collimator/internal/fault"
	"collimator/internal/state"
)

// Keeper writes records to a trail. What cannot be written, because the disk is
// full or fails, is kept in memory and written in its order as soon as that is
// possible, with the time at which it happened. Where it has waited for longer
// than may be, or there is no room left to keep more, Ready says so: then nothing
// is to be shown to anybody, because nobody could tell later who saw it.
type Keeper struct {
	trail Writer
	log   *slog.Logger
	// wait is how long records may wait until nothing more may be read.
	wait   time.Duration
	states *state.Register
	now    func() time.Time

	mu      sync.Mutex
	waiting []Record
	bytes   int
	since   time.Time // of the oldest that waits
	lost    int       // records for which there was no room
	wake    chan struct{}
}

// Writer adds records in their order; they are durable when it returns nil.
// *Trail is one.
type Writer interface {
	Write(ctx context.Context, records ...Record) error
}

// keptMost is how many bytes of records are kept in memory, in JSON; as they
// stand they take some three times as much.
const keptMost = 4 << 20

// StateTrail is the name under which a Keeper registers its state.
const StateTrail = "audit.trail"

// NewKeeper makes a keeper. wait is how long records may wait until Ready fails;
// 0 fails at once. Run must be running.
func NewKeeper(t Writer, wait time.Duration, states *state.Register, log *slog.Logger, now func() time.Time) *Keeper {
	states.Well(StateTrail, "records are written")
	return &Keeper{trail: t, wait: wait, states: states, log: log, now: now, wake: make(chan struct{}, 1)}
}

// Write records what happened, now or as soon as it can be. The caller's end does
// not end it: what happened has happened.
func (k *Keeper) Write(ctx context.Context, r Record) {
	if r.Time.IsZero() {
		r.Time = k.now()
	}

	k.mu.Lock()
	if len(k.waiting) > 0 { // behind those that came before
		k.keep(r)
		k.mu.Unlock()
		return
	}
	k.mu.Unlock()

	err := k.trail.Write(context.WithoutCancel(ctx), r)
	if err == nil {
		return
	}
	k.log.Error("audit record not written; it is kept and written later", "event", string(r.Event), "error", err)
	k.states.Failing(StateTrail, "records cannot be written and wait in memory: "+fault.Text(err),
		"make room on the disk of the data directory; see docs/operate.md")

	k.mu.Lock() // only now: once it is kept Run may write it and say that all is well
	k.keep(r)
	k.mu.Unlock()
}

// keep puts a record in the queue. Called with mu held.
func (k *Keeper) keep(r Record) {
	b, _ := json.Marshal(r) // a record always encodes
	if k.bytes+len(b) > keptMost {
		k.lost++
		return
	}

	if len(k.waiting) == 0 {
		k.since = k.now()
	}

	k.waiting = append(k.waiting, r)
	k.bytes += len(b)

	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Ready is nil while what is shown can be recorded, or will be within the time
// that was set; else it is of fault.Unavailable.
func (k *Keeper) Ready() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lost > 0 || len(k.waiting) > 0 && k.now().Sub(k.since) >= k.wait {
		return errNoRecord
	}
	return nil
}

var errNoRecord = fault.New(fault.Unavailable, "audit: nothing can be recorded, so nothing is shown; the disk of the archive is full or fails: 'collimator doctor' on its machine says more")

// Waiting is how many records wait, and how many found no room.
func (k *Keeper) Waiting() (waiting, lost int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.waiting), k.lost
}

// keepRetry is how often it is tried again.
const keepRetry = time.Second

// Run writes what waits until ctx ends; then it tries once more.
func (k *Keeper) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			if k.flush(context.WithoutCancel(ctx)) != nil {
				waiting, lost := k.Waiting()
				k.log.Error("audit records lost with the end of the server", "records", waiting+lost)
			}
			return
		case <-k.wake:
		}

		for k.flush(ctx) != nil && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(keepRetry):
			}
		}
	}
}

// flushMost is how many records are written in one transaction.
const flushMost = 200

// flush writes the records that wait, oldest first, and then one that counts those for
// which there was no room. After an error the rest goes on waiting.
func (k *Keeper) flush(ctx context.Context) error {
	written := 0
	for {
		k.mu.Lock()
		batch := k.waiting[:min(len(k.waiting), flushMost)]
		lost := k.lost
		k.mu.Unlock()

		if len(batch) == 0 && lost == 0 {
			break
		}
		if len(batch) == 0 {
			if err := k.trail.Write(ctx, k.gap(lost)); err != nil {
				return err
			}
			k.told(lost)
			written++
			continue
		}

		if err := k.trail.Write(ctx, batch...); err != nil {
			return err
		}
		k.forget(batch)
		written += len(batch)
	}

	if written > 0 {
		k.log.Info("audit records that had waited are written", "records", written)
		k.states.Well(StateTrail, "records are written")
	}
	return nil
}

// gap is the record of those for which there was no room.
func (k *Keeper) gap(lost int) Record {
	return Record{
		Time: k.now(), Event: SecurityAlert, Action: Execute, Outcome: SeriousFailure,
		Door: DoorCommand, Principal: "collimator", Kind: "service",
		Reason: fmt.Sprintf("%d records could not be kept while nothing could be written", lost),
	}
}

// told takes out of the count what the gap that was written says of it.
func (k *Keeper) told(lost int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lost -= lost
}

// forget removes records from the queue after they were written: they are its
// oldest.
func (k *Keeper) forget(written []Record) {
	k.mu.Lock()
	defer k.mu.Unlock()

	for _, r := range written {
		b, _ := json.Marshal(r)
		k.bytes -= len(b)
	}

	k.waiting = k.waiting[len(written):]
	if len(k.waiting) == 0 {
		k.waiting = nil
	}
}
