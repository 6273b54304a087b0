// Package upstream reaches a PACS over the network: one that answers DIMSE and
// stands behind a door of ours. It knows what the PACS bears and asks for no more
// at a time; who wait for it take turns. It decides about nobody and inspects
// nothing.
package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/outward"
)

// What a PACS is taken to bear where nobody said more.
const (
	DefaultAssociations = 4
	DefaultWaiting      = 64
	DefaultWait         = 30 * time.Second
	defaultKeep         = 5 * time.Second
)

// What an association in use may hold: the matches that wait on it, one that is read and one
// that is looked at, none longer than replyMost, and the buffers. It is charged to who uses it.
const (
	replyMost = 256 << 10
	leaseRoom = 4 << 20
)

// PACS says how a PACS is reached and what it bears. Address and AETitle are needed.
type PACS struct {
	Address string // host:port
	AETitle string
	// TLS turns TLS on; nil is plain DICOM.
	TLS *tls.Config
	// Associations is the most that are open to it at a time; 0 means 4.
	Associations int
	// Waiting is how many requests may wait for one of them, and Wait how long; 0
	// means 64, and 30 s.
	Waiting int
	Wait    time.Duration
	// Undivided lets one caller have all of them; else it leaves as many free as it has.
	Undivided bool
	// Mux answers requests that it makes on an association of ours, and Principal is
	// who it is to that; nil refuses them.
	Mux       *dimse.Mux
	Principal any
	// Dial, where it is set, opens associations in place of Address, AETitle and TLS.
	Dial func(context.Context, Ask) (*dimse.Association, error)
	// Keep is how long an association is kept open for a like request; 0 means 5 s.
	Keep   time.Duration
	Limits dimse.Limits
}

// Ask is what an association is needed for. Associations are used again only by
// who asks for the same.
type Ask struct {
	// Caller takes turns with other callers.
	Caller string
	// CallingAETitle is who the PACS sees.
	CallingAETitle string
	Contexts       []ul.ProposedContext
	Roles          []ul.RoleSelection
	Extended       []ul.ExtendedNegotiation
}

// same reports two requests that one association can serve after the other.
func (a Ask) same(b Ask) bool {
	return a.Caller == b.Caller && a.CallingAETitle == b.CallingAETitle && slices.Equal(a.Roles, b.Roles) &&
		slices.EqualFunc(a.Extended, b.Extended, func(x, y ul.ExtendedNegotiation) bool {
			return x.SOPClassUID == y.SOPClassUID && bytes.Equal(x.Info, y.Info)
		}) &&
		slices.EqualFunc(a.Contexts, b.Contexts, func(x, y ul.ProposedContext) bool {
			return x.AbstractSyntax == y.AbstractSyntax && slices.Equal(x.TransferSyntaxes, y.TransferSyntaxes)
		})
}

// Pool has the associations to one PACS. Safe for concurrent use.
type Pool struct {
	pacs  PACS
	turns *Turns

	mu     sync.Mutex
	kept   []*kept // the one that was used longest ago first
	closed bool
}

// kept is an association that nobody uses.
type kept struct {
	ask  Ask
	a    *dimse.Association
	ends *time.Timer
}

// New makes a Pool without associations. Close it in the end.
func New(p PACS) *Pool {
	if p.Associations <= 0 {
		p.Associations = DefaultAssociations
	}
	if p.Waiting <= 0 {
		p.Waiting = DefaultWaiting
	}
	if p.Wait <= 0 {
		p.Wait = DefaultWait
	}
	if p.Keep <= 0 {
		p.Keep = defaultKeep
	}
	if p.Limits.Reply <= 0 {
		p.Limits.Reply = replyMost
	}
	pool := &Pool{pacs: p, turns: NewTurns(p.Associations, p.Waiting, p.Wait)}
	pool.turns.undivided = p.Undivided
	return pool
}

// Lease is an association in use. It ends with Return or Drop.
type Lease struct {
	*dimse.Association
	pool *Pool
	ask  Ask
	room *budget.Account
	once sync.Once
}

// Take waits for a turn and gives an association with what is asked for: one that
// was kept, or another. Its error is of kind Busy where too many wait, the turn
// does not come in time or the budget of ctx has no room for what the PACS may answer, and
// Unavailable where the PACS does not take the call.
func (p *Pool) Take(ctx context.Context, ask Ask) (*Lease, error) {
	if err := p.turns.Take(ctx, ask.Caller); err != nil {
		return nil, err
	}

	l := &Lease{pool: p, ask: ask, room: budget.From(ctx).Piece()}
	err := l.room.Grow(leaseRoom)
	if err == nil {
		l.Association, err = p.open(ctx, ask)
	}
	if err != nil {
		l.end()
		return nil, err
	}
	return l, nil
}

// end gives the place and the memory back.
func (l *Lease) end() {
	l.room.Close()
	l.pool.turns.Give(l.ask.Caller)
}

