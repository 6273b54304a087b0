// Package house opens a configuration and serves it. An Installation is an open
// data directory with its index, ledger, keys and registers; a Server is
// everything that runs over one: the doors, the archive, the trail, what watches.
// Commands, tests, benchmarks and the demonstration start the same thing in
// process. What somebody asks for at a command line runs here on an open
// installation, with its record; flags, tables and exit codes are the command's. It
// prints nothing by itself: what people read is told by callbacks and states, and a
// result prints itself where it is asked to.
package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/inventory"
	"collimator/internal/ledger"
	"collimator/internal/policy"
	"collimator/internal/registers"
	"collimator/internal/reserve"
	"collimator/internal/state"
)

// Places in the data directory.
const (
	IndexFile = "index.db"
	KeysDir   = "keys"
	BlobsDir  = "blobs"

	// LedgerName is the origin of the ledger's checkpoints.
	LedgerName = "collimator/ledger"
)

// Installation is an open data directory without its images: what the
// commands that change the registers need.
type Installation struct {
	Config    config.Config
	DB        *db.DB
	Authority *identity.Authority
	Registers *registers.Book
	Registry  *identity.Registry
	Inventory *inventory.Register
	Ledger    *ledger.Log
	LedgerKey *ledger.Key
	Trail     *audit.Trail
	states    *state.Register // of a server that runs in this process; nil for a command
	Copied    string          // the copy of the index that was made before it was changed; empty for none

	// LookEvery is how often a server looks at what other commands change: devices that
	// may come without TLS or without a certificate, and the routes of the gate; 0 leaves
	// it to each of them.
	LookEvery time.Duration
}

// Open opens the data directory, and makes it when create is set.
func Open(ctx context.Context, c config.Config, create bool) (*Installation, error) {
	if err := checkIndex(c.Data); err != nil {
		return nil, err
	}
	if err := reserve.Relieve(c.Data); err != nil {
		return nil, err
	}
	if !create {
		if _, err := os.Stat(filepath.Join(c.Data, IndexFile)); err != nil {
			return nil, fault.Usage("%s is not a data directory yet; "+
				"make it with 'collimator init --data %s --admin NAME' or 'collimator serve --data %s', "+
				"or name another with --data", c.Data, c.Data, c.Data)
		}
	}

	in, err := OpenParts(ctx, c, alone)
	if db.Damaged(err) {
		err = fmt.Errorf("%s is damaged, nothing was changed: put it back from a backup, or build it anew, collimator reindex --data %s "+
			"(docs/operate.md, \"The index is gone\"): %w", filepath.Join(c.Data, IndexFile), c.Data, err)
	}

	return in, err
}

// OpenParts opens the index and the keys, and makes what is missing of them. lock
// is taken while the index is changed for this version.
func OpenParts(ctx context.Context, c config.Config, lock locking) (_ *Installation, err error) {
	keys := filepath.Join(c.Data, KeysDir)
	if err := durable.Directory(keys); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}

	// A killed command may have left a key without a durable name, and the rest
	// of one without a name.
	durable.Sweep(keys, time.Minute)
	if err := durable.Sync(keys); err != nil {
		return nil, fmt.Errorf("make the keys durable: %w", err)
	}

	change := &changing{dir: c.Data, lock: lock}
	defer func() { err = errors.Join(err, change.end()) }()

	copied := ""
	d, err := db.Open(ctx, db.Options{
		Path: filepath.Join(c.Data, IndexFile), Failed: diskFailed,
		Changing: change.begin, Copied: func(path string) { copied = path },
	})
	if err != nil {
		return nil, err
	}

	a, err := identity.OpenAuthority(keys, time.Now)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	key, err := ledger.OpenKey(keys, LedgerName)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}

	log := ledger.New(d, key)
	book := registers.New(d, log)
	people := identity.New(d, book, time.Now)
	people.GroupsFrom(c.SignIn.OIDC.Issuer, c.SignIn.OIDC.GroupClaim)
	if err := seal(ctx, book, log, change); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Installation{
		Config:    c,
		Ledger:    log,
		LedgerKey: key,
		DB:        d,
		Authority: a,
		Registers: book,
		Registry:  people,
		Inventory: inventory.New(d, time.Now),
		Trail:     audit.New(d, log, time.Now),
		Copied:    copied,
	}, nil
}

// locking takes a lock of a data directory; nil stands for who holds it already.
type locking func(dir string) (*os.File, error)

// changing holds the lock while the index is changed for this version.
type changing struct {
	dir  string
	lock locking
	held *os.File
}

func (c *changing) begin() (err error) {
	if c.lock == nil || c.held != nil {
		return nil
	}
	c.held, err = c.lock(c.dir)
	return err
}

func (c *changing) end() error {
	if c.held == nil {
		return nil
	}
	return c.held.Close()
}

// seal begins the coverage of registers that this version is the first to cover.
// A server of an older one would go on to write them past the ledger; in a new
// data directory there is none.
func seal(ctx context.Context, book *registers.Book, log *ledger.Log, change *changing) error {
	pending, err := book.Pending(ctx)
	if err != nil || !pending {
		return err
	}

	_, err = log.Checkpoint(ctx)
	if err == nil {
		err = change.begin()
	}
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	return book.Seal(ctx)
}

// diskFailed ends the process where the disk lost what was written to the index.
// Nothing may be closed or acknowledged any more: all that was is in the log.
func diskFailed(err error) {
	fmt.Fprintf(os.Stderr, "collimator: %s could not be written to disk: %v. "+
		"All that was acknowledged is whole in %s-wal, and the next start "+
		"takes it from there. Look at the disk, end every other collimator command on this data directory, "+
		"keep both files, and start again.\n",
		IndexFile, err, IndexFile)
	os.Exit(1)
}

func (in *Installation) Close() error { return in.DB.Close() }

// recordMost is how long a record may take that is written after an interruption.
const recordMost = 10 * time.Second

// Record writes down what a command did, or somebody by the JSON API. What was done is recorded also where the
// command was interrupted meanwhile.
func (in *Installation) Record(ctx context.Context, r audit.Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordMost)
	defer cancel()
	return in.Trail.Write(ctx, attributed(ctx, r))
}

// attributed says in a record who did it: whoever asks within a request, else who runs the command.
func attributed(ctx context.Context, r audit.Record) audit.Record {
	x, ok := guard.Entry(ctx, r.Event, r.Action, r.Outcome, r.Reason)
	if !ok {
		r.Door, r.Kind, r.Principal = audit.DoorCommand, string(policy.Person), Operator()
		return r
	}
	x.Objects = append(x.Objects, r.Objects...)
	x.Code = r.Code
	x.Peer.CalledAETitle = r.Peer.CalledAETitle
	return x
}

// Operator is the account that runs the command.
func Operator() string {
	u, err := user.Current()
	if err != nil {
		return fmt.Sprintf("uid %d", os.Getuid())
	}
	return u.Username
}

// Note is Record for what a person did to something: the event and what it was.
func (in *Installation) Note(ctx context.Context, event audit.Event, action audit.Action, objects ...audit.Object) error {
	return in.Record(ctx, audit.Record{Event: event, Action: action, Objects: objects})
}

// CopiedText tells of a copy of the index that was made before it was changed.
func CopiedText(path string) string {
	return fmt.Sprintf("the index was changed for this version; %s is as it was before, for a way back (docs/operate.md, \"Roll back\"). "+
		"Remove it when you need none", path)
}
