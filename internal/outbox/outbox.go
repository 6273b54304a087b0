// Package outbox keeps what has to arrive elsewhere until it has: an object on the
// disk, encrypted, and a row. It sends in the order of each study, tries again with
// growing pauses, asks for storage commitment (PS3.4 J), and drops an object when
// the destination said that it has it. It knows nothing of routes, and judges no
// object; whoever hands it one says how the destination is reached.
package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/recovery"
	"collimator/internal/state"
)

// Dir is where the objects are, in the data directory, and KeyFile is the name of the key they
// are sealed with, in the directory of the keys.
const (
	Dir     = "outbox"
	KeyFile = "outbox.key"
)

// Options are the parts of an Outbox; all but States, Room and Handed are needed.
type Options struct {
	DB *db.DB
	// Dir is where objects are kept, and Keys where the key to them is, which is made
	// where there is none.
	Dir, Keys string
	Limits    Limits
	// Room fails where the disk has none for further objects.
	Room func() error
	// Handed is told in the transaction in which an object is dropped, because the
	// destination has it; its error keeps it.
	Handed func(ctx context.Context, tx *db.Tx, list []Item) error
	States *state.Register
	Log    *slog.Logger
	Now    func() time.Time
}

// Limits bound what waits. A zero field takes the default named with it.
type Limits struct {
	// Items is the most objects of one destination; default 1,000,000.
	Items int64
	// Bytes is the most bytes of one destination; default 512 GiB.
	Bytes int64
	// Old is how long an object may wait before somebody is told, and VeryOld before
	// that is an alarm; defaults 1 and 24 hours.
	Old, VeryOld time.Duration
	// Many is how many objects may wait before somebody is told; default 20,000.
	Many int64
}

func (l Limits) withDefaults() Limits {
	l.Items = positive(l.Items, 1_000_000)
	l.Bytes = positive(l.Bytes, 512<<30)
	l.Old = positive(l.Old, time.Hour)
	l.VeryOld = positive(l.VeryOld, 24*time.Hour)
	l.Many = positive(l.Many, 20_000)
	return l
}

func positive[T int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Commit says whether a destination is asked for storage commitment.
type Commit string

// How it is asked.
const (
	Required  Commit = "required"   // it has to commit
	IfOffered Commit = "if-offered" // where it takes requests for it
	No        Commit = "no"         // what it stored counts as kept
)

// Way is how a destination is reached.
type Way struct {
	// Target is where it leads. What came while it led elsewhere does not go there:
	// Redirect has it sent.
	Target string
	// Open opens an association on which the contexts are proposed. Reports of storage
	// commitment on it, or on another one, are given to Outbox.Report.
	Open   func(ctx context.Context, contexts []ul.ProposedContext) (Session, error)
	Commit Commit
	// Mark tells ways to one destination apart: of the same mark they are the same way.
	Mark string
}

// Session is an association to a destination: a *dimse.Association.
type Session interface {
	Contexts() []dimse.PresentationContext
	Store(context.Context, dimse.StoreRequest) (dimse.Status, error)
	NAction(context.Context, dimse.NRequest) (dimse.NResponse, error)
	Release(context.Context) error
	Abort()
}

var _ Session = (*dimse.Association)(nil)

// Outbox is safe for concurrent use. Run has to run for anything to be sent.
type Outbox struct {
	Options
	key *recovery.Key

	setting sync.Mutex // of ways, one after another

	mu      sync.Mutex
	ways    map[string]*courier
	running context.Context // of Run; nil before and after
	wake    chan struct{}   // something was reported or dropped
}

// New opens an outbox over what is there. Objects without a file are set aside: a
// backup has rows and no objects.
func New(ctx context.Context, o Options) (*Outbox, error) {
	o.Limits = o.Limits.withDefaults()
	if err := durable.Directory(o.Dir); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "outbox: make its directory")
	}
	key, err := openKey(filepath.Join(o.Keys, KeyFile))
	if err != nil {
		return nil, err
	}

	b := &Outbox{Options: o, key: key, ways: map[string]*courier{}, wake: make(chan struct{}, 1)}
	if err := b.tidy(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// Set says how destinations are reached from now on. What is under way on a way that
// is not there any more, or is another one, ends at once; what waits for it stays.
func (b *Outbox) Set(ways map[string]Way) {
	b.setting.Lock()
	defer b.setting.Unlock()
	b.mu.Lock()
	var ended []*courier
	for name, c := range b.ways {
		if way, still := ways[name]; !still || way.Mark != c.way.Mark {
			ended = append(ended, c)
			delete(b.ways, name)
		}
	}
	b.mu.Unlock()
	for _, c := range ended { // before another one begins: two would send the same, in any order
		c.end()
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	for name, way := range ways {
		if b.ways[name] == nil {
			c := &courier{b: b, name: name, way: way, wake: make(chan struct{}, 1), done: make(chan struct{})}
			b.ways[name] = c
			if b.running != nil {
				c.start(b.running)
			}
		}
	}
}

// Run sends until ctx ends.
func (b *Outbox) Run(ctx context.Context) {
	b.mu.Lock()
	b.running = ctx
	for _, c := range b.ways {
		c.start(ctx)
	}
	b.mu.Unlock()

	b.watch(ctx)
	b.mu.Lock()
	b.running = nil
	list := make([]*courier, 0, len(b.ways))
	for _, c := range b.ways {
		list = append(list, c)
	}
	b.mu.Unlock()
	for _, c := range list {
		c.end()
	}
}

// Woken tells when something was dropped or set aside, or may have been.
func (b *Outbox) Woken() <-chan struct{} { return b.wake }

func (b *Outbox) awake() { nudge(b.wake) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// nudgeWay has what is due for a destination sent.
func (b *Outbox) nudgeWay(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.ways[name]; c != nil {
		nudge(c.wake)
	}
}

// failed wraps an error of the index or of the disk.
func failed(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("outbox: %s: %w", doing, err)
}
