package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/gate/kind"
	"collimator/internal/guard"
	"collimator/internal/outbox"
	"collimator/internal/policy"
	"collimator/internal/upstream"
)

// Judge reads and judges what passes, as at every route.
type Judge interface {
	// Object reads the head of an object and judges it; the status says why it goes
	// nowhere. most is the most bytes that may be written of it.
	Object(ctx context.Context, rq *dimse.StoreRequest, most int64) (Object, *dimse.Status)
	// DataSet judges that of a normalized operation, and Identifier that of a query.
	DataSet(ctx context.Context, ds *dicom.DataSet) error
	Identifier(ds *dicom.DataSet) error
	// Contradicts says why an object is held that contradicts what went through, and
	// what its sender is told.
	Contradicts(firstwrite.Conflict) (archive.Reason, dimse.Status)
}

// Object is one whose head was judged.
type Object interface {
	Whose() guard.Passing
	Instance(route string) firstwrite.Instance
	// Write writes it, decoded and written anew.
	Write(w io.Writer) (firstwrite.Content, error)
	// Refused is the status for an error of Write.
	Refused(err error) dimse.Status
}

// Options are the parts of an Outbound; all but Patience are needed.
type Options struct {
	// Mux is one that the guard made: handlers are added to it.
	Mux    *dimse.Mux
	Judge  Judge
	Outbox *outbox.Outbox
	Memory *firstwrite.Memory
	DB     *db.DB
	Trail  *audit.Trail
	// Certificate is the gate's own, which targets are shown.
	Certificate func() (*tls.Certificate, error)
	// Outgoing makes who is behind a service into what an association carries that is
	// opened to it.
	Outgoing func(service *guard.Service, address, aeTitle string) any
	// Hold keeps back what contradicts what went through; held is false where there is no
	// room for it.
	Hold func(ctx context.Context, route string, in archive.Incoming, why archive.Reason) (held bool, err error)
	Log  *slog.Logger
	Now  func() time.Time
	// Patience is how long a target may take to answer; so long one object holds up the other
	// studies of its target. 0 means a minute.
	Patience time.Duration
}

// errClosed refuses what comes for a route that is closed, and errGone for one that is
// not there any more, or is another modality's.
var (
	errClosed = fault.New(fault.Unavailable, "gate: the route is closed; 'collimator gate reopen' lets callers through again")
	errGone   = fault.New(fault.Unavailable, "gate: the route is gone, or another modality's")
)

// Outbound has the routes of modalities as they are now. Safe for concurrent use.
type Outbound struct {
	Options
	answers chan struct{} // a modality asked for storage commitment
	fronts  kind.Fronts
	names   kind.Names

	mu     sync.Mutex
	routes map[string]*route
	open   kind.Associations // of modalities

	answering map[string]bool      // routes whose requests for commitment are looked at
	later     map[string]time.Time // until when a modality that took no report is left alone
}

// route is a Route in use.
type route struct {
	Route
	rules           *policy.Route
	modality        string
	from            netip.AddrPort
	target, address string
	offers          *offers
	pool            *upstream.Pool // for what is passed through
}

// New makes an Outbound without routes. Run has to run.
func New(o Options) *Outbound {
	b := &Outbound{
		Options: o, answers: make(chan struct{}, 1), routes: map[string]*route{},
		open: kind.Associations{}, answering: map[string]bool{}, later: map[string]time.Time{},
	}
	b.Mux.HandleEcho(nil)
	b.Mux.HandleStore(b.store)
	b.Mux.HandleFind(b.worklist, uid.ModalityWorklistFind)
	b.Mux.HandleN(dimse.NCreate, b.procedureStep, uid.ModalityPerformedProcedureStep)
	b.Mux.HandleN(dimse.NSet, b.procedureStep, uid.ModalityPerformedProcedureStep)
	b.Mux.HandleN(dimse.NAction, b.commit, uid.StorageCommitmentPushModel)
	b.Mux.HandleN(dimse.NEventReport, b.report, uid.StorageCommitmentPushModel)
	return b
}

// Take puts routes in place of those before. What is under way on one that is closed,
// gone or another one ends at once; what waits stays.
func (b *Outbound) Take(routes []Route) {
	ways := map[string]outbox.Way{}
	b.mu.Lock()
	next := make(map[string]*route, len(routes))
	for _, r := range routes {
		now := b.newRoute(r, b.routes[r.Name])
		next[r.Name] = now
		if !r.Closed {
			ways[r.Name] = b.way(now)
		}
	}
	for name, old := range b.routes {
		if next[name] != old {
			go old.pool.Close() // waits for nobody who asks
		}
	}
	ended := b.open.Of(func(name string) bool {
		now := next[name]
		return now == nil || now.Closed || now != b.routes[name]
	})
	b.routes = next
	b.mu.Unlock()

	var aborting sync.WaitGroup
	aborting.Go(func() { kind.AbortAll(ended) })
	b.Outbox.Set(ways)
	aborting.Wait()
}

