package maintenance

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/phrase"
)

// Visitor is who comes to a door, as the guard knows him.
type Visitor struct {
	Person  string
	Session string // by its ID
	// Method is the last that was shown to sign in.
	Method  string
	Address string
	// Entry begins a record of what the visitor did.
	Entry func(event audit.Event, action audit.Action, outcome audit.Outcome, reason string) audit.Record
}

// byFactor reports whether the session has shown a second factor that somebody holds:
// a password alone may be enough to sign in, and is not here.
func (v Visitor) byFactor() bool {
	return v.Method == "totp" || v.Method == "passkey" || v.Method == "recovery"
}

// record is a record of the visitor about a door.
func (v Visitor) record(x Door, outcome audit.Outcome, what string) audit.Record {
	r := v.Entry(audit.MaintenanceDoor, audit.Execute, outcome, "")
	r.Objects = append(r.Objects, x.object(what))
	return r
}

// live is a door in which somebody is.
type live struct {
	doors   *Doors
	door    Door
	look    func() string    // why it has to end; empty while it has not
	done    func(live *live) // is told when it has ended
	over    chan struct{}    // closed at its end
	endOnce sync.Once
	why     string // set before over is closed
	going   sync.WaitGroup

	mu          sync.Mutex
	heard       time.Time // of the client
	connections int
	traffic     Traffic
}

// Claim takes the code of a door from the one it was made for: from now on it is the
// door of this session, and the code counts no more. A code that does not count is
// fault.Denied, whatever is wrong with it.
func (d *Doors) Claim(ctx context.Context, v Visitor, secret string) (Door, error) {
	if !v.byFactor() {
		return Door{}, errFactor
	}
	if err := d.ready(); err != nil {
		return Door{}, err
	}

	x, err := d.one(ctx, ` WHERE hash = ?1 AND ended = 0 AND claimed = 0`, secretHash(secret))
	if fault.Of(err) == fault.NotFound || err == nil && x.Person != v.Person {
		d.refused(ctx, v, x)
		return Door{}, errCode
	}
	if err != nil {
		return Door{}, err
	}
	if why := d.reason(ctx, x); why != "" {
		return Door{}, errCode
	}
	return d.claim(ctx, v, x)
}

// refused records a code that did not count. Only that of a door is worth a word more.
func (d *Doors) refused(ctx context.Context, v Visitor, x Door) {
	r := v.Entry(audit.SecurityAlert, audit.Execute, audit.MinorFailure, "the code of a maintenance door did not count")
	if x.Number > 0 {
		r.Reason = "the code of a maintenance door was shown by somebody else than it was made for"
		r.Objects = append(r.Objects, x.object(x.text()))
	}
	d.Keep(ctx, r)
}

func (d *Doors) claim(ctx context.Context, v Visitor, x Door) (Door, error) {
	// What cannot be recorded does not happen; the code stays good.
	if err := d.Record(ctx, v.record(x, audit.Success, "entered, "+x.text())); err != nil {
		return Door{}, fmt.Errorf("maintenance: nobody is let in, because that cannot be recorded: %w", err)
	}

	x.Claimed = d.Now()
	x.session = v.Session
	x.Address = v.Address
	err := d.DB.Write(ctx, func(tx *db.Tx) error {
		n, err := d.Registers.Exec(ctx, tx,
			`UPDATE maintenance_door SET claimed = ?2, session = ?3, address = ?4 WHERE number = ?1 AND ended = 0 AND claimed = 0`,
			x.Number, db.Millis(x.Claimed), x.session, x.Address)
		if err == nil && n == 0 { // somebody was quicker
			err = errCode
		}
		return err
	})
	if err == nil {
		err = d.enter(x)
	}
	if err != nil { // the record says otherwise so far
		d.Keep(ctx, v.record(x, audit.MinorFailure, "not entered after all, "+x.text()))
		return Door{}, err
	}
	return x, nil
}

// enter makes a door live.
func (d *Doors) enter(x Door) error {
	l := &live{doors: d, door: x, over: make(chan struct{}), heard: d.Now(), done: d.left}
	l.look = l.lost
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errStopping
	}
	d.live[x.Number] = l
	d.going.Go(l.run)
	return nil
}

// Of is the door of a session, whose client was heard of by that. fault.NotFound where
// it has none, or it is over; the error says why as far as that is known.
func (d *Doors) Of(ctx context.Context, v Visitor) (Door, error) {
	if l := d.liveOf(v); l != nil {
		l.hear()
		return l.door, nil
	}

	x, err := d.one(ctx, ` WHERE session = ?1 AND person = ?2 ORDER BY number DESC LIMIT 1`, v.Session, v.Person)
	if err == nil && x.Ended.IsZero() {
		err = errNoDoor
	}
	if err == nil {
		err = fault.NewCode(fault.NotFound, "door-over", "maintenance: the door is closed: "+x.Why)
	}
	return x, err
}

// Leave ends the door of a session.
func (d *Doors) Leave(_ context.Context, v Visitor) error {
	l := d.liveOf(v)
	if l == nil {
		return errNoDoor
	}
	l.end(v.Person + " left")
	return nil
}

// liveOf is the live door of a session; nil without one.
func (d *Doors) liveOf(v Visitor) *live {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.live {
		if l.door.session == v.Session && l.door.Person == v.Person && !l.ended() {
			return l
		}
	}
	return nil
}

