// Package maintenance makes doors for whoever maintains a system behind a route: TCP
// to one address, for one registered person with a second factor, within a time. A
// door listens nowhere. The client of the person comes to the HTTPS listener that is
// there anyway, signs in, shows a code that counts once, and each of its connections
// is carried inside that TLS. Who came, when, from where, how much went each way and
// why it ended is recorded; what went through is neither kept nor looked at.
//
// It does not sign anybody in, and does not decide who may: it asks.
package maintenance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/registers"
	"collimator/internal/state"
)

// Bounds of doors.
const (
	// MinutesMost is the longest that a door is there.
	MinutesMost = 480
	// doorsMost is how many are there at a time.
	doorsMost = 16
	// connectionsMost is how many connections one door carries at a time: a viewer
	// that comes again does not wait for the end of what it had before.
	connectionsMost = 8
	// endedKept is how long an ended door stays in the list; the trail has it for longer.
	endedKept = 30 * 24 * time.Hour
	// dialMost is how long the target may take to answer.
	dialMost = 10 * time.Second
	// idleMost is how long a connection may carry nothing.
	idleMost = 30 * time.Minute
	// silentMost is how long the client may not be heard of, which asks every AskEvery.
	silentMost = 2 * time.Minute
	// clockMost is how far the clock may be set back, as it is to keep the time.
	clockMost = time.Minute
	// lookEvery is how often it is looked whether the right to a door still is.
	lookEvery = 500 * time.Millisecond
)

// AskEvery is how often a client asks whether its door is still there.
const AskEvery = 20 * time.Second

// Door is one door, as it is registered.
type Door struct {
	Number int64  `json:"number"`
	Route  string `json:"route"`
	// Target is the IP address and port that is reached.
	Target netip.AddrPort `json:"target"`
	// Elsewhere: the target is not the system behind the route, and was named twice.
	Elsewhere bool      `json:"elsewhere,omitempty"`
	Person    string    `json:"for"`
	Opener    string    `json:"openedBy"`
	Opened    time.Time `json:"opened"`
	Until     time.Time `json:"until"`
	// Claimed is when the code was shown, and Address from where; zero before that.
	Claimed time.Time `json:"claimed,omitzero"`
	Address string    `json:"address,omitempty"`
	// Ended is when it closed, and Why; zero while it is there.
	Ended time.Time `json:"ended,omitzero"`
	Why   string    `json:"why,omitempty"`

	session string
}

// Order is what somebody asks a door for.
type Order struct {
	Route string
	// To is the target, IP:PORT. Where it is not an address of the system behind the
	// route, Elsewhere has to be the same again.
	To, Elsewhere string
	Person        string
	Minutes       int
	// Opener is who asks.
	Opener string
}

// Options are the parts of Doors; Log, States, Dial and Now may be left out.
type Options struct {
	DB        *db.DB
	Registers *registers.Book
	// Place is what stands behind a route; it fails where the route is gone or closed.
	Place func(ctx context.Context, route string) (Place, error)
	// May fails for a person who may not come through a door.
	May func(ctx context.Context, person string) error
	// Running reports whether a session still runs.
	Running func(ctx context.Context, session string) (bool, error)
	// Record writes a record now, or fails; Keep writes one now or later.
	Record func(ctx context.Context, r audit.Record) error
	Keep   func(ctx context.Context, r audit.Record)
	// Own are the ports on which this server listens.
	Own []uint16
	// Dial opens a connection to a target; nil is TCP.
	Dial   func(ctx context.Context, target netip.AddrPort) (net.Conn, error)
	States *state.Register
	Log    *slog.Logger
	Now    func() time.Time
}

// Doors are the doors of an installation. Safe for concurrent use. In a process that
// is not the server it opens, lists and shuts them, which the server sees.
type Doors struct {
	Options
	addresses func() ([]netip.Addr, error) // of this machine

	mu     sync.Mutex
	live   map[int64]*live // in which somebody is
	closed bool
	before bool             // doors of a server that ran before have not been ended
	unkept map[int64]string // why doors ended of which that is recorded, but not registered yet
	going  sync.WaitGroup
}

