package firstwrite

import (
	"context"
	"slices"
	"sync"
)

// owners knows to whom things belong: a study to its patient, a series to its study
// (PS3.3 A.1.2). Of what nobody has yet, the first that goes through has it; until it is
// through, others who say something else wait. Safe for concurrent use.
type owners[O any] struct {
	same func(a, b O) bool
	// load reads whose a thing is written to be.
	load func(ctx context.Context, thing name) ([]O, error)

	mu     sync.Mutex
	things map[name]*owned[O] // that are under way, or not written yet
}

// owned is a thing with its owners: several where somebody decided so.
type owned[O any] struct {
	loading chan struct{} // of one place: taken while its owners are read
	loaded  bool
	is      []O  // whose it is
	fresh   bool // that is not written

	claim  *O            // whose it is going to be, where it is nobody's
	claims int           // instances under way that say so
	ended  chan struct{} // closed when a claim ended; nil where nobody waits
	users  int
}

func newOwners[O any](same func(a, b O) bool, load func(context.Context, name) ([]O, error)) *owners[O] {
	return &owners[O]{same: same, load: load, things: map[name]*owned[O]{}}
}

// use keeps a thing in memory until leave.
func (o *owners[O]) use(thing name) *owned[O] {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.things[thing]
	if t == nil {
		t = &owned[O]{loading: make(chan struct{}, 1)}
		o.things[thing] = t
	}
	t.users++
	return t
}

// leave ends use. What is written and nobody uses is read again for the next.
func (o *owners[O]) leave(thing name, t *owned[O]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t.users--
	o.forget(thing, t)
}

// forget drops a thing that nobody uses and that is written. Called with mu held.
func (o *owners[O]) forget(thing name, t *owned[O]) {
	if t.users == 0 && !t.fresh {
		delete(o.things, thing)
	}
}

// begin says whether an instance may come to a thing as of an owner; where it may, end has to be
// called with whether it went through.
func (o *owners[O]) begin(ctx context.Context, thing name, owner O) (may bool, end func(through bool), err error) {
	t := o.use(thing)
	if err := o.read(ctx, thing, t); err != nil {
		o.leave(thing, t)
		return false, nil, err
	}

	for {
		may, claimed, other := o.try(t, owner)
		if other == nil && !may {
			may, err = o.decided(ctx, thing, owner)
		}
		switch {
		case err != nil || other == nil && !may:
			o.leave(thing, t)
			return false, nil, err
		case other == nil:
			return true, func(through bool) { o.end(thing, t, owner, claimed, through) }, nil
		}

		select {
		case <-other:
		case <-ctx.Done():
			o.leave(thing, t)
			return false, nil, context.Cause(ctx)
		}
	}
}

// read finds out whose a thing is, once.
func (o *owners[O]) read(ctx context.Context, thing name, t *owned[O]) error {
	select {
	case t.loading <- struct{}{}:
		defer func() { <-t.loading }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if t.loaded {
		return nil
	}

	list, err := o.load(ctx, thing)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	t.is = append(t.is, list...)
	t.loaded = true
	return nil
}

// decided reports whether somebody let an owner have a thing meanwhile.
func (o *owners[O]) decided(ctx context.Context, thing name, owner O) (bool, error) {
	list, err := o.load(ctx, thing)
	return slices.ContainsFunc(list, func(have O) bool { return o.same(have, owner) }), err
}

// try holds an owner against whose a thing is. claimed says that it is nobody's yet and going to
// be this one's; other is closed when that of somebody else has come to its end.
func (o *owners[O]) try(t *owned[O], owner O) (may, claimed bool, other <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	is := func(have O) bool { return o.same(have, owner) }
	switch {
	case len(t.is) > 0:
		return slices.ContainsFunc(t.is, is), false, nil
	case t.claim == nil:
		t.claim = &owner
	case !is(*t.claim):
		if t.ended == nil {
			t.ended = make(chan struct{})
		}
		return false, false, t.ended
	}
	t.claims++
	return true, true, nil
}

// end ends what begin began. The first claim that went through decides.
func (o *owners[O]) end(thing name, t *owned[O], owner O, claimed, through bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if claimed {
		t.claims--
	}
	if claimed && through && len(t.is) == 0 {
		t.is = append(t.is, owner)
		t.fresh = true
	}
	if len(t.is) > 0 || t.claims == 0 {
		t.claim = nil
		if t.ended != nil {
			close(t.ended)
			t.ended = nil
		}
	}

	t.users--
	o.forget(thing, t)
}

// unwritten are the owners that no row says yet.
func (o *owners[O]) unwritten() map[name]O {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := map[name]O{}
	for thing, t := range o.things {
		if t.fresh {
			list[thing] = t.is[0]
		}
	}
	return list
}

// written drops what unwritten gave and a row says now.
func (o *owners[O]) written(list map[name]O) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for thing := range list {
		t := o.things[thing]
		t.fresh = false
		o.forget(thing, t)
	}
}
