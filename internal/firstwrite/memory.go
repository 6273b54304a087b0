// Package firstwrite remembers what went to a system that would overwrite it: a hash
// for each SOP Instance UID, and what that system held before. It compares and
// decides nothing, and reads no object.
package firstwrite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// How what went through is written behind the answers: in groups, and the study is
// closed when nothing more came for a while.
const (
	flushEvery = 500 * time.Millisecond
	flushMost  = 500
	closeAfter = 10 * time.Minute
	openMost   = 2000 // studies beyond which those that nobody sends to are closed at once
)

// Instance is an instance at a route: its SOP Instance UID, its study, its series where it names
// one, and whose it is. System says which one is behind the route: what one said that it has, another
// did not say. Beside are the other routes that lead to it: what went through by them went there, too.
type Instance struct {
	Route, System, Study, Series, UID string
	Beside                            []string
	Patient                           Patient
}

// place is where an instance goes: the system behind the route, or what the route is, where that is not
// said.
func (i Instance) place() string { return cmp.Or(i.System, i.Route) }

// routes are all that lead there, its own first.
func (i Instance) routes() []string { return append([]string{i.Route}, i.Beside...) }

// Content is what went through under a UID: the hash of a data set in a transfer
// syntax. Without a hash nobody knows: the system behind had it before.
type Content struct {
	Syntax string
	Hash   string // SHA-256, lower-case hex
}

// Is reports the same data set in the same transfer syntax.
func (c Content) Is(other Content) bool {
	return c.Hash != "" && c == other
}

// Before is what the system behind a route has of a study: whose it is, its Series and SOP
// Instance UIDs.
type Before struct {
	Patients []Patient
	Series   []string
	UIDs     []string
}

// Ask finds what the system behind a route has of a study. ok is false where it does not answer
// such questions: then nothing is known of before.
type Ask func(ctx context.Context) (has Before, ok bool, err error)

// Known is what is known of an instance that came.
type Known struct {
	// Content went through under its UID before, where Found.
	Content
	Found bool
	// Conflict says what of it contradicts what went through.
	Conflict Conflict
}

// Conflict is how an instance contradicts what went through before it.
type Conflict string

// The conflicts (PS3.3 A.1.2).
const (
	NoConflict   Conflict = ""
	OtherPatient Conflict = "other-patient" // the study belongs to another patient
	OtherStudy   Conflict = "other-study"   // the series belongs to another study
)

// Memory is safe for concurrent use. Run has to run.
type Memory struct {
	db  *db.DB
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	studies map[study]*opened
	busy    map[name]chan struct{} // under way: closed at the end
	waiting map[name]written       // not written yet
	full    chan struct{}

	patients *owners[Patient] // of studies
	series   *owners[string]  // the studies of series
}

type study struct{ route, system, uid string }

func studyOf(i Instance) study { return study{i.Route, i.System, i.Study} }

// name is an instance at a place, whatever study it is said to be of; of owners it is what belongs to
// somebody.
type name struct{ place, uid string }

func nameOf(i Instance) name { return name{i.place(), i.UID} }

// written is what is to be written of an instance.
type written struct {
	Content
	study  study
	routes []string
}

// opened is a study of which instances may go through.
type opened struct {
	asking chan struct{} // of one place: taken while the system behind is asked
	asked  bool
	told   bool      // the system behind answered, now or before
	last   time.Time // an instance of it came
	users  int       // instances under way or not written yet
}

// New makes a Memory over a database.
func New(d *db.DB, log *slog.Logger, now func() time.Time) *Memory {
	m := &Memory{
		db: d, log: log, now: now,
		studies: map[study]*opened{}, busy: map[name]chan struct{}{}, waiting: map[name]written{},
		full: make(chan struct{}, 1),
	}
	m.patients = newOwners(Patient.Same, m.loadPatients)
	m.series = newOwners(func(a, b string) bool { return a == b }, m.loadSeries)
	return m
}

// Begin takes an instance in hand and says what is known of it. It waits for another one of the
// same UID, handMost at the longest, and asks the system behind about a study of which it knows
// nothing. End of the turn has to be called; Begin fails without one.
func (m *Memory) Begin(ctx context.Context, i Instance, ask Ask) (known Known, turn *Turn, err error) {
	if err := m.take(ctx, nameOf(i)); err != nil {
		return Known{}, nil, err
	}

	s := studyOf(i)
	turn = &Turn{m: m, i: i, o: m.use(s)}
	if err = m.open(ctx, s, turn.o, ask); err == nil {
		known.Content, known.Found, err = m.look(ctx, i)
	}
	if err == nil && !known.Found { // what is known is held against its content, whosever it is
		turn.conflict, turn.claims, err = m.belongs(ctx, i)
		known.Conflict = turn.conflict
	}
	if err != nil {
		m.give(i, turn.o, nil)
		return Known{}, nil, err
	}
	return known, turn, nil
}

