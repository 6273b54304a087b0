package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// sqlite is the dialect of the embedded database. This file is the only one
// that imports its driver.
type sqlite struct{}

var _ dialect = sqlite{}

// openSQLite opens the pools of the writing and of the reading connections.
// The file belongs to its owner alone: it holds patient data.
func openSQLite(o Options, log *writeAheadLog) (w, r *sql.DB, err error) {
	// The driver would make the shared-memory file readable for everybody; the
	// log takes the mode of the file named by modeof.
	for _, name := range []string{o.Path, o.Path + "-shm"} {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return nil, nil, fault.Wrap(fault.Unavailable, err, "db: open database file")
		}
	}

	log.sync = func() error { return durable.Sync(o.Path) }
	registerRoom()
	open := func(lock string, n int, pragmas ...string) (*sql.DB, error) {
		query := url.Values{"_txlock": {lock}, "modeof": {o.Path}, "vfs": {roomName}}
		dsn := url.URL{
			Scheme: "file", OmitHost: true, Path: filepath.ToSlash(o.Path),
			RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20"),
		}

		pool, err := driver.Open(dsn.String(), func(c *sqlite3.Conn) error {
			for _, p := range pragmas {
				if err := c.Exec("PRAGMA " + p); err != nil {
					return err
				}
			}

			// The last connection that closes makes a checkpoint: let it be the writing
			// one, which is closed last and of which we know whether it may.
			if lock != "immediate" {
				_, err := c.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
				return err
			}

			c.WALHook(func(_ *sqlite3.Conn, _ string, frames int) error {
				log.frames.Store(int64(frames))
				return nil
			})
			return nil
		})
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "db: open database")
		}
		pool.SetMaxOpenConns(n)
		pool.SetMaxIdleConns(n)
		return pool, nil
	}

	busy := fmt.Sprintf("busy_timeout(%d)", o.BusyTimeout.Milliseconds())
	synchronous := "synchronous(full)"
	if o.Scratch {
		synchronous = "synchronous(off)"
	}

	w, err = open("immediate", 1,
		busy, "journal_mode(wal)", synchronous, "wal_autocheckpoint(0)", "foreign_keys(on)", "trusted_schema(off)",
		"temp_store(memory)", "cache_size(-32000)", "journal_size_limit(16777216)",
		"secure_delete(on)") // what was deleted is written over, names of patients among it
	if err != nil {
		return nil, nil, err
	}

	r, err = open("deferred", o.Readers,
		busy, "wal_autocheckpoint(0)", "foreign_keys(on)", "trusted_schema(off)",
		"temp_store(memory)", "cache_size(-16000)", "query_only(on)")
	if err != nil {
		return nil, nil, errors.Join(err, w.Close())
	}

	return w, r, nil
}

func (sqlite) name() string                { return "sqlite" }
func (sqlite) rewrite(query string) string { return query }
func (sqlite) ddl(script string) string    { return script }
func (sqlite) check() string               { return "PRAGMA quick_check(1)" }

func (sqlite) schema() string {
	return `SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_schema
		WHERE name <> 'sqlite_sequence' AND name NOT LIKE 'sqlite\_stat%' ESCAPE '\' ORDER BY type, name`
}

