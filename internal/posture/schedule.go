package posture

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// tickMost is the longest wait for a schedule without a look at the clock: the
// machine may have slept, or its clock was set.
const tickMost = time.Minute

// Follow begins scans by their schedules until ctx ends. A moment that comes
// while the same schedule is still at work is left out; while another scan runs
// it waits for its end.
func (p *Posture) Follow(ctx context.Context, list []config.Scan) {
	var wg sync.WaitGroup
	for _, s := range list {
		clock, err := config.ParseClock(s.At)
		if err != nil { // the settings were checked before
			p.Log.Error("schedule left out", "schedule", s.Name, "error", err)
			continue
		}

		wg.Go(func() { p.follow(ctx, s, clock) })
	}

	wg.Wait()
}

// follow begins the scans of one schedule at its moments until ctx ends. A scan that
// was missed while nothing ran is made at once, where the schedule wants that.
func (p *Posture) follow(ctx context.Context, s config.Scan, clock config.Clock) {
	began, err := p.began(ctx, s.Name)
	switch {
	case err != nil:
		p.Log.Error("schedule not read", "schedule", s.Name, "error", err)
	case began.IsZero(): // a new schedule has missed nothing
		if err := p.begins(ctx, s.Name); err != nil {
			p.Log.Error("schedule not noted", "schedule", s.Name, "error", err)
		}
	case s.CatchUp && began.Before(clock.Last(p.Now())):
		p.Log.Info("a scan that was missed is made now", "schedule", s.Name)
		p.scheduled(ctx, s)
	}

	for ctx.Err() == nil {
		next := clock.Next(p.Now())
		if !p.until(ctx, next) {
			return
		}

		p.scheduled(ctx, s)
	}
}

// until waits for a moment; false where ctx ended.
func (p *Posture) until(ctx context.Context, moment time.Time) bool {
	for {
		left := moment.Sub(p.Now())
		if left <= 0 {
			return ctx.Err() == nil
		}

		select {
		case <-ctx.Done():
			return false
		case <-time.After(min(left, tickMost)):
		}
	}
}

// scheduled makes one scan of a schedule and waits for its end. While another scan
// runs it waits for that one first.
func (p *Posture) scheduled(ctx context.Context, s config.Scan) {
	if err := p.begins(ctx, s.Name); err != nil {
		p.Log.Error("schedule not noted", "schedule", s.Name, "error", err)
	}

	o := Order{
		Targets:  s.Targets,
		Ports:    s.Ports,
		Schedule: s.Name,
		Kind:     string(policy.Service),
		By:       "schedule " + s.Name,
		Door:     audit.DoorSchedule,
	}

	for {
		j, err := p.Start(ctx, o)
		if errors.Is(err, errBusy) {
			if !p.idle(ctx) {
				return
			}
			continue
		}
		if err != nil {
			p.Log.Error("scheduled scan not begun", "schedule", s.Name, "error", err)
			p.noteFailed(ctx, o, fault.Text(err))
			return
		}

		_, _ = p.Wait(ctx, j.ID) // it fails where ctx ends, and then Close stops the scan
		return
	}
}

// noteFailed records a scheduled scan that did not begin; an alarm follows.
func (p *Posture) noteFailed(ctx context.Context, o Order, why string) {
	r := scanned(reasonScheduled, fmt.Sprintf("schedule %s: %s", o.Schedule, why))
	r.Outcome = audit.SeriousFailure
	r.Code = audit.ScheduledScanFailed

	if err := p.write(ctx, o, r); err != nil {
		p.Log.Error("audit record lost", "event", string(audit.Scanned), "error", err)
	}
}

// idle waits until no scan runs; false where ctx ended or nothing will start any more.
func (p *Posture) idle(ctx context.Context) bool {
	p.mu.Lock()
	j := p.current
	ended := p.ended
	p.mu.Unlock()

	if ended {
		return false
	}
	return j == nil || await(ctx, j) == nil
}

// began is when a schedule last began; zero where it never did.
func (p *Posture) began(ctx context.Context, name string) (time.Time, error) {
	var ms int64
	err := p.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(MAX(began), 0) FROM posture_schedule WHERE name = ?1`, name).Scan(&ms)
	})
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return db.Instant(ms), nil
}

func (p *Posture) begins(ctx context.Context, name string) error {
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO posture_schedule (name, began) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET began = ?2`, name, db.Millis(p.Now()))
		return err
	})
}
