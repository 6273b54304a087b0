package scan

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"collimator/internal/finding"
)

// Run scans. Where ctx ends it stops in order and returns what there is with
// the error; with Options.State the next run goes on from there. An error that
// wraps ErrScope says that nothing was sent.
func Run(ctx context.Context, opt Options) (*Result, error) {
	opt = opt.withDefaults()
	p, err := newPlan(opt.Targets, opt.Scope)
	if err != nil {
		return nil, err
	}
	if opt.Seed == 0 {
		opt.Seed = rand.Uint64()>>1 | 1
	}

	e := &engine{
		opt: &opt, plan: p, pace: newPace(opt.Rate), keys: &throwaway{},
		result: &Result{Started: opt.Now(), Addresses: p.total},
	}
	// What an earlier run has done is kept, and its order with it.
	var head stateLine

	if opt.State != "" {
		if e.state, head, e.result.Hosts, err = openState(opt.State, &opt); err != nil {
			return nil, err
		}
		opt.Seed = head.Seed
	}

	e.order = newOrder(p.total, opt.Seed)
	e.marks = newMarks(p.total, head.Done)
	e.looked.Store(head.Done)
	e.alive.Store(head.Alive)

	err = e.run(ctx, head.Done)
	e.result.Ended = opt.Now()
	e.result.Looked = e.looked.Load()
	e.result.Alive = e.alive.Load()
	e.result.Connections = e.conns.Load()

	err = errors.Join(err, e.twins(ctx))
	e.result.sort()
	return e.result, errors.Join(err, e.state.close(err == nil))
}

// engine runs the two pools: sweepers look for open ports, visitors ask the
// hosts that have some. A host is with one goroutine at a time.
type engine struct {
	opt    *Options
	plan   *plan
	pace   *pace
	keys   *throwaway
	order  order
	state  *state
	result *Result

	next                 atomic.Uint64
	looked, alive, conns atomic.Uint64

	mu    sync.Mutex // guards marks, result.Hosts, state and the sink
	marks *marks
	known map[netip.Addr]bool // hosts that the state file brought
}

// found is a host with open ports.
type found struct {
	position uint64
	address  netip.Addr
	target   Target
	open     []uint16
	conns    uint64
}

func (e *engine) run(ctx context.Context, from uint64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	e.next.Store(from)
	e.known = map[netip.Addr]bool{}
	for _, h := range e.result.Hosts {
		e.known[h.Facts.Address] = true
	}

	hosts := make(chan found, 4*e.opt.Hosts)
	var sweepers, visitors, ticker sync.WaitGroup
	for range int(min(uint64(e.opt.Sweeps), e.plan.total)) {
		sweepers.Go(func() {
			if err := e.sweep(ctx, hosts); err != nil {
				cancel(err)
			}
		})
	}
	for range e.opt.Hosts {
		visitors.Go(func() {
			for f := range hosts {
				if err := e.visit(ctx, f); err != nil {
					cancel(err)
				}
			}
		})
	}

	done := make(chan struct{})
	ticker.Go(func() { e.tick(done, cancel) })

	// Who puts into the channel ends first, then who takes out of it, then the clock.
	sweepers.Wait()
	close(hosts)
	visitors.Wait()
	close(done)
	ticker.Wait()

	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("scan: stopped after %d of %d addresses: %w", e.looked.Load(), e.plan.total, err)
	}
	return nil
}

// tickEvery is how often progress is told and the state file gets a mark.
const tickEvery = 500 * time.Millisecond

func (e *engine) tick(done chan struct{}, cancel context.CancelCauseFunc) {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for last := false; !last; {
		select {
		case <-t.C:
		case <-done:
			last = true
		}

		e.mu.Lock()
		err := e.state.progress(e.marks.low, e.alive.Load())
		services := len(e.result.Hosts)
		e.mu.Unlock()

		if err != nil {
			cancel(err)
		}
		if e.opt.Progress != nil {
			e.opt.Progress(e.looked.Load(), e.plan.total, services)
		}
	}
}

