package maintenance

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/phrase"
)

const columns = `number, route, target, elsewhere, person, opener, opened, until, claimed, session, address, ended, why`

func scanDoor(scan db.Scan) (x Door, err error) {
	var target string
	var opened, until, claimed, ended int64
	err = scan(&x.Number, &x.Route, &target, &x.Elsewhere, &x.Person, &x.Opener, &opened, &until,
		&claimed, &x.session, &x.Address, &ended, &x.Why)
	if err != nil {
		return x, err
	}

	x.Opened = db.Instant(opened)
	x.Until = db.Instant(until)
	x.Claimed = db.Instant(claimed)
	x.Ended = db.Instant(ended)
	if x.Target, err = netip.ParseAddrPort(target); err != nil {
		err = fault.Newf(fault.Internal, "maintenance: door %d has no target that can be read", x.Number)
	}
	return x, err
}

// List is the doors, the newest first: those that are there, and those that ended of
// late.
func (d *Doors) List(ctx context.Context) ([]Door, error) {
	return d.all(ctx, ` ORDER BY number DESC LIMIT 500`)
}

// open are the doors that are there.
func (d *Doors) open(ctx context.Context) ([]Door, error) {
	return d.all(ctx, ` WHERE ended = 0 ORDER BY number`)
}

func (d *Doors) all(ctx context.Context, where string, args ...any) (list []Door, err error) {
	err = d.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanDoor, `SELECT `+columns+` FROM maintenance_door`+where, args...)
		return err
	})
	return list, err
}

// one is the door that a condition names; fault.NotFound where there is none.
func (d *Doors) one(ctx context.Context, where string, args ...any) (x Door, err error) {
	list, err := d.all(ctx, where, args...)
	if err == nil && len(list) == 0 {
		err = errNoDoor
	}
	if err != nil {
		return x, err
	}
	return list[0], nil
}

// Open makes a door and gives the secret of its code, which is kept nowhere. record
// writes down that it was opened; where that fails, there is no door.
func (d *Doors) Open(ctx context.Context, o Order, record func(context.Context, audit.Object) error) (x Door, secret string, err error) {
	if x, err = d.planned(ctx, o); err != nil {
		return x, "", err
	}

	secret = newSecret()
	err = d.DB.Write(ctx, func(tx *db.Tx) error { return d.insert(ctx, tx, &x, secret) })
	if err != nil {
		return x, "", err
	}

	if err := record(ctx, x.object("opened, "+x.text()+", until "+x.Until.UTC().Format(time.RFC3339))); err != nil {
		if _, undo := d.finish(ctx, x.Number, "its opening was not recorded"); undo != nil {
			d.Log.Error("maintenance door not taken back", "door", x.Number, "error", undo)
		}
		return x, "", fmt.Errorf("maintenance: the door is not opened, because that cannot be recorded: %w", err)
	}
	return x, secret, nil
}

// planned is the door of an order, as it may be.
func (d *Doors) planned(ctx context.Context, o Order) (x Door, err error) {
	if o.Minutes < 1 || o.Minutes > MinutesMost {
		return x, fault.Newf(fault.Invalid, "maintenance: a door is open for 1 to %d minutes", MinutesMost)
	}
	place, err := d.Place(ctx, o.Route)
	if err != nil {
		return x, err
	}
	target, elsewhere, err := o.target(place)
	if err != nil {
		return x, err
	}
	if err := d.allowed(target, place); err != nil {
		return x, err
	}
	if err := d.May(ctx, o.Person); err != nil {
		return x, err
	}

	now := d.Now()
	return Door{
		Route: o.Route, Target: target, Elsewhere: elsewhere, Person: o.Person, Opener: o.Opener,
		Opened: now, Until: now.Add(time.Duration(o.Minutes) * time.Minute),
	}, nil
}