// made runs the scripts in a database in memory, which is gone when it returns.
func (d sqlite) made(ctx context.Context, scripts []string) (list []object, err error) {
	pool, err := driver.Open(":memory:", nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()

	pool.SetMaxOpenConns(1) // each connection has a memory of its own

	for _, script := range scripts {
		if _, err := pool.ExecContext(ctx, script); err != nil {
			return nil, err
		}
	}

	rows, err := pool.QueryContext(ctx, d.schema())
	if err != nil {
		return nil, err
	}
	defer rows.Close()

	for rows.Next() {
		o, err := scanObject(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}

	return list, rows.Err()
}

func (sqlite) begin(write bool) string {
	if write {
		return "BEGIN IMMEDIATE"
	}
	return "BEGIN"
}

func (sqlite) glob(column, placeholder string) string { return column + " GLOB " + placeholder }

// pattern keeps * and ?, which mean the same to GLOB, and takes the bracket its
// meaning.
func (sqlite) pattern(p string) string { return strings.ReplaceAll(p, "[", "[[]") }

// checkpoint copies frames of the log. Where readers or another process stand in
// the way it does a part of it, or nothing, which is not an error; nor is a full
// disk: SQLite then counts nothing as copied and the next checkpoint repeats it.
func (d sqlite) checkpoint(s *session, wait time.Duration) (all bool, err error) {
	err = s.conn.Raw(func(raw any) error {
		c := raw.(driver.Conn).Raw()

		mode := sqlite3.CHECKPOINT_PASSIVE
		if wait > 0 {
			mode = sqlite3.CHECKPOINT_RESTART
			if err := c.BusyTimeout(wait); err != nil {
				return err
			}
		}

		frames, copied, err := c.WALCheckpoint("main", mode)
		all = frames == copied

		if wait > 0 {
			return errors.Join(err, c.BusyTimeout(s.busy))
		}
		return err
	})
	if fatalCheckpoint(err) {
		return false, d.fault(err, "db: checkpoint")
	}
	return all, nil
}

// fatalCheckpoint reports that the database file may lack what was written to it.
func fatalCheckpoint(err error) bool {
	if err == nil {
		return false
	}
	code, _ := errors.AsType[sqlite3.ErrorCode](err)
	return code != sqlite3.BUSY && code != sqlite3.LOCKED && code != sqlite3.FULL
}

func (d sqlite) keepLog(s *session) error {
	return s.conn.Raw(func(raw any) error {
		_, err := raw.(driver.Conn).Raw().Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
		return err
	})
}

func (sqlite) fault(err error, text string) error {
	if err == nil {
		return nil
	}

	code, ok := errors.AsType[sqlite3.ErrorCode](err)
	if !ok {
		return fmt.Errorf("%s: %w", text, err)
	}

	kind := fault.Internal
	switch code {
	case sqlite3.BUSY, sqlite3.LOCKED:
		kind = fault.Busy
	case sqlite3.FULL, sqlite3.IOERR, sqlite3.READONLY, sqlite3.CANTOPEN, sqlite3.NOMEM:
		kind = fault.Unavailable
	case sqlite3.CONSTRAINT:
		kind = fault.Conflict
	case sqlite3.TOOBIG:
		kind = fault.TooLarge
	case sqlite3.INTERRUPT:
		kind = fault.Canceled
	}

	return fault.Wrap(kind, err, text)
}

func (sqlite) hasTable(ctx context.Context, tx *Tx, name string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1`, name).Scan(&n)

	return n > 0, err
}

// openReader opens a file that does not change, without locks and without a log.
func openReader(path string, n int) (*sql.DB, error) {
	query := url.Values{"immutable": {"1"}, "mode": {"ro"}}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: query.Encode()}

	pool, err := driver.Open(dsn.String(), func(c *sqlite3.Conn) error { return c.Exec("PRAGMA query_only(on)") })
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "db: open copy")
	}

	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)

	return pool, nil
}

// copyInto writes the database into an empty file by a connection of its own:
// the others are for one transaction each, in which VACUUM is not allowed.
func (d *DB) copyInto(ctx context.Context, path string) error {
	dsn := url.URL{
		Scheme: "file", OmitHost: true, Path: filepath.ToSlash(d.path),
		RawQuery: "vfs=" + roomName + "&modeof=" + url.QueryEscape(d.path),
	}

	pool, err := driver.Open(dsn.String(), func(c *sqlite3.Conn) error {
		// Checkpoints are ours (checkpoint.go), also when this connection closes.
		if _, err := c.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true); err != nil {
			return err
		}

		return errors.Join(c.Exec("PRAGMA busy_timeout(10000)"), c.Exec("PRAGMA wal_autocheckpoint(0)"))
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "db: open database")
	}
	pool.SetMaxOpenConns(1)

	_, err = pool.ExecContext(ctx, `VACUUM INTO ?1`, path)

	return errors.Join(gaveUp(ctx, d.dialect.fault(err, "db: copy")), pool.Close())
}

// Damaged reports an error that says of the file itself that it is not a
// database, or a broken one. A disk that fails or is full is none of these.
func Damaged(err error) bool {
	code, _ := errors.AsType[sqlite3.ErrorCode](err)

	return code == sqlite3.CORRUPT || code == sqlite3.NOTADB || errors.Is(err, errIntegrity)
}