func (e *engine) sweep(ctx context.Context, hosts chan<- found) error {
	s := &sweeper{opt: e.opt, pace: e.pace}
	for ctx.Err() == nil {
		position := e.next.Add(1) - 1
		if position >= e.plan.total {
			return nil
		}
		address, target := e.plan.at(e.order.at(position))
		if e.opt.Scope.Allow(address) != nil || e.known[address] {
			e.done(position)
			continue
		}

		s.conns = 0
		open, alive, err := s.look(ctx, address, target.Ports)
		e.conns.Add(s.conns)
		if err != nil {
			return err
		}
		if alive {
			e.alive.Add(1)
		}

		if len(open) == 0 {
			if alive {
				err = e.closed(ctx, address, target)
			}
			e.done(position)
			if err != nil {
				return err
			}
			continue
		}

		select {
		case hosts <- found{position: position, address: address, target: target, open: open, conns: s.conns}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// closed tells the sink that somebody answered who has nothing open.
func (e *engine) closed(ctx context.Context, a netip.Addr, t Target) error {
	sink, ok := e.opt.Sink.(ClosedSink)
	if !ok {
		return nil
	}

	ports := t.Ports
	if len(ports) == 0 {
		ports = slices.Concat(e.opt.Ports, e.opt.HL7Ports)
	}
	return sink.Closed(ctx, a, ports)
}

// judge judges facts, with what advisories say.
func (e *engine) judge(f *finding.Facts) []finding.Issue {
	issues := finding.Judge(f)
	if e.opt.Advise != nil {
		issues = append(issues, e.opt.Advise(f)...)
		finding.Sort(issues)
	}
	return issues
}

// done notes that an address needs no further look.
func (e *engine) done(position uint64) {
	e.looked.Add(1)
	e.mu.Lock()
	e.marks.set(position)
	e.mu.Unlock()
}

// visit asks one host and hands over what came of it.
func (e *engine) visit(ctx context.Context, f found) error {
	if ctx.Err() != nil {
		return nil
	}
	facts := &finding.Facts{
		Address: f.address, Name: f.target.Name, At: e.opt.Now(),
		Public: !private(f.address), OutsideZones: e.opt.Scope.outside(f.address),
	}

	v := newVisit(e.opt, e.pace, e.keys, facts)
	v.host(ctx, f.open, len(f.target.Ports) > 0)
	e.conns.Add(uint64(v.conns))
	if ctx.Err() != nil {
		return nil // asked again by the next run
	}

	h := HostResult{Facts: facts, Issues: e.judge(facts), Connections: v.conns + int(f.conns), Ports: f.target.Ports}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.result.Hosts = append(e.result.Hosts, h)
	e.looked.Add(1)

	// The sink first: what the state file holds is not asked again, and would
	// never reach the sink if the process ended in between.
	if e.opt.Sink != nil {
		if err := e.opt.Sink.Record(ctx, &h); err != nil {
			return err
		}
	}

	if err := e.state.host(&h); err != nil {
		return err
	}
	e.marks.set(f.position)
	return nil
}

// twins looks for neighbours that answer exactly alike, which honeypots and
// tarpits do, and judges them again.
func (e *engine) twins(ctx context.Context) error {
	type group struct {
		net    netip.Prefix
		answer string
	}
	counts := map[group][]int{}
	for i, h := range e.result.Hosts {
		for _, s := range h.Facts.Services {
			if d := s.DICOM; d != nil {
				bits := 24
				if h.Facts.Address.Is6() {
					bits = 120
				}
				p, _ := h.Facts.Address.Prefix(bits)
				g := group{
					net:    p,
					answer: fmt.Sprint(s.Port, d.Presence, d.RandomCalled, d.ClassUID, d.VersionName, d.MaxPDU),
				}
				counts[g] = append(counts[g], i)
			}
		}
	}

	for _, list := range counts {
		if len(list) < 64 {
			continue
		}

		for _, i := range list {
			h := &e.result.Hosts[i]
			h.Facts.Twins = len(list)
			h.Issues = e.judge(h.Facts)

			if e.opt.Sink != nil {
				if err := e.opt.Sink.Record(context.WithoutCancel(ctx), h); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