// insert registers a door under the next number, and forgets those that ended long ago.
func (d *Doors) insert(ctx context.Context, tx *db.Tx, x *Door, secret string) error {
	var open int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FILTER (WHERE ended = 0), COALESCE(MAX(number), 0) + 1
		FROM maintenance_door`).Scan(&open, &x.Number)
	if err == nil && open >= doorsMost {
		err = errFull
	}
	if err != nil {
		return err
	}

	if _, err := d.Registers.Exec(ctx, tx, `DELETE FROM maintenance_door WHERE ended > 0 AND ended < ?1 AND number < ?2 - 1`,
		db.Millis(x.Opened.Add(-endedKept)), x.Number); err != nil {
		return err
	}
	_, err = d.Registers.Exec(ctx, tx, `INSERT INTO maintenance_door (`+columns+`, hash)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, '', '', 0, '', ?9)`,
		x.Number, x.Route, x.Target.String(), x.Elsewhere, x.Person, x.Opener, db.Millis(x.Opened), db.Millis(x.Until), secretHash(secret))
	return err
}

// Shut ends a door; a server ends what it carries within a second. fault.NotFound where
// none of this number is open.
func (d *Doors) Shut(ctx context.Context, number int64, record func(context.Context, audit.Object) error) (Door, error) {
	x, err := d.one(ctx, ` WHERE number = ?1 AND ended = 0`, number)
	if err == nil {
		var ended bool
		if ended, err = d.finish(ctx, number, "it was shut"); err == nil && !ended {
			err = errNumber
		}
	}
	if fault.Of(err) == fault.NotFound {
		return x, errNumber
	}
	if err != nil {
		return x, err
	}

	d.mu.Lock()
	l := d.live[number]
	d.mu.Unlock()
	if l != nil {
		l.end("it was shut")
	}
	return x, record(ctx, x.object("shut, "+x.text()))
}

// finish writes down that a door is over; ended is false where it was before.
func (d *Doors) finish(ctx context.Context, number int64, why string) (ended bool, err error) {
	err = d.DB.Write(ctx, func(tx *db.Tx) error {
		n, err := d.Registers.Exec(ctx, tx, `UPDATE maintenance_door SET ended = ?2, why = ?3 WHERE number = ?1 AND ended = 0`,
			number, db.Millis(d.Now()), why)
		ended = n > 0
		return err
	})
	return ended, err
}

// expire ends a door in which nobody is, and records it, once.
func (d *Doors) expire(ctx context.Context, x Door, why string) error {
	ctx = context.WithoutCancel(ctx)
	ended, err := d.finish(ctx, x.Number, why)
	if err != nil || !ended {
		return err
	}

	carried := Traffic{}.String()
	if !x.Claimed.IsZero() { // by a server that came to no end
		carried = "what it carried is not known"
	}
	d.recordOver(ctx, x, why, carried)
	return nil
}

func (d *Doors) recordOver(ctx context.Context, x Door, why, carried string) {
	d.Keep(ctx, audit.Record{
		Event: audit.MaintenanceDoor, Action: audit.Execute, Door: audit.DoorSchedule, Principal: "collimator", Kind: "service",
		Objects: []audit.Object{x.object("over, " + x.text() + ": " + why + "; " + carried)},
	})
}

// object is a door in a record.
func (x Door) object(what string) audit.Object {
	return audit.Object{Person: x.Person, Device: x.Route, Detail: fmt.Sprintf("door %d %s", x.Number, what)}
}

// text says where a door leads.
func (x Door) text() string { return fmt.Sprintf("to %s for %s", x.Target, x.Person) }

// StatePart is the state of doors, while one is there.
const StatePart = "gate.doors"

// tell says which doors there are: somebody has to know, until they are over.
func (d *Doors) tell(open []Door) {
	var list []string
	for _, x := range open {
		list = append(list, fmt.Sprintf("number %d %s at %s until %s", x.Number, x.text(), x.Route, x.Until.UTC().Format(time.RFC3339)))
	}
	if len(list) == 0 {
		d.States.Forget(StatePart)
		return
	}
	d.States.Degraded(StatePart, phrase.Count(len(list), "maintenance door is", "maintenance doors are")+" open: "+strings.Join(list, "; "),
		"it closes itself; 'collimator gate shut NUMBER' closes it now")
}