// New makes the doors over a register. In a server Begin comes first, Run has to run,
// and Close to be called in the end.
func New(o Options) *Doors {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dial == nil {
		o.Dial = dialTCP
	}
	return &Doors{Options: o, addresses: ownAddresses, live: map[int64]*live{}, unkept: map[int64]string{}}
}

func dialTCP(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", target.String())
}

// The refusals.
var (
	errCode = fault.NewCode(fault.Denied, "door-code",
		"maintenance: the code does not count: it is of another person or door, was shown before, or its time is over; ask for another one")
	errNoDoor = fault.NewCode(fault.NotFound, "door-over", "maintenance: this session has no door, or it is over")
	errFactor = fault.NewCode(fault.Denied, "second-factor",
		"maintenance: a door needs a second factor, and this session has shown none")
	errFull     = fault.Newf(fault.Busy, "maintenance: %d doors are open; shut one first: 'collimator gate doors'", doorsMost)
	errCrowded  = fault.Newf(fault.Busy, "maintenance: the door carries %d connections; end one first", connectionsMost)
	errNumber   = fault.New(fault.NotFound, "maintenance: no door of this number is open; see 'collimator gate doors'")
	errStopping = fault.New(fault.Unavailable, "maintenance: the server stops")
	errBefore   = fault.New(fault.Unavailable, "maintenance: doors from before the start of the server cannot be ended, so nobody is let in; "+
		"the disk is full or fails: 'collimator doctor' there says more")
)

// Begin ends the doors of a server that ran before: none survives a restart. It is
// called before anybody is let in. Where it fails, nobody is let in until Run could.
func (d *Doors) Begin(ctx context.Context) error {
	list, err := d.open(ctx)
	for _, x := range list {
		err = errors.Join(err, d.expire(ctx, x, "the server was started anew"))
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = err != nil
	return err
}

// ready fails while doors from before are there.
func (d *Doors) ready() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.before {
		return errBefore
	}
	return nil
}

// Run ends doors through which nobody has come when their time is over or the right to
// them has ended, and says how doors are, until ctx ends.
func (d *Doors) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	said := ""
	for {
		err := d.look(ctx)
		if now := fmt.Sprint(err); err != nil && ctx.Err() == nil && now != said {
			said = now // once, not with each look
			d.Log.Error("maintenance doors not looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look looks once at all doors.
func (d *Doors) look(ctx context.Context) error {
	if d.ready() != nil {
		if err := d.Begin(ctx); err != nil {
			return err
		}
	}
	err := d.register(ctx)
	list, unread := d.open(ctx)
	if unread != nil {
		return unread
	}

	d.tell(list)
	for _, x := range list {
		if !x.Claimed.IsZero() { // looks itself
			continue
		}
		if why := d.reason(ctx, x); why != "" {
			err = errors.Join(err, d.expire(ctx, x, why))
		}
	}
	return err
}

// register writes down the ends of doors that could not be at that time.
func (d *Doors) register(ctx context.Context) (err error) {
	d.mu.Lock()
	late := maps.Clone(d.unkept)
	d.mu.Unlock()
	for number, why := range late {
		if _, failed := d.finish(ctx, number, why); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		d.mu.Lock()
		delete(d.unkept, number)
		d.mu.Unlock()
	}
	return err
}

// reason is why a door is over; empty while it is not. What cannot be looked up is a
// reason.
func (d *Doors) reason(ctx context.Context, x Door) string {
	if !d.Now().Before(x.Until) {
		return "its time is over"
	}
	if d.Now().Add(clockMost).Before(x.Opened) {
		return "the clock was set back behind its opening"
	}
	if err := d.May(ctx, x.Person); err != nil {
		return x.Person + " may not come any more: " + fault.Text(err)
	}
	if err := d.reaches(ctx, x); err != nil {
		return fault.Text(err)
	}
	return ""
}

// Close ends all doors in which somebody is, and waits for them.
func (d *Doors) Close() {
	d.mu.Lock()
	d.closed = true
	all := make([]*live, 0, len(d.live))
	for _, l := range d.live {
		all = append(all, l)
	}
	d.mu.Unlock()

	for _, l := range all {
		l.end("the server stops")
	}
	d.going.Wait()
}