// open finds an association that was kept, or makes one. The caller has a place.
func (p *Pool) open(ctx context.Context, ask Ask) (*dimse.Association, error) {
	a, surplus, err := p.find(ask)
	if surplus != nil {
		end(ctx, surplus.a) // before the call: the PACS may allow no further association
	}
	if a != nil || err != nil {
		return a, err
	}

	if p.pacs.Dial != nil {
		return p.pacs.Dial(ctx, ask)
	}
	a, err = dimse.Dial(ctx, p.pacs.Address, dimse.Config{
		TLSConfig:      p.pacs.TLS,
		CallingAETitle: ask.CallingAETitle,
		CalledAETitle:  p.pacs.AETitle,
		Contexts:       ask.Contexts,
		Roles:          ask.Roles,
		Extended:       ask.Extended,
		Mux:            p.pacs.Mux,
		Principal:      p.pacs.Principal,
		Limits:         p.pacs.Limits,
	})
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err,
			fmt.Sprintf("upstream: %s at %s does not take the call%s", p.pacs.AETitle, p.pacs.Address, because(err, ask.CallingAETitle)))
	}
	return a, nil
}

// because says why a PACS does not take the call, as far as it is known.
func because(err error, as string) string {
	if reason := outward.Reason(err); reason != "" {
		return ": " + reason
	}
	if _, rejected := errors.AsType[*dimse.RejectError](err); rejected {
		return ": it rejects the AE title " + as
	}
	return ""
}

var errClosed = fault.New(fault.Unavailable, "upstream: the way to this PACS is closed")

// find takes an association that was kept for the same. Where there is none and
// all that may be open are, the one that was used longest ago has to end.
func (p *Pool) find(ask Ask) (a *dimse.Association, surplus *kept, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, errClosed
	}

	for i, k := range p.kept {
		if k.a.Err() == nil && k.ask.same(ask) {
			p.remove(i)
			return k.a, nil, nil
		}
	}

	// Places in use and those kept are no more than may be open: each of the
	// others that were kept stands for a free place.
	if len(p.kept) > p.turns.unused() {
		return nil, p.remove(0), nil
	}
	return nil, nil, nil
}

// remove takes one out of those that were kept. Called with mu held.
func (p *Pool) remove(i int) *kept {
	k := p.kept[i]
	k.ends.Stop()
	p.kept = slices.Delete(p.kept, i, i+1)
	return k
}

// Wanted reports whether another caller waits for the place.
func (l *Lease) Wanted() bool { return l.pool.turns.wanted(l.ask.Caller) }

// Return gives the association back, for another request that asks for the same.
func (l *Lease) Return() {
	l.once.Do(func() {
		l.pool.keep(l.ask, l.Association)
		l.end()
	})
}

// Drop ends the association: an operation on it did not come to its end.
func (l *Lease) Drop() {
	l.once.Do(func() {
		l.Abort()
		l.end()
	})
}

// Finish ends a lease after an operation: err is that of it. An association on which the PACS
// answered is as good as before, whatever it said; on another one something may still come.
func (l *Lease) Finish(err error) {
	if _, answered := errors.AsType[*dimse.StatusError](err); answered || err == nil {
		l.Return()
		return
	}
	l.Drop()
}

func (p *Pool) keep(ask Ask, a *dimse.Association) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || a.Err() != nil {
		go end(context.Background(), a)
		return
	}

	k := &kept{ask: ask, a: a}
	k.ends = time.AfterFunc(p.pacs.Keep, func() { p.expire(k) })
	p.kept = append(p.kept, k)
}

// expire ends an association that was kept and that nobody needed again. One that was
// taken out meanwhile is left alone.
func (p *Pool) expire(k *kept) {
	p.mu.Lock()
	i := slices.Index(p.kept, k)
	if i >= 0 {
		p.remove(i)
	}
	p.mu.Unlock()

	if i >= 0 {
		end(context.Background(), k.a)
	}
}

// Usage is how many associations are in use, how many are kept for a like request, and
// how many requests wait for one.
func (p *Pool) Usage() (used, kept, waiting int) {
	p.mu.Lock()
	kept = len(p.kept)
	p.mu.Unlock()

	free, waiting := p.turns.Usage()
	return p.pacs.Associations - free, kept, waiting
}

// Close ends what was kept, and refuses what comes. Leases go on to their end.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	list := p.kept
	p.kept = nil
	p.mu.Unlock()

	for _, k := range list {
		k.ends.Stop()
		end(context.Background(), k.a)
	}
}

// releaseWait is how long a PACS may take to answer a release.
const releaseWait = 5 * time.Second

// end releases an association, or aborts it where that does not work.
func end(ctx context.Context, a *dimse.Association) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWait)
	defer cancel()
	if err := a.Release(ctx); err != nil && !errors.Is(err, dimse.ErrReleased) {
		a.Abort()
	}
}
