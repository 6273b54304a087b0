package gate

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/upstream"
)

// errNoFace is the answer to people who ask for a route that has no DICOMweb, as for one that is
// not there.
var errNoFace = fault.New(fault.NotFound, "gate: there is no such route, or people do not reach it by DICOMweb")

// errHangs ends a question that the system behind does not get on with.
var errHangs = fault.New(fault.Unavailable, "gate: the system behind the route does not get on; try again later")

// faceIdle is how long the system behind may leave a question without a match, an instance or a
// byte of one.
const faceIdle = time.Minute

// answersMost is how many matches the system behind may give to one question, wanted or not. All of them
// may take slowIdles times faceIdle.
const answersMost = 100_000

// errEndless ends a question that is answered without an end.
var errEndless = fault.Newf(fault.TooLarge, "gate: the system behind the route gives more than %d matches to one question", answersMost)

// Face is the system behind a route as people reach it, by DICOMweb: the gate asks it in its
// own name, within a request that the guard let through. Safe for concurrent use.
type Face struct {
	gate *Gate
	name string
	idle time.Duration
}

// Face is that of the route with a name, whether there is one now or not.
func (g *Gate) Face(name string) *Face {
	return &Face{gate: g, name: name, idle: cmp.Or(g.FaceIdle, faceIdle)}
}

// Faces lists the routes that people reach by DICOMweb, by name.
func (g *Gate) Faces() (names []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.routes {
		if r.DICOMweb {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Service is the route as the door sees it.
func (f *Face) Service() *guard.Service {
	return &guard.Service{Name: f.name, Route: func() (*policy.Route, error) {
		r, err := f.route()
		if err != nil {
			return nil, err
		}
		return r.rules, nil
	}}
}

// route is the route as it is now: errNoFace where people have no business there.
func (f *Face) route() (*route, error) {
	r, err := f.gate.at(f.name)
	if err == errGone || err == nil && !r.DICOMweb {
		return nil, errNoFace
	}
	return r, err
}

// Matches is the most matches that one question may have.
func (f *Face) Matches() int {
	r, err := f.route()
	if err != nil {
		return findMatches
	}
	return r.FindMatches
}

// System says which system is behind, as it stands in the file: what was fetched of another is not of
// this one. Empty where the route is gone or closed.
func (f *Face) System() string {
	r, err := f.route()
	if err != nil {
		return ""
	}
	return r.Protect
}

// WebTitle is the AE title by which the system behind is called for people, and to which it sends.
func (r *Route) WebTitle() string { return cmp.Or(r.DICOMwebAs, r.As, r.Name) }

// lease is an association to the system behind, for whoever makes the request.
func (f *Face) lease(ctx context.Context, ask upstream.Ask) (*upstream.Lease, error) {
	r, err := f.route()
	if err != nil {
		return nil, err
	}
	who, ok := guard.Principal(ctx)
	if !ok {
		return nil, fault.New(fault.Denied, "gate: nobody was let in")
	}

	ask.Caller = string(who.Kind) + " " + who.Name
	ask.CallingAETitle = r.WebTitle()
	lease, err := r.pool.Take(ctx, ask)
	f.gate.tellSystem(r, err)
	return lease, err
}

// Find asks the system behind (C-FIND of the Study Root, PS3.4 C.6.2) and gives its matches as they
// come. It is told to stop where the sequence is broken off. An error is of kind Unavailable where
// it does not answer, Unsupported where it refuses the question.
func (f *Face) Find(ctx context.Context, identifier *dicom.DataSet) iter.Seq2[dimse.Match, error] {
	return func(yield func(dimse.Match, error) bool) {
		r, err := f.route()
		if err == nil {
			err = r.checkIdentifier(identifier)
		}
		if err != nil {
			yield(dimse.Match{}, err)
			return
		}

		lease, err := f.lease(ctx, upstream.Ask{Contexts: dimse.Propose([]string{uid.StudyRootFind}, uid.NativeSyntaxes()[:2], false)})
		if err != nil {
			yield(dimse.Match{}, err)
			return
		}

		ctx, watch := watchdog(ctx, f.idle)
		defer watch.end()
		came := 0
		for m, err := range lease.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: identifier}) {
			watch.moved()
			if err != nil {
				lease.Finish(err)
				yield(dimse.Match{}, unfulfilled(ctx, err))
				return
			}
			if came++; came > answersMost {
				watch.end()
				lease.Drop()
				yield(dimse.Match{}, errEndless)
				return
			}
			if err := f.gate.judge(ctx, m.Identifier); err != nil {
				watch.end()
				lease.Drop()
				guard.Withheld(ctx, guard.Passing{}, "the system behind the route sent what was not let through: "+fault.Text(err))
				yield(dimse.Match{}, fault.Wrap(fault.Unavailable, err,
					"gate: an answer of the system behind the route holds what does not belong there"))
				return
			}
			if !yield(m, nil) {
				watch.end() // the system behind is asked to stop
				lease.Drop()
				return
			}
		}
		lease.Return()
	}
}

// dog ends what does not move, and what moves and brings nothing.
type dog struct {
	timer, slow *time.Timer
	idle        time.Duration
	cancel      context.CancelCauseFunc
}

// slowIdles is how long, in times of idle, a question may bring nothing while it moves: a PACS that
// fetches from a slow store says so in between.
const slowIdles = 10

// watchdog ends a context when nothing moved for so long, or nothing came for slowIdles times that:
// errHangs.
func watchdog(ctx context.Context, idle time.Duration) (context.Context, *dog) {
	ctx, cancel := context.WithCancelCause(ctx)
	hangs := func() { cancel(errHangs) }
	return ctx, &dog{timer: time.AfterFunc(idle, hangs), slow: time.AfterFunc(slowIdles*idle, hangs), idle: idle, cancel: cancel}
}

// moved begins the time anew; one that is over stays over.
func (d *dog) moved() {
	if d.timer.Stop() {
		d.timer.Reset(d.idle)
	}
}

// came is moved by something that was asked for.
func (d *dog) came() {
	d.moved()
	if d.slow.Stop() {
		d.slow.Reset(slowIdles * d.idle)
	}
}

func (d *dog) end() {
	d.timer.Stop()
	d.slow.Stop()
	d.cancel(context.Canceled)
}
