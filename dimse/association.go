package dimse

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"

	"collimator/dicom/uid"
	"collimator/dimse/ul"
)

// Association is an established association, on either side (PS3.8 7). Its methods
// are safe for concurrent use. Operations that are invoked together share the
// asynchronous operations window: by default one at a time, the others wait.
//
// One goroutine reads the connection. While a handler of ours reads the data of a
// request, or a caller of Find is slow to take matches, nothing else is read from
// this peer; other associations go on.
type Association struct {
	id        string
	requestor bool
	rq        *AssociateRequest
	contexts  []PresentationContext
	byID      map[uint8]PresentationContext
	extended  []ul.ExtendedNegotiation
	principal any
	// of the peer
	implementationClassUID    string
	implementationVersionName string
	identityResponse          *ul.UserIdentityResponse

	link    *link
	lim     Limits
	mux     *Mux
	log     *slog.Logger
	buffers *buffers
	panics  func(any)
	sendMax int // bytes of a fragment we send

	machine struct {
		sync.Mutex
		ul.Machine
	}
	writing sync.Mutex // held for a whole message

	mu        sync.Mutex
	inbound   map[uint16]*exchange
	afters    map[*exchange]struct{}
	granted   int // requests the peer may have outstanding
	strays    int // C-CANCELs that met nothing, in a row
	pending   map[uint16]*pending
	lastID    uint16
	store     StoreHandler // of a running Get
	releasing bool
	err       error

	window   chan struct{} // our outstanding requests
	done     chan struct{}
	finished chan struct{}
	stop     context.CancelFunc
	handlers sync.WaitGroup

	command []byte // reused by the reader
}

// ID names the association in logs; random.
func (a *Association) ID() string { return a.id }

// Requestor tells whether this side asked for the association.
func (a *Association) Requestor() bool { return a.requestor }

// Request is what was asked, by the peer or by us. Do not change it.
func (a *Association) Request() *AssociateRequest { return a.rq }

// CalledAETitle of the request.
func (a *Association) CalledAETitle() string { return a.rq.CalledAETitle }

// CallingAETitle of the request.
func (a *Association) CallingAETitle() string { return a.rq.CallingAETitle }

// RemoteAddr is the address of the peer.
func (a *Association) RemoteAddr() net.Addr { return a.rq.RemoteAddr }

// TLS is nil without TLS.
func (a *Association) TLS() *tls.ConnectionState { return a.rq.TLS }

// Principal is what Acceptance or Config carried.
func (a *Association) Principal() any { return a.principal }

// Contexts lists the accepted presentation contexts.
func (a *Association) Contexts() []PresentationContext { return slices.Clone(a.contexts) }

// PeerImplementation names the software of the peer, as it claims.
func (a *Association) PeerImplementation() (classUID, versionName string) {
	return a.implementationClassUID, a.implementationVersionName
}

// IdentityResponse is the peer's positive answer to our user identity; nil when there was none.
func (a *Association) IdentityResponse() *ul.UserIdentityResponse { return a.identityResponse }

// ExtendedNegotiation is what was settled for a SOP Class (PS3.7 D.3.3.5).
func (a *Association) ExtendedNegotiation(sopClass string) ([]byte, bool) {
	for _, x := range a.extended {
		if x.SOPClassUID == sopClass {
			return x.Info, true
		}
	}
	return nil, false
}

// QueryOptions is ExtendedNegotiation read as the service of the SOP Class has it
// (PS3.4 C.5.1.1, C.5.2.1, C.5.3.1).
func (a *Association) QueryOptions(sopClass string) QueryOptions {
	info, _ := a.ExtendedNegotiation(sopClass)
	if serviceOf(sopClass) == retrievals {
		return parseRetrieveOptions(info)
	}
	return ParseQueryOptions(info)
}

// Done is closed when the association has ended.
func (a *Association) Done() <-chan struct{} { return a.done }

// Err tells how it ended once Done is closed: ErrReleased, *AbortError, ErrClosed, ErrTimeout ...
func (a *Association) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// parts is what both sides bring to an association.
type parts struct {
	rq        *AssociateRequest
	contexts  []PresentationContext
	extended  []ul.ExtendedNegotiation
	link      *link
	lim       Limits
	mux       *Mux
	log       *slog.Logger
	buffers   *buffers
	panics    func(any)
	peer      *ul.UserInformation
	window    *ul.AsyncWindow // settled
	machine   ul.Machine
	principal any
}

// establish makes an association in Sta6. The context is for run and ends with the association.
func establish(ctx context.Context, p parts) (context.Context, *Association) {
	a := &Association{
		id:        newID(),
		requestor: p.machine.Requestor(),
		rq:        p.rq,
		contexts:  p.contexts,
		byID:      make(map[uint8]PresentationContext, len(p.contexts)),
		extended:  p.extended,
		principal: p.principal,

		implementationClassUID:    p.peer.ImplementationClassUID,
		implementationVersionName: p.peer.ImplementationVersionName,
		identityResponse:          p.peer.IdentityResponse,

		link:    p.link,
		lim:     p.lim,
		mux:     p.mux,
		log:     p.log,
		buffers: p.buffers,
		panics:  p.panics,

		inbound:  make(map[uint16]*exchange),
		afters:   make(map[*exchange]struct{}),
		pending:  make(map[uint16]*pending),
		done:     make(chan struct{}),
		finished: make(chan struct{}),
	}

	for _, pc := range p.contexts {
		a.byID[pc.ID] = pc
	}

	a.machine.Machine = p.machine

	// PS3.7 D.3.3.3: invoked is by the requestor, performed is invoked by the acceptor.
	w := ul.AsyncWindow{Invoked: 1, Performed: 1}
	if p.window != nil {
		w = *p.window
	}

	ours, theirs := w.Invoked, w.Performed
	if !a.requestor {
		ours, theirs = theirs, ours
	}

	a.granted = int(smaller(theirs, uint16(min(p.lim.Window, 0xFFFF))))
	a.window = make(chan struct{}, smaller(ours, uint16(min(p.lim.Window, 0xFFFF))))

	limit := p.lim.SendPDU
	if p.peer.MaxPDULength != 0 {
		limit = min(limit, p.peer.MaxPDULength)
	}
	a.sendMax = int(limit-ul.PDVHeaderLength) &^ 1

	ctx, a.stop = context.WithCancel(ctx)
	return ctx, a
}

// leastPDU is the shortest maximum length of a peer that leaves room for content, in bytes.
const leastPDU = ul.PDVHeaderLength + 2

func newID() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// contextFor is the accepted context in which this side may invoke op for the SOP Class.
func (a *Association) contextFor(sopClass string, op Operation) (PresentationContext, error) {
	for _, pc := range a.contexts {
		if pc.AbstractSyntax != sopClass {
			continue
		}
		if op == NEventReport && pc.SCP || op != NEventReport && pc.SCU {
			return pc, nil
		}
	}

	for _, pc := range a.contexts { // classes of a meta SOP Class
		if metaClass(pc.AbstractSyntax) && (op == NEventReport && pc.SCP || op != NEventReport && pc.SCU) {
			return pc, nil
		}
	}
	return PresentationContext{}, fmt.Errorf("%w: %s of %s", ErrNoContext, op, uid.Name(sopClass))
}

// metaClass reports the meta SOP Classes of print management (PS3.4 H.3.2), whose
// contexts carry operations of other SOP Classes.
func metaClass(abstractSyntax string) bool {
	switch abstractSyntax {
	case uid.BasicGrayscalePrintManagement, uid.BasicColorPrintManagement, uid.PullStoredPrintManagement:
		return true
	}
	return false
}
