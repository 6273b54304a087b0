package outbox

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/phrase"
	"collimator/internal/state"
)

// StatePart is the state of what waits.
const StatePart = "gate.queue"

// Summary is what waits for one destination, for one of its targets.
type Summary struct {
	Destination string    `json:"destination"`
	Target      string    `json:"target"`
	Waiting     int64     `json:"waiting"`
	Sent        int64     `json:"sent"` // stored there, and not committed to yet
	Aside       int64     `json:"aside"`
	Bytes       int64     `json:"bytes"`
	Oldest      time.Time `json:"oldest,omitzero"` // of what is not aside
	Reason      string    `json:"reason,omitempty"`
	Due         time.Time `json:"due,omitzero"` // when it is tried again
	// Tries is how often it was tried since it was reached last, and Tried when the last time was.
	Tries int       `json:"tries"`
	Tried time.Time `json:"tried,omitzero"`
}

// Objects is how many there are, in whatever state.
func (s Summary) Objects() int64 { return s.Waiting + s.Sent + s.Aside }

// Summaries lists what waits, by destination.
func Summaries(ctx context.Context, d *db.DB) (list []Summary, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanSummary, `SELECT o.destination, o.target,
			COALESCE(SUM(o.state = 'waiting'), 0), COALESCE(SUM(o.state = 'sent'), 0), COALESCE(SUM(o.state = 'aside'), 0),
			SUM(o.size), COALESCE(MIN(CASE WHEN o.state <> 'aside' THEN o.queued END), 0),
			COALESCE((SELECT d.reason FROM outbox_destination AS d WHERE d.destination = o.destination),
				(SELECT f.reason FROM outbox AS f WHERE f.destination = o.destination AND f.target = o.target AND f.reason <> ''
					ORDER BY f.state = 'aside', f.id LIMIT 1), ''),
			COALESCE((SELECT d.due FROM outbox_destination AS d WHERE d.destination = o.destination), 0),
			COALESCE((SELECT d.tries FROM outbox_destination AS d WHERE d.destination = o.destination), 0),
			COALESCE((SELECT d.tried FROM outbox_destination AS d WHERE d.destination = o.destination), 0)
			FROM outbox AS o GROUP BY o.destination, o.target ORDER BY o.destination, o.target`)
		return err
	})
	return list, failed(err, "look what waits")
}

func scanSummary(scan db.Scan) (s Summary, err error) {
	var oldest, due, tried int64
	err = scan(&s.Destination, &s.Target, &s.Waiting, &s.Sent, &s.Aside, &s.Bytes, &oldest, &s.Reason, &due, &s.Tries, &tried)
	s.Oldest = instant(oldest)
	s.Due = instant(due)
	s.Tried = instant(tried)
	return s, err
}

// List lists objects that wait, in order, at most most of them; of one destination where it
// is named.
func List(ctx context.Context, d *db.DB, destination string, most int) (list []Item, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanItem, `SELECT `+columns+` FROM outbox WHERE ?1 = '' OR destination = ?1 ORDER BY id LIMIT ?2`,
			destination, most)
		return err
	})
	return list, failed(err, "list what waits")
}

// Retry has what waits for a destination and came for a target of it, or was set aside, sent now. It says
// how many objects these are; a server that runs sends them within seconds.
func Retry(ctx context.Context, d *db.DB, destination, target string) (n int64, err error) {
	err = d.Write(ctx, func(tx *db.Tx) error {
		if n, err = tx.Exec(ctx, `UPDATE outbox SET state = CASE state WHEN 'aside' THEN 'waiting' ELSE state END, due = 0, broken = 0,
			tries = 0, transaction_uid = '', asked = 0 WHERE destination = ?1 AND target = ?2`, destination, target); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM outbox_destination WHERE destination = ?1`, destination)
		return err
	})
	return n, failed(err, "have it sent")
}

// Redirect has what came for other targets of a destination sent to the one that it leads to now.
// It says how many objects these are.
func Redirect(ctx context.Context, d *db.DB, destination, target string) (n int64, err error) {
	err = d.Write(ctx, func(tx *db.Tx) error {
		n, err = tx.Exec(ctx, `UPDATE outbox SET target = ?2, state = 'waiting', due = 0, broken = 0, tries = 0, reason = '',
			transaction_uid = '', asked = 0 WHERE destination = ?1 AND target <> ?2`, destination, target)
		return err
	})
	return n, failed(err, "have it sent elsewhere")
}

// Find is an object by its number; fault.NotFound where none has it.
func Find(ctx context.Context, d *db.DB, id int64) (i Item, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		i, err = scanItem(func(into ...any) error {
			return tx.QueryRow(ctx, `SELECT `+columns+` FROM outbox WHERE id = ?1`, id).Scan(into...)
		})
		return err
	})
	if fault.Of(err) == fault.NotFound {
		return i, fault.Newf(fault.NotFound, "outbox: nothing waits under the number %d", id)
	}
	return i, failed(err, "look at an object")
}

// Drop removes an object that has not arrived. also runs in the same transaction; its
// error keeps the object.
func Drop(ctx context.Context, d *db.DB, dir string, i Item, also func(context.Context, *db.Tx) error) error {
	path := filepath.Join(dir, i.file)
	err := d.Write(ctx, func(tx *db.Tx) error {
		if n, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id = ?1 AND file = ?2`, i.ID, i.file); err != nil || n == 0 {
			if err == nil {
				err = fault.Newf(fault.NotFound, "outbox: number %d arrived meanwhile", i.ID)
			}
			return err
		}
		if err := also(ctx, tx); err != nil {
			return err
		}
		// A file under its name and without a row is queued at the next start.
		return withdraw(path)
	})
	if err != nil {
		return errors.Join(err, bringBack(path))
	}
	return failed(removeFile(path+withdrawn), "remove an object")
}

// watchEvery is how often somebody looks how much waits.
const watchEvery = 10 * time.Second

// watch keeps the state of what waits until ctx ends.
func (b *Outbox) watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		if err := Tell(ctx, b.DB, b.States, b.Limits, b.Now()); err != nil && ctx.Err() == nil {
			b.Log.Error("how much waits is not known", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Tell says how it is with what waits.
func Tell(ctx context.Context, d *db.DB, states *state.Register, l Limits, now time.Time) error {
	list, err := Summaries(ctx, d)
	if err != nil {
		return err
	}
	l = l.withDefaults()

	var waiting, aside int64
	var oldest time.Time
	var names []string
	for _, s := range list {
		waiting += s.Waiting + s.Sent
		aside += s.Aside
		if !slices.Contains(names, s.Destination) {
			names = append(names, s.Destination)
		}
		if oldest.IsZero() || !s.Oldest.IsZero() && s.Oldest.Before(oldest) {
			oldest = s.Oldest
		}
	}
	if waiting+aside == 0 {
		states.Forget(StatePart)
		return nil
	}

	text := phrase.Count(waiting, "object waits", "objects wait") + " for " + strings.Join(names, ", ")
	if aside > 0 {
		text += "; " + phrase.Count(aside, "is set aside", "are set aside")
	}
	do := "'collimator gate queue list' says why"
	switch age := now.Sub(oldest); {
	case !oldest.IsZero() && age >= l.VeryOld:
		states.Failing(StatePart, text+"; the oldest has waited for "+age.Round(time.Hour).String(), do)
	case aside > 0, !oldest.IsZero() && age >= l.Old, waiting >= l.Many:
		states.Degraded(StatePart, text, do)
	default:
		states.Well(StatePart, text)
	}
	return nil
}