// handMost is how long Begin waits for another instance of the same UID.
const handMost = 30 * time.Second

var errInHand = fault.New(fault.Busy, "firstwrite: another instance of the same UID is under way; send it again")

// take waits until nobody has the UID in hand.
func (m *Memory) take(ctx context.Context, n name) error {
	ctx, cancel := context.WithTimeoutCause(ctx, handMost, errInHand)
	defer cancel()
	for {
		m.mu.Lock()
		other := m.busy[n]
		if other == nil {
			m.busy[n] = make(chan struct{})
			m.mu.Unlock()
			return nil
		}
		m.mu.Unlock()

		select {
		case <-other:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// use keeps a study from being closed until give.
func (m *Memory) use(s study) *opened {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.studies[s]
	if o == nil {
		o = &opened{asking: make(chan struct{}, 1)}
		m.studies[s] = o
	}
	o.last = m.now()
	o.users++
	return o
}

// give ends the hold on a UID, and keeps what went through until it is written.
func (m *Memory) give(i Instance, o *opened, through *Content) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := nameOf(i)
	close(m.busy[n])
	delete(m.busy, n)
	if through == nil {
		o.users--
		m.forget(studyOf(i), o)
		return
	}

	if before, again := m.waiting[n]; again { // it is never written: this one takes its place
		m.studies[before.study].users--
	}
	m.waiting[n] = written{Content: *through, study: studyOf(i), routes: i.routes()}
	if len(m.waiting) >= flushMost {
		select {
		case m.full <- struct{}{}:
		default:
		}
	}
}

// forget drops a study of which nothing is known and nobody asks: the system behind did not
// answer. Called with mu held.
func (m *Memory) forget(s study, o *opened) {
	if o.users > 0 {
		return
	}
	select {
	case o.asking <- struct{}{}:
		if !o.asked {
			delete(m.studies, s)
		}
		<-o.asking
	default: // somebody asks
	}
}

// open makes sure that it is known what the system behind has of a study, and that
// the study is marked: what went through after that and was not written when the
// process ended is asked for again.
func (m *Memory) open(ctx context.Context, s study, o *opened, ask Ask) error {
	select {
	case o.asking <- struct{}{}:
		defer func() { <-o.asking }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if o.asked {
		return nil
	}

	told, err := m.marked(ctx, s)
	if err == nil && !told {
		told, err = m.ask(ctx, s, ask)
	}
	if err != nil {
		return err
	}
	o.told = told
	o.asked = true
	return nil
}

// marked opens the row of a study that was closed; false where there is none, where another system
// was asked, or where one was left open by a process that ended.
func (m *Memory) marked(ctx context.Context, s study) (known bool, err error) {
	err = m.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE first_write_study SET open = 1 WHERE route = ?1 AND study = ?2 AND system = ?3 AND open = 0`,
			s.route, s.uid, s.system)
		known = n > 0
		return err
	})
	return known, err
}

// ask keeps what the system behind has of a study, and opens it; told is false where
// that does not answer.
func (m *Memory) ask(ctx context.Context, s study, ask Ask) (told bool, err error) {
	has, told, err := ask(ctx)
	if err != nil {
		return false, err
	}
	if !told {
		m.log.Info("what the system behind the route has of a study is not known: it does not answer C-FIND", "route", s.route)
	}

	return told, m.db.Write(ctx, func(tx *db.Tx) error {
		if err := writeOwners(ctx, tx, s, has); err != nil {
			return err
		}
		for _, uid := range has.UIDs {
			_, err := tx.Exec(ctx, `INSERT INTO first_write (route, uid, study, syntax, hash) VALUES (?1, ?2, ?3, '', '')
				ON CONFLICT (route, uid) DO NOTHING`, s.route, uid, s.uid)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO first_write_study (route, study, asked, open, system) VALUES (?1, ?2, ?3, 1, ?4)
			ON CONFLICT (route, study) DO UPDATE SET asked = ?3, open = 1, system = ?4`, s.route, s.uid, db.Millis(m.now()), s.system)
		return err
	})
}

// look finds what went through under a UID.
func (m *Memory) look(ctx context.Context, i Instance) (c Content, found bool, err error) {
	m.mu.Lock()
	w, waits := m.waiting[nameOf(i)]
	m.mu.Unlock()
	if waits {
		return w.Content, true, nil
	}

	err = m.db.Read(ctx, func(tx *db.Tx) error {
		for _, route := range i.routes() {
			row := tx.QueryRow(ctx, `SELECT syntax, hash FROM first_write WHERE route = ?1 AND uid = ?2`, route, i.UID)
			if err := row.Scan(&c.Syntax, &c.Hash); fault.Of(err) != fault.NotFound {
				found = err == nil
				return err
			}
		}
		return nil
	})
	return c, found, err
}

