// Package db opens the database and brings its schema up to date. It hands out
// transactions and keeps prepared statements; it knows nothing of what is
// stored. Statements are written once, with the placeholders ?1, ?2 and so on;
// a dialect turns them into what the database at hand understands. SQLite is
// the embedded default: one file in WAL mode, one writing connection and a
// small pool of reading ones. Several processes may have the same file open.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Options says where the database is. Exactly one of Path and URL is needed.
type Options struct {
	Path        string        // file of the embedded database, made when missing
	URL         string        // postgres://… of a server; not supported yet
	Readers     int           // reading connections; 0 means 4
	BusyTimeout time.Duration // how long to wait for another process's write; 0 means 10 s
	Scratch     bool          // what is in it is made anew after a crash: nothing is synced

	// Copied is told the name of the copy that was made before migrations changed
	// a database that is in use. It may be nil.
	Copied func(path string)

	// Changing is asked before migrations change a database that is in use; where
	// it returns an error nothing is changed, and Open gives that. It may be nil.
	Changing func() error

	// Failed is told, once, that the disk lost what a checkpoint wrote. Nothing
	// can be read or written from then on. What was committed is whole in the
	// log, and the next process to open the database takes it from there: end
	// this one, without Close.
	Failed func(error)
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect dialect
	path    string
	log     writeAheadLog
	share   *share // nil: the database is this process's alone
	copied  bool   // a copy, which is only read
	made    schemas
	pools   []*sql.DB
	writer  chan *session // holds the one writing connection when it is free
	readers sessions
	closed  chan struct{}
}

// Open opens the database, makes it when it is missing, and applies the
// migrations it has not seen. It blocks while another process migrates.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.URL != "" {
		return nil, fault.New(fault.Unsupported, "db: database servers are not supported yet; give a file")
	}
	if o.Path == "" {
		return nil, fault.New(fault.Invalid, "db: no database file given")
	}

	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 10 * time.Second
	}

	d := &DB{
		dialect: sqlite{},
		path:    o.Path,
		log:     writeAheadLog{tell: o.Failed, wait: restartWait},
		writer:  make(chan *session, 1),
		readers: newSessions(o.Readers),
		closed:  make(chan struct{}),
	}

	if err := durable.Directory(filepath.Dir(o.Path)); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "db: make directory")
	}

	if !o.Scratch {
		s, err := openShare(o.Path)
		if err != nil {
			return nil, err
		}
		d.share = s
	}

	w, r, err := openSQLite(o, &d.log)
	if err != nil {
		return nil, errors.Join(err, d.unshare())
	}

	d.pools = []*sql.DB{r, w} // in the order in which they are closed
	d.writer <- newSession(w, d.dialect, true, o.BusyTimeout)
	for range o.Readers {
		d.readers.fresh <- newSession(r, d.dialect, false, o.BusyTimeout)
	}

	if err := d.migrate(ctx, o); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close waits for the transactions that run and closes the connections.
func (d *DB) Close() error {
	select {
	case <-d.closed:
		return nil
	default:
		close(d.closed)
	}

	var errs []error
	for range cap(d.readers.fresh) {
		select {
		case s := <-d.readers.used:
			errs = append(errs, s.close())
		case s := <-d.readers.fresh:
			errs = append(errs, s.close())
		}
	}

	if !d.copied {
		errs = append(errs, d.closeWriter(<-d.writer))
	}

	for _, p := range d.pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(append(errs, d.unshare())...)
}

func (d *DB) unshare() error {
	if d.share == nil {
		return nil
	}
	return d.share.close()
}

// Write runs f in a transaction that may write, and commits it when f returns
// nil; the changes are durable when Write returns nil. Only one runs at a time
// in a process. f must not keep tx, nor call Write. When ctx ends before, the
// error is the context's.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	if d.copied {
		return errCopy
	}

	return d.run(ctx, sessions{used: d.writer}, f, d.checkpointDue)
}

// Read runs f in a transaction that sees one state of the database and cannot
// change it. It holds one of a few connections: f must not wait for a peer.
func (d *DB) Read(ctx context.Context, f func(tx *Tx) error) error {
	return d.run(ctx, d.readers, f, nil)
}

// run runs f on a connection of a pool and gives the connection back. then, which
// may be nil, runs on it after the commit; it cannot fail the transaction any more.
func (d *DB) run(ctx context.Context, pool sessions, f func(tx *Tx) error, then func(*session)) error {
	s, err := pool.take(ctx, d.closed)
	if err != nil {
		return err
	}
	defer func() { pool.used <- s }()

	select {
	case <-d.closed:
		return errClosed
	default:
	}

	if err := d.usable(); err != nil {
		return err
	}

	if err := s.run(ctx, f); err != nil {
		return gaveUp(ctx, err)
	}

	// What was committed is durable in the log, whatever becomes of the rest.
	if then != nil {
		then(s)
	}
	return nil
}

// gaveUp gives an interruption the context's own error, which callers test for:
// a driver only says that it was interrupted.
func gaveUp(ctx context.Context, err error) error {
	if ctx.Err() == nil || fault.Of(err) != fault.Canceled || errors.Is(err, ctx.Err()) {
		return err
	}
	return fault.Wrap(fault.Canceled, ctx.Err(), "db: interrupted")
}

var errClosed = fault.New(fault.Unavailable, "db: database is closed")

// Glob is the SQL condition that column matches the pattern bound to the
// placeholder; the value to bind is made by Pattern. Case matters.
func (d *DB) Glob(column, placeholder string) string { return d.dialect.glob(column, placeholder) }

// Pattern turns a pattern in which * stands for any characters and ? for one
// (PS3.4 C.2.2.2.4) into the value Glob's placeholder is bound to. Every other
// character stands for itself.
func (d *DB) Pattern(p string) string { return d.dialect.pattern(p) }

// Dialect is the name of the SQL dialect, for logs.
func (d *DB) Dialect() string { return d.dialect.name() }

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	return d.Read(ctx, func(tx *Tx) error {
		var one int
		return tx.QueryRow(ctx, `SELECT 1`).Scan(&one)
	})
}

// errIntegrity is what Check found wrong.
var errIntegrity = errors.New("db: integrity check")

// Check asks the database to look itself over; nil means it found no fault.
func (d *DB) Check(ctx context.Context) error {
	return d.Read(ctx, func(tx *Tx) error {
		var s string
		if err := tx.QueryRow(ctx, d.dialect.check()).Scan(&s); err != nil {
			return err
		}

		if s != "ok" {
			return fmt.Errorf("%w: %s", errIntegrity, s)
		}
		return nil
	})
}
