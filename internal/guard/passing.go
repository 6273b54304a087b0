package guard

import (
	"context"
	"sync"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
)

// Passing is an instance on its way through a route of the gate, as its own head says.
// It is the Ref of what the gate sends, and what Through is told of.
type Passing struct {
	StudyUID      string
	Patient       string
	PatientIssuer string
}

func (p Passing) object() audit.Object {
	return audit.Object{Study: p.StudyUID, Patient: p.Patient, PatientIssuer: p.PatientIssuer}
}

// Through is told by the gate whose instance a C-STORE brings, before any of it goes
// on; its error is that it must not, because nothing can be recorded. What became of
// the instance the door sees by the status.
func Through(ctx context.Context, p Passing) error {
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return errNobody
	}

	Concerns(ctx, p)
	return c.guard.passed.begins(ctx, c)
}

// Concerns is told by the gate whom a request is about, for its record.
func Concerns(ctx context.Context, p Passing) {
	if c, ok := ctx.Value(contextKey{}).(*Caller); ok {
		c.passing = &p
		c.notStored.last = archive.Whose{StudyUID: p.StudyUID, Patient: p.Patient, PatientIssuer: p.PatientIssuer}
	}
}

// Withheld records that the system behind a route sent something which did not go on to who
// asked. reason is a sentence without a value of a patient.
func Withheld(ctx context.Context, p Passing, reason string) {
	c, ok := ctx.Value(contextKey{}).(*Caller)
	if !ok {
		return
	}
	key := c.who.Name + "\x00" + c.routeName() + "\x00" + p.StudyUID + "\x00" + reason
	before, write := c.guard.refusedRequests.take(key)
	if !write {
		return
	}

	r := c.Entry(audit.SecurityAlert, audit.Read, audit.SeriousFailure, reason)
	o := p.object()
	o.Failed = 1 + before
	r.Objects = append(r.Objects, o)
	c.guard.Record(ctx, r)
}

// Bounds of a record of what was stored through a route: instances of one study on
// one association are recorded together.
const (
	passedMost = 500
	passedFor  = 10 * time.Second
)

// passed collects what goes through routes, for the record. Safe for concurrent use.
type passed struct {
	g *Guard

	mu   sync.Mutex
	runs map[run]*audit.Record
}

// run is instances of one study that come on one association, or from one caller by HTTP.
type run struct {
	association string
	Passing
}

func newPassed(g *Guard) *passed { return &passed{g: g, runs: map[run]*audit.Record{}} }

func runOf(c *Caller) run {
	return run{association: c.association + "\x00" + c.who.Name + "\x00" + c.routeName(), Passing: *c.passing}
}

// begins records that instances of a run are about to go through, once for each record
// that says what did.
func (p *passed) begins(ctx context.Context, c *Caller) error {
	if err := p.g.Keeper.Ready(); err != nil {
		return err
	}
	if !p.open(c) {
		return nil
	}

	r := c.Entry(audit.Transferring, audit.Create, audit.Success, "")
	r.Objects = append(r.Objects, c.passing.object())
	p.g.Record(ctx, r)
	return p.g.Keeper.Ready()
}

// open begins a run, which ends by itself; false where it was open.
func (p *passed) open(c *Caller) bool {
	key := runOf(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs[key] != nil {
		return false
	}

	r := c.Entry(audit.Transferred, audit.Create, audit.Success, "")
	r.Objects = append(r.Objects, key.object())
	p.runs[key] = &r
	time.AfterFunc(passedFor, func() { p.end(key, &r) })
	return true
}

// add counts an instance that the system behind the route took.
func (p *passed) add(c *Caller, sopClass string) {
	p.open(c) // the run may have ended while this one was on its way
	key := runOf(c)

	p.mu.Lock()
	r := p.runs[key]
	if r == nil {
		p.mu.Unlock()
		p.add(c, sopClass)
		return
	}
	o := &r.Objects[len(r.Objects)-1]
	if o.SOPClasses == nil {
		o.SOPClasses = map[string]int{}
	}
	o.SOPClasses[sopClass]++
	o.Instances++
	full := o.Instances >= passedMost
	p.mu.Unlock()

	if full {
		p.end(key, r)
	}
}

// end writes the record of a run, unless another has taken its place.
func (p *passed) end(key run, r *audit.Record) {
	p.mu.Lock()
	current := p.runs[key] == r
	if current {
		delete(p.runs, key)
	}
	p.mu.Unlock()

	if current && r.Objects[len(r.Objects)-1].Instances > 0 { // what was refused has a record of its own
		p.g.Record(context.Background(), *r)
	}
}

// settle writes what is not recorded yet.
func (p *passed) settle() {
	p.mu.Lock()
	open := make(map[run]*audit.Record, len(p.runs))
	for key, r := range p.runs {
		open[key] = r
	}
	p.mu.Unlock()

	for key, r := range open {
		p.end(key, r)
	}
}

// Settle writes what is not recorded yet of what went through routes of the gate: at
// the end, before the trail closes.
func (g *Guard) Settle() { g.passed.settle() }
