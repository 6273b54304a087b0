// Package gate stands in front of systems that nobody can patch. What comes for one
// of them passes the guard, is decoded, judged and written anew, and goes out on an
// association of the gate's own; what cannot be decided goes nowhere. It holds the
// routes and the DIMSE services over them, and decides about no caller itself.
package gate

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/budget"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/gate/kind"
	"collimator/internal/gate/messages"
	"collimator/internal/gate/outbound"
	"collimator/internal/gate/reverse"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/registers"
	"collimator/internal/state"
)

// errGone and errClosed refuse what comes for a route that was there a moment ago.
var (
	errGone   = fault.New(fault.Unavailable, "gate: the route is gone")
	errClosed = fault.New(fault.Unavailable, "gate: the route is closed; 'collimator gate reopen' lets callers through again")
)

// Options are the parts of a Gate; all but States are needed.
type Options struct {
	// File has the routes, and Every is how often it is looked at; 0 is half a second.
	File  string
	Every time.Duration
	// Mux is one that the guard made: the gate adds its handlers.
	Mux *dimse.Mux
	// Outgoing makes who is behind a service into what an association that the gate
	// opens to it carries.
	Outgoing func(service *guard.Service, address, aeTitle string) any
	// Destination finds where a registered device takes associations; fault.NotFound
	// where none has the title, or takes any.
	Destination func(ctx context.Context, aeTitle string) (dimse.Dialer, error)
	// DB and Registers keep which reports of storage commitment are awaited.
	DB        *db.DB
	Registers *registers.Book
	// Memory knows what went through, and Spool is the directory in which what comes
	// again is kept while it is compared.
	Memory *firstwrite.Memory
	Spool  string
	// Room fails where the disk has none for what is spooled.
	Room func() error
	// Hold keeps back what came for a route and contradicts what went through; held is
	// false where there is no room for it.
	Hold func(ctx context.Context, route string, in archive.Incoming, why archive.Reason) (held bool, err error)
	// Inspect judges what stands in the head of an object.
	Inspect func(context.Context, archive.Inspected) archive.Inspection
	// Outbound has the routes of that kind; may be nil.
	Outbound Outbound
	// FaceIdle is how long the system behind may leave a question of people without an answer or a
	// part of one; 0 is a minute.
	FaceIdle time.Duration
	// Pages has the pages of systems behind routes; may be nil.
	Pages interface{ Take([]reverse.Route) }
	// Messages has the routes of that kind; may be nil.
	Messages interface{ Take([]messages.Route) }
	// States is told how routes are; may be nil.
	States *state.Register
	Log    *slog.Logger
	Now    func() time.Time
}

// Outbound has the outbound routes of a gate.
type Outbound interface {
	// Take puts routes in place of those before; what is under way on one that is closed or
	// gone ends at once.
	Take([]outbound.Route)
}

// Gate has the routes as they are now. Safe for concurrent use.
type Gate struct {
	Options
	retrievals   retrievals
	destinations destinations
	commitments  commitments
	spools       *budget.Budget // bytes on the disk
	paceEvery    time.Duration
	flows        *flows
	watched      watched // by Run alone

	mu     sync.Mutex
	all    []Route           // of every kind
	routes map[string]*route // those to systems behind, by name
	open   kind.Associations // of callers, and of systems behind that send
}

// New makes a gate with the routes of its file, and fails where that cannot be
// understood. Run has to run, and Close to be called in the end.
func New(o Options) (*Gate, error) {
	g := &Gate{Options: o, spools: budget.New(spoolAll), paceEvery: paceEvery, routes: map[string]*route{}, open: kind.Associations{}}
	g.destinations.gate = g
	g.commitments.gate = g
	g.flows = newFlows(o.DB, o.Log, o.Now)
	if err := g.begin(); err != nil {
		return nil, err
	}

	g.lookUp(context.Background())
	g.register()
	return g, nil
}

// register adds the services to the multiplexer.
func (g *Gate) register() {
	g.Mux.HandleEcho(g.echo)
	g.Mux.HandleFind(g.find)
	g.Mux.HandleStore(g.store)
	g.Mux.HandleGet(g.get)
	g.Mux.HandleMove(g.move)
	g.Mux.HandleN(dimse.NCreate, g.procedureStep, uid.ModalityPerformedProcedureStep)
	g.Mux.HandleN(dimse.NSet, g.procedureStep, uid.ModalityPerformedProcedureStep)
	g.Mux.HandleN(dimse.NAction, g.commit, uid.StorageCommitmentPushModel)
	g.Mux.HandleN(dimse.NEventReport, g.report, uid.StorageCommitmentPushModel)
}

// Routes lists the routes as they are now, by name.
func (g *Gate) Routes() (list []Route) {
	g.mu.Lock()
	defer g.mu.Unlock()
	list = slices.Clone(g.all)
	slices.SortFunc(list, func(a, b Route) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// at is the route with a name; errGone or errClosed where nobody is let through.
func (g *Gate) at(name string) (*route, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.routes[name]
	switch {
	case r == nil:
		return nil, errGone
	case r.Closed:
		return nil, errClosed
	}
	return r, nil
}

// Service is the route with an AE title; nil where none has it.
func (g *Gate) Service(aeTitle string) *guard.Service {
	g.mu.Lock()
	_, known := g.routes[aeTitle]
	g.mu.Unlock()
	if !known {
		return nil
	}

	return &guard.Service{
		Name: aeTitle,
		Negotiate: func(ctx context.Context, rq *dimse.AssociateRequest, device policy.Principal) (dimse.Acceptance, error) {
			return g.negotiate(ctx, rq, device)
		},
		Grants: func(rq *dimse.AssociateRequest, device policy.Principal) bool {
			r, err := g.at(aeTitle)
			return err != nil || len(r.ask(g.Now(), rq, device).Contexts) > 0
		},
		Route: func() (*policy.Route, error) {
			r, err := g.at(aeTitle)
			if err != nil {
				return nil, err
			}
			return r.rules, nil
		},
	}
}

// Close ends the associations to the systems behind the gate.
func (g *Gate) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.routes {
		r.pool.Close()
	}
	g.destinations.close()
}
