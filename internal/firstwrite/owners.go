package firstwrite

import (
	"context"
	"slices"
	"sync"
)

// owners knows to whom things belong: a study to its patient, a series to its study
// (PS3.3 A.1.2). What nobody has yet is of the first that goes through: between the end of
// its data set and the answer, others who say something else wait. Safe for concurrent use.
type owners[O any] struct {
	same func(a, b O) bool
	// load reads whose a thing is written to be at a route.
	load func(ctx context.Context, route, uid string) ([]O, error)

	mu     sync.Mutex
	things map[name]*owned[O] // that are under way, or not written yet
}

// owned is a thing with its owners: several where somebody decided so.
type owned[O any] struct {
	routes  []string      // that lead where it is
	loading chan struct{} // of one place: taken while its owners are read
	loaded  bool
	is      []O  // whose it is
	fresh   bool // that is not written

	claim  *O            // whose it is going to be, where it is nobody's
	claims int           // instances under way that say so
	ended  chan struct{} // closed when a claim ended; nil where nobody waits
	users  int
}

func newOwners[O any](same func(a, b O) bool, load func(ctx context.Context, route, uid string) ([]O, error)) *owners[O] {
	return &owners[O]{same: same, load: load, things: map[name]*owned[O]{}}
}

// use keeps a thing in memory until leave.
func (o *owners[O]) use(thing name, routes []string) *owned[O] {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.things[thing]
	if t == nil {
		t = &owned[O]{loading: make(chan struct{}, 1)}
		o.things[thing] = t
	}
	t.routes = routes
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

// begin says whether an instance may come to a thing as of an owner, as far as that is known; where it
// may, end of the claim has to be called. It waits for nobody: who is slow keeps nothing from others.
func (o *owners[O]) begin(ctx context.Context, thing name, routes []string, owner O) (may bool, c *claim[O], err error) {
	t := o.use(thing, routes)
	if err = o.read(ctx, thing, t); err == nil {
		if may = o.open(t, owner); !may {
			may, err = o.decided(ctx, thing, routes, owner)
		}
	}
	if err != nil || !may {
		o.leave(thing, t)
		return false, nil, err
	}
	return true, &claim[O]{o: o, thing: thing, routes: routes, t: t, owner: owner}, nil
}

// claim is that a thing is of an owner, of an instance under way. Not safe for concurrent use.
type claim[O any] struct {
	o      *owners[O]
	thing  name
	routes []string
	t      *owned[O]
	owner  O
	taken  bool // the thing is nobody's, and going to be this one's
}

// last has to be called before the end of the instance goes: whether it still may. Of those that say
// something else one goes on at a time, and that has nothing left to wait for but the system behind.
func (c *claim[O]) last(ctx context.Context) (may bool, err error) {
	for {
		may, claimed, other := c.o.try(c.t, c.owner)
		if other == nil && !may {
			return c.o.decided(ctx, c.thing, c.routes, c.owner)
		}
		if other == nil {
			c.taken = claimed
			return true, nil
		}

		select {
		case <-other:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// end ends the claim: whether the instance went through, after last.
func (c *claim[O]) end(through bool) { c.o.end(c.thing, c.t, c.owner, c.taken, through) }

// open reports a thing that is nobody's yet, or an owner's.
func (o *owners[O]) open(t *owned[O], owner O) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(t.is) == 0 || slices.ContainsFunc(t.is, func(have O) bool { return o.same(have, owner) })
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

	list, err := o.written(ctx, thing, t.routes)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	t.is = append(t.is, list...)
	t.loaded = true
	return nil
}

// written is whose a thing is written to be, at any route that leads there.
func (o *owners[O]) written(ctx context.Context, thing name, routes []string) (list []O, err error) {
	for _, route := range routes {
		at, err := o.load(ctx, route, thing.uid)
		if err != nil {
			return nil, err
		}
		list = append(list, at...)
	}
	return list, nil
}

// decided reports whether somebody let an owner have a thing meanwhile.
func (o *owners[O]) decided(ctx context.Context, thing name, routes []string, owner O) (bool, error) {
	list, err := o.written(ctx, thing, routes)
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

// end ends a claim. The first that went through decides.
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

// fresh is an owner that no row says yet, and at which routes they will.
type fresh[O any] struct {
	owner  O
	routes []string
}

// unwritten are the owners that no row says yet.
func (o *owners[O]) unwritten() map[name]fresh[O] {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := map[name]fresh[O]{}
	for thing, t := range o.things {
		if t.fresh {
			list[thing] = fresh[O]{t.is[0], t.routes}
		}
	}
	return list
}

// wrote drops what unwritten gave and a row says now.
func (o *owners[O]) wrote(list map[name]fresh[O]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for thing := range list {
		t := o.things[thing]
		t.fresh = false
		o.forget(thing, t)
	}
}