// newRoute makes a route; one that did not change goes on as it is. r was checked.
func (b *Outbound) newRoute(r Route, before *route) *route {
	if before != nil && reflect.DeepEqual(before.Route, r) {
		return before
	}
	out := &route{Route: r}
	out.modality, out.from, _ = r.Modality()
	out.target, out.address, _ = r.Target()
	verbs, _ := r.verbs()
	out.rules = &policy.Route{Name: r.Name, Sends: true,
		Rules: []policy.RouteRule{{Name: "allow", Who: []string{out.modality}, Verbs: verbs}}}
	out.offers = newOffers(b.DB, r.Name, b.Now)
	out.pool = upstream.New(upstream.PACS{
		Undivided: true, // the modality is the one caller
		Dial: func(ctx context.Context, ask upstream.Ask) (*dimse.Association, error) {
			return b.dial(ctx, out, ask.Contexts)
		},
	})
	return out
}

// Service is the route for an association that a modality asks for, by its AE title, its
// address and the AE title it calls; or that a target asks for, to report. nil for others.
func (b *Outbound) Service(rq *dimse.AssociateRequest) *guard.Service {
	b.mu.Lock()
	var from *route
	var to []*route // several may lead to systems of one name
	for _, r := range b.routes {
		if r.sends(rq) {
			from = r
		}
		if rq.CallingAETitle == r.target && rq.CalledAETitle == r.as() {
			to = append(to, r)
		}
	}
	b.mu.Unlock()

	if from != nil {
		return b.forModality(from)
	}
	i := slices.IndexFunc(to, func(r *route) bool { return b.isTarget(r, rq) })
	if i < 0 {
		return nil
	}
	return b.forTarget(to[i])
}

// sends reports an association that the modality of a route asks for, to send.
func (r *route) sends(rq *dimse.AssociateRequest) bool {
	return rq.TLS == nil && rq.CallingAETitle == r.modality && guard.AddressOf(rq.RemoteAddr) == r.from.Addr() &&
		(rq.CalledAETitle == r.target || rq.CalledAETitle == r.Name)
}

// current is a route as it is now; its error, that nobody is let through.
func (b *Outbound) current(was *route) (*route, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.routes[was.Name]
	switch {
	case r == nil || r.modality != was.modality || r.from.Addr() != was.from.Addr() || r.target != was.target:
		return nil, errGone
	case r.Closed:
		return nil, errClosed
	}
	return r, nil
}

// currentTo is a route as it is now, for its target: whoever the modality is.
func (b *Outbound) currentTo(was *route) (*route, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.routes[was.Name]
	switch {
	case r == nil || r.mark() != was.mark():
		return nil, errGone
	case r.Closed:
		return nil, errClosed
	}
	return r, nil
}

// forModality is the service for the modality of a route, as long as it is that one.
func (b *Outbound) forModality(was *route) *guard.Service {
	s := guard.Behind(was.Name, func() (string, *policy.Route, error) {
		r, err := b.current(was)
		if err != nil {
			return "", nil, err
		}
		return r.modality, r.rules, nil
	})
	s.Negotiate = func(ctx context.Context, rq *dimse.AssociateRequest, _ policy.Principal) (dimse.Acceptance, error) {
		r, err := b.current(was)
		if err != nil {
			return dimse.Acceptance{}, err
		}
		return b.negotiate(ctx, r, rq), nil
	}
	return s
}

// of is the route of an association with a modality.
func (b *Outbound) of(a *dimse.Association) (*route, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.routes {
		if r.sends(a.Request()) {
			if r.Closed {
				return nil, errClosed
			}
			return r, nil
		}
	}
	return nil, errGone
}

// negotiate answers the contexts of a modality: objects as the target takes them.
func (b *Outbound) negotiate(ctx context.Context, r *route, rq *dimse.AssociateRequest) dimse.Acceptance {
	verbs, _ := r.verbs()
	may := func(v policy.Verb) bool { return slices.Contains(verbs, v) }
	var taken map[string][]string
	if may(policy.Store) {
		taken = r.offers.of(ctx, wanted(rq.Contexts), b.asker(r))
	}

	acc := dimse.Negotiate(rq, dimse.Support{
		TransferSyntaxes: func(class string) []string {
			switch {
			case class == uid.Verification && may(policy.Echo),
				class == uid.StorageCommitmentPushModel && may(policy.Commit),
				class == uid.ModalityWorklistFind && may(policy.Worklist),
				class == uid.ModalityPerformedProcedureStep && may(policy.Performed):
				return uid.NativeSyntaxes()
			}
			return taken[class]
		},
		RequestorOrder: true,
	})
	acc.Mux = b.Mux
	return acc
}

// Opened is told of each association once it is established; ended is to run at its
// end. mine is false where it is of no outbound route.
func (b *Outbound) Opened(a *dimse.Association) (ended func(), mine bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, r := range b.routes {
		if !r.sends(a.Request()) {
			continue
		}
		if r.Closed { // since it was admitted
			go a.Abort()
			return nil, true
		}
		b.open.Add(name, a)
		return func() { b.leave(name, a) }, true
	}
	return nil, false
}

func (b *Outbound) leave(name string, a *dimse.Association) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open.Remove(name, a)
}

// Close ends the associations that are kept.
func (b *Outbound) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.routes {
		r.pool.Close()
	}
}

// peerStatus is the status that a peer answered with, where the error is that it was a failure.
func peerStatus(err error) (dimse.StatusCode, bool) {
	e, ok := errors.AsType[*dimse.StatusError](err)
	if !ok {
		return 0, false
	}
	return e.Status.Code, true
}
