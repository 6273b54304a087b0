package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"collimator/internal/fault"
)

// maxStatements bounds the prepared statements a connection keeps. Further
// ones are prepared each time.
const maxStatements = 256

// session is one connection and its prepared statements. It is used by one
// goroutine at a time. The transaction is begun and ended by statements of our
// own, because database/sql prepares a statement anew for each sql.Tx.
type session struct {
	pool    *sql.DB
	dialect dialect
	write   bool
	busy    time.Duration // how long to wait for a lock
	conn    *sql.Conn     // nil until first used, and after it was lost
	stmts   map[string]*stmt
}

type stmt struct {
	*sql.Stmt
	busy bool // rows of it are open
}

func newSession(pool *sql.DB, d dialect, write bool, busy time.Duration) *session {
	return &session{pool: pool, dialect: d, write: write, busy: busy, stmts: map[string]*stmt{}}
}

func (s *session) run(ctx context.Context, f func(*Tx) error) (err error) {
	if err := s.begin(ctx); err != nil {
		return err
	}

	done := false
	defer func() {
		if done {
			return
		}
		// Also after a panic of f. Where the database already rolled back, this
		// fails and changes nothing.
		if _, e := s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); e != nil && errors.Is(e, driver.ErrBadConn) {
			err = s.lost(err)
		}
	}()

	if err := f(&Tx{s: s}); err != nil {
		return err
	}

	// From here on the outcome is the database's: a caller who gives up now
	// must not leave it open whether the transaction took place.
	if _, err := s.conn.ExecContext(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		return s.lost(s.dialect.fault(err, "db: commit"))
	}

	done = true
	return nil
}

// begin connects where there is no connection and begins a transaction. The
// database's own busy timeout does not cover everything that happens while
// several processes make or recover the same file, so what is locked is tried
// again until the same time is over.
func (s *session) begin(ctx context.Context) error {
	deadline := time.Now().Add(s.busy)
	for {
		err := s.tryBegin(ctx)
		if fault.Of(err) != fault.Busy || time.Now().After(deadline) {
			return err
		}

		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (s *session) tryBegin(ctx context.Context) (err error) {
	if s.conn == nil {
		if s.conn, err = s.pool.Conn(ctx); err != nil {
			s.conn = nil
			return s.dialect.fault(err, "db: connect")
		}
	}

	if _, err := s.conn.ExecContext(ctx, s.dialect.begin(s.write)); err != nil {
		return s.lost(s.dialect.fault(err, "db: begin transaction"))
	}
	return nil
}

// lost drops a connection that is gone, so that the next use makes a new one.
func (s *session) lost(err error) error {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		s.close()
	}
	return err
}

func (s *session) close() error {
	var errs []error
	for _, st := range s.stmts {
		errs = append(errs, st.Close())
	}
	clear(s.stmts)

	if s.conn != nil {
		errs = append(errs, s.conn.Close())
		s.conn = nil
	}
	return errors.Join(errs...)
}

// prepare finds or makes the statement of a query. The second result says that
// it is not kept and must be closed after use.
func (s *session) prepare(ctx context.Context, query string) (*stmt, bool, error) {
	st, ok := s.stmts[query]
	if ok && !st.busy {
		return st, false, nil
	}

	raw, err := s.conn.PrepareContext(ctx, s.dialect.rewrite(query))
	if err != nil {
		return nil, false, s.dialect.fault(err, "db: prepare statement")
	}

	st = &stmt{Stmt: raw}
	if ok || len(s.stmts) >= maxStatements {
		return st, true, nil
	}

	s.stmts[query] = st
	return st, false, nil
}

// Tx is a transaction. It is not safe for concurrent use and ends with the
// function it was given to. Statements are kept prepared by their text: build
// it from constants, bind values.
type Tx struct{ s *session }

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	st, once, err := tx.s.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	if once {
		defer st.Close()
	}

	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, tx.s.dialect.fault(err, "db: run statement")
	}

	n, err := res.RowsAffected()
	return n, err
}

// Query runs a statement that returns rows. They must be closed.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	st, once, err := tx.s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}

	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		if once {
			st.Close()
		}
		return nil, tx.s.dialect.fault(err, "db: run query")
	}

	st.busy = true
	return &Rows{Rows: rows, st: st, once: once, dialect: tx.s.dialect}, nil
}

// QueryRow runs a statement of which the first row is wanted.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	rows, err := tx.Query(ctx, query, args...)
	return Row{rows: rows, err: err}
}

// Rows is sql.Rows that gives its statement back when closed.
type Rows struct {
	*sql.Rows
	st      *stmt
	once    bool
	dialect dialect
}

// Close ends the query. It may be called again.
func (r *Rows) Close() error {
	if r.st == nil {
		return nil
	}

	err := r.Rows.Close()
	r.st.busy = false

	if r.once {
		err = errors.Join(err, r.st.Close())
	}
	r.st = nil
	return err
}

// Err is the error that ended the iteration, if one did.
func (r *Rows) Err() error { return r.dialect.fault(r.Rows.Err(), "db: read rows") }

// Row is the first row of a query.
type Row struct {
	rows *Rows
	err  error
}

// Scan reads the row. Without a row it returns an error of kind NotFound that
// is also sql.ErrNoRows.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()

	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return fault.Wrap(fault.NotFound, sql.ErrNoRows, "db: no such row")
	}

	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

// Nested runs f so that its changes are undone where it returns an error, and
// only these: the transaction goes on.
func (tx *Tx) Nested(ctx context.Context, f func() error) error {
	if _, err := tx.Exec(ctx, "SAVEPOINT nested"); err != nil {
		return err
	}

	err := f()
	if err == nil {
		_, err = tx.Exec(ctx, "RELEASE nested")
		return err
	}

	// What was begun is undone also where the caller has given up.
	undo := context.WithoutCancel(ctx)
	_, undone := tx.Exec(undo, "ROLLBACK TO nested")
	_, released := tx.Exec(undo, "RELEASE nested")

	return errors.Join(err, undone, released)
}