// Accept makes a content that which counts under its UID, whatever contradicted it, in a
// transaction of somebody who decided so. It has to come again.
func Accept(ctx context.Context, tx *db.Tx, i Instance, c Content) error {
	return accept(ctx, tx, i, c, true)
}

// Keep keeps that a content went through, in a transaction of what took it.
func Keep(ctx context.Context, tx *db.Tx, i Instance, c Content) error {
	return accept(ctx, tx, i, c, false)
}

func accept(ctx context.Context, tx *db.Tx, i Instance, c Content, released bool) error {
	if err := acceptOwners(ctx, tx, i); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO first_write (route, uid, study, syntax, hash, released) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (route, uid) DO UPDATE SET syntax = ?4, hash = ?5, released = ?6`, i.Route, i.UID, i.Study, c.Syntax, c.Hash, released)
	return err
}

// Kept reports whether what counts under a UID at a route went through since it does.
func Kept(ctx context.Context, tx *db.Tx, route, uid string) (kept bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM first_write WHERE route = ?1 AND uid = ?2 AND hash <> '' AND released = 0)`,
		route, uid).Scan(&kept)
	return kept, err
}

// Run writes what went through, until ctx ends, and then what is left.
func (m *Memory) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			m.finish(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
		case <-m.full:
		}

		if err := errors.Join(m.flush(ctx), m.closeIdle(ctx, m.idle())); err != nil && ctx.Err() == nil {
			m.log.Error("what went through the gate is not remembered yet", "error", err)
		}
	}
}

// finish writes everything and closes all studies.
func (m *Memory) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := errors.Join(m.flush(ctx), m.closeIdle(ctx, 0)); err != nil {
		m.log.Error("what went through the gate is not remembered; it is asked for again after the start", "error", err)
	}
}

// flush writes what waits. What cannot be written goes on waiting.
func (m *Memory) flush(ctx context.Context) error {
	m.mu.Lock()
	batch := maps.Clone(m.waiting)
	m.mu.Unlock()
	patients, series := m.patients.unwritten(), m.series.unwritten()
	if len(batch)+len(patients)+len(series) == 0 {
		return nil
	}

	err := m.db.Write(ctx, func(tx *db.Tx) error {
		if err := keepOwners(ctx, tx, patients, series); err != nil {
			return err
		}
		for n, w := range batch {
			if err := keepWritten(ctx, tx, n, w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("firstwrite: %w", err)
	}

	m.patients.wrote(patients)
	m.series.wrote(series)
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, w := range batch {
		if now := m.waiting[n]; now.Is(w.Content) && now.study == w.study {
			delete(m.waiting, n)
			m.studies[w.study].users--
		}
	}
	return nil
}

// keepWritten writes what went through, for each route that leads there. What somebody decided
// meanwhile stands.
func keepWritten(ctx context.Context, tx *db.Tx, n name, w written) error {
	for _, route := range w.routes {
		_, err := tx.Exec(ctx, `INSERT INTO first_write (route, uid, study, syntax, hash) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (route, uid) DO UPDATE SET syntax = ?4, hash = ?5 WHERE first_write.hash = ''`,
			route, n.uid, w.study.uid, w.Syntax, w.Hash)
		if err != nil {
			return err
		}
	}
	return nil
}

// idle is how long nothing of a study has to come before it is closed.
func (m *Memory) idle() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.studies) > openMost {
		return 0
	}
	return closeAfter
}

// closeIdle closes studies of which nothing came for a while and nothing waits. One
// about which the system behind told nothing stays marked, and is asked about again. It
// holds the lock meanwhile: whoever comes opens the study again, after that.
func (m *Memory) closeIdle(ctx context.Context, idle time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []study
	for s, o := range m.studies {
		if o.users == 0 && m.now().Sub(o.last) >= idle {
			due = append(due, s)
		}
	}
	if len(due) == 0 {
		return nil
	}

	err := m.db.Write(ctx, func(tx *db.Tx) error {
		for _, s := range due {
			if !m.studies[s].told {
				continue
			}
			_, err := tx.Exec(ctx, `UPDATE first_write_study SET open = 0 WHERE route = ?1 AND study = ?2 AND system = ?3`,
				s.route, s.uid, s.system)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("firstwrite: %w", err)
	}
	for _, s := range due {
		delete(m.studies, s)
	}
	return nil
}
