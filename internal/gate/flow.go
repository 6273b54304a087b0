package gate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/internal/db"
	"collimator/internal/guard"
	"collimator/internal/policy"
)

// Flow is what one caller did at a route, in one hour of the week: of which rules are
// learned, and against which they are tried.
type Flow struct {
	Route    string      `json:"route"`
	Device   string      `json:"device"`
	Verb     policy.Verb `json:"verb"`
	Class    string      `json:"class"`            // SOP Class UID
	Syntax   string      `json:"syntax,omitempty"` // transfer syntax UID of what was stored
	Hour     int         `json:"hour"`             // of the week at the server, 0 is Sunday 00:00
	Last     time.Time   `json:"last"`             // day on which it happened last
	Requests int64       `json:"requests"`
	Bytes    int64       `json:"bytes"`
}

// Bounds of what is kept of flows: of a route that nobody knows yet, all, however
// many callers it has.
const (
	flowEvery = 2 * time.Second
	flowsMost = 20_000 // that wait to be written
)

// FlowsWithin is when a server has written what went through before, if it can write.
const FlowsWithin = flowEvery + time.Second

// flowKey names a flow.
type flowKey struct {
	route, device string
	verb          policy.Verb
	class, syntax string
	hour          int
}

type amount struct{ requests, bytes int64 }

// flows counts what goes through, and writes it now and then. Safe for concurrent use.
type flows struct {
	db  *db.DB
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	waiting map[flowKey]amount
}

func newFlows(d *db.DB, log *slog.Logger, now func() time.Time) *flows {
	return &flows{db: d, log: log, now: now, waiting: map[flowKey]amount{}}
}

// note counts one request that policy let through.
func (f *flows) note(route, device string, verb policy.Verb, class, syntax string, bytes int64) {
	now := f.now().Local()
	key := flowKey{route: route, device: device, verb: verb, class: class, syntax: syntax, hour: int(now.Weekday())*24 + now.Hour()}
	f.mu.Lock()
	defer f.mu.Unlock()
	sum, known := f.waiting[key]
	if !known && len(f.waiting) >= flowsMost {
		return // the database does not take any: numbers are no evidence
	}
	sum.requests++
	sum.bytes += bytes
	f.waiting[key] = sum
}

// did counts a request on an association of a caller.
func (g *Gate) did(ctx context.Context, a *dimse.Association, op dimse.Operation, class, syntax string, bytes int64) {
	who, ok := guard.Principal(ctx)
	if ok && who.Kind == policy.Device {
		g.flows.note(a.CalledAETitle(), who.Name, guard.VerbOf(op, class), class, syntax, bytes)
	}
}

// Count writes what goes through in numbers, until ctx ends.
func (g *Gate) Count(ctx context.Context) { g.flows.run(ctx) }

// run writes what was counted, until ctx ends, and then what is left.
func (f *flows) run(ctx context.Context) {
	ticker := time.NewTicker(flowEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if err := f.flush(ctx); err != nil {
				f.log.Warn("what went through the gate last is not counted", "error", err)
			}
			return
		case <-ticker.C:
		}

		if err := f.flush(ctx); err != nil && ctx.Err() == nil {
			f.log.Error("what goes through the gate is not counted yet", "error", err)
		}
	}
}

// flush writes what was counted. What cannot be written goes on waiting.
func (f *flows) flush(ctx context.Context) error {
	f.mu.Lock()
	batch := f.waiting
	f.waiting = map[flowKey]amount{}
	f.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}

	day := f.now().Unix() / int64((24 * time.Hour).Seconds())
	err := f.db.Write(ctx, func(tx *db.Tx) error {
		for k, sum := range batch {
			_, err := tx.Exec(ctx, `INSERT INTO gate_flow (route, device, verb, class, syntax, hour, day, requests, bytes)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (route, device, verb, class, syntax, hour)
				DO UPDATE SET day = ?7, requests = requests + ?8, bytes = bytes + ?9`,
				k.route, k.device, string(k.verb), k.class, k.syntax, k.hour, day, sum.requests, sum.bytes)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	for k, sum := range batch {
		now := f.waiting[k]
		f.waiting[k] = amount{requests: now.requests + sum.requests, bytes: now.bytes + sum.bytes}
	}
	return err
}

// Flows lists what went through a route since a day.
func Flows(ctx context.Context, d *db.DB, route string, since time.Time) (list []Flow, err error) {
	first := since.Unix() / int64((24 * time.Hour).Seconds())
	err = d.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanFlow, `SELECT route, device, verb, class, syntax, hour, day, requests, bytes FROM gate_flow
			WHERE route = ?1 AND day >= ?2 ORDER BY device, verb, class, syntax, hour`, route, first)
		return err
	})
	return list, err
}

func scanFlow(scan db.Scan) (f Flow, err error) {
	var day int64
	err = scan(&f.Route, &f.Device, &f.Verb, &f.Class, &f.Syntax, &f.Hour, &day, &f.Requests, &f.Bytes)
	f.Last = time.Unix(day*int64((24*time.Hour).Seconds()), 0).UTC()
	return f, err
}