func (l *live) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// end ends a door, once; what it carries ends with it.
func (l *live) end(why string) {
	l.endOnce.Do(func() {
		l.mu.Lock() // who begins a connection has begun it before, or does not
		defer l.mu.Unlock()
		l.why = why
		close(l.over)
	})
}

func (l *live) hear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = l.doors.Now()
}

// run watches a door until it is over, and records that.
func (l *live) run() {
	due := time.AfterFunc(l.door.Until.Sub(l.doors.Now()), func() { l.end("its time is over") })
	defer due.Stop()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for !l.ended() {
		select {
		case <-l.over:
		case <-ticker.C:
			if why := l.look(); why != "" {
				l.end(why)
			}
		}
	}

	l.going.Wait() // carriers record what they carried first
	l.done(l)
}

// left takes a door out that has ended, and records that.
func (d *Doors) left(l *live) {
	ctx := context.Background()
	d.recordOver(ctx, l.door, l.why, l.carried().String())
	_, err := d.finish(ctx, l.door.Number, l.why)
	if err != nil {
		d.Log.Error("the end of a maintenance door is not registered yet", "door", l.door.Number, "error", err)
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.live, l.door.Number)
	if err != nil {
		d.unkept[l.door.Number] = l.why
	}
}

// lost is why a door in which somebody is has to end; empty while it has not.
func (l *live) lost() string {
	d := l.doors
	ctx, cancel := context.WithTimeout(context.Background(), dialMost)
	defer cancel()

	x, err := d.one(ctx, ` WHERE number = ?1`, l.door.Number)
	switch {
	case err != nil:
		return "it cannot be looked up"
	case !x.Ended.IsZero():
		return x.Why
	}
	if running, err := d.Running(ctx, l.door.session); err != nil || !running {
		return "the session ended in which it was entered"
	}

	if why := d.reason(ctx, x); why != "" {
		return why
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if d.Now().Sub(l.heard) >= silentMost {
		return "the client was not heard of any more"
	}
	return ""
}

func (l *live) carried() Traffic {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.traffic
}

// Connection is one connection to the target of a door, to be carried.
type Connection struct {
	live    *live
	visitor Visitor
	target  net.Conn
	began   time.Time
}

// Connect opens a connection to the target of the door of a session, and records that.
// Carry, or Abandon, has to follow.
func (d *Doors) Connect(ctx context.Context, v Visitor) (*Connection, error) {
	l := d.liveOf(v)
	if l == nil {
		return nil, errNoDoor
	}
	if why := d.reason(ctx, l.door); why != "" { // what the last look has not seen
		l.end(why)
		return nil, errNoDoor
	}
	if !l.begin() {
		return nil, errCrowded
	}

	c, err := l.connect(ctx, v)
	if err != nil {
		l.leave()
	}
	return c, err
}

// begin takes a place for a connection.
func (l *live) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = l.doors.Now()
	if l.ended() || l.connections >= connectionsMost {
		return false
	}
	l.connections++
	l.going.Add(1)
	return true
}

func (l *live) leave() {
	l.mu.Lock()
	l.connections--
	l.mu.Unlock()
	l.going.Done()
}

func (l *live) connect(ctx context.Context, v Visitor) (*Connection, error) {
	d := l.doors
	ctx, cancel := context.WithTimeout(ctx, dialMost)
	defer cancel()
	target, err := d.Dial(ctx, l.door.Target)
	if err != nil {
		d.Keep(ctx, v.record(l.door, audit.MinorFailure, l.door.text()+": it does not answer"))
		return nil, fault.Newf(fault.Unavailable, "maintenance: %s does not answer: %v", l.door.Target, err)
	}

	if err := d.Record(ctx, v.record(l.door, audit.Success, "connected, "+l.door.text())); err != nil {
		target.Close()
		return nil, fmt.Errorf("maintenance: nothing is carried, because that cannot be recorded: %w", err)
	}
	return &Connection{live: l, visitor: v, target: target, began: d.Now()}, nil
}

// Abandon ends a connection that carries nothing.
func (c *Connection) Abandon() {
	c.target.Close()
	c.done(Traffic{}, "the client was gone")
}

// Carry carries a connection until one side or the door ends, and closes both.
func (c *Connection) Carry(client net.Conn) {
	t, why := Carry(client, c.target, c.live.over, idleMost)
	if why == "" {
		why = c.live.why
	}
	c.done(t, why)
}

func (c *Connection) done(t Traffic, why string) {
	l := c.live
	t.Connections = 1
	l.mu.Lock()
	l.traffic.add(t)
	l.mu.Unlock()

	took := l.doors.Now().Sub(c.began).Round(time.Second)
	l.doors.Keep(context.Background(), c.visitor.record(l.door, audit.Success,
		fmt.Sprintf("carried, %s: %s in %s; %s", l.door.text(), t.bytes(), took, why)))
	l.leave()
}

// Traffic is what was carried, in bytes.
type Traffic struct {
	Connections int
	ToTarget    int64
	FromTarget  int64
}

func (t *Traffic) add(more Traffic) {
	t.Connections += more.Connections
	t.ToTarget += more.ToTarget
	t.FromTarget += more.FromTarget
}

func (t Traffic) bytes() string {
	return fmt.Sprintf("%d bytes to the target, %d from it", t.ToTarget, t.FromTarget)
}

// String says what was carried.
func (t Traffic) String() string {
	return phrase.Count(t.Connections, "connection", "connections") + ", " + t.bytes()
}
