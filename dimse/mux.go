package dimse

import (
	"context"
	"errors"
	"io"

	"collimator/dicom"
)

// Call is one request on its way to its handler, as an Interceptor sees it.
type Call struct {
	Association *Association
	Operation   Operation
	// Command is the decoded command set; do not change it.
	Command *Command
	// Context is the presentation context the request came in.
	Context        PresentationContext
	SOPClassUID    string
	SOPInstanceUID string
	// Data is the data set of a C-STORE as a stream in the transfer syntax of
	// Context. An interceptor may put a reader there that reads along.
	Data io.Reader
	// Account, when set by an interceptor, is asked for what Identifier keeps in memory.
	Account dicom.Account
	// Observe, when set by an interceptor, sees every match of a C-FIND and every
	// finished sub-operation before the peer does; false withholds a match.
	Observe func(Observation) bool
	// Sending, when set by an interceptor, is asked before each sub-operation of
	// C-GET and C-MOVE; what it refuses fails alone.
	Sending func(context.Context, SubOperation) error

	body       *body // of a request that has a data set
	identifier *dicom.DataSet
	unreadable error // why there is no identifier
	read       bool
}

// Identifier is the data set of a request other than C-STORE; nil when it has
// none. The first call reads and decodes it, so that an interceptor that decides
// by operation and SOP Class has spent nothing on who is refused. Its error is
// for the peer: the Status that Unreadable makes of it.
func (c *Call) Identifier() (*dicom.DataSet, error) {
	if c.read || c.body == nil || c.Operation == CStore {
		return c.identifier, c.unreadable
	}
	c.read = true

	options := identifierOptions(c.Context.TransferSyntax, c.Association.lim.Identifier)
	options.Account = c.Account
	ds, err := dicom.Decode(c.body, options)
	if c.body.fatal != nil {
		c.unreadable = c.body.fatal
		return nil, c.unreadable
	}

	c.body.close() // gives the turn back: C-CANCEL may come
	if err != nil {
		c.unreadable = err
		return nil, err
	}
	c.identifier = ds
	return ds, nil
}

// Keys is the data set that Identifier has read; nil before that, and where there
// is none.
func (c *Call) Keys() *dicom.DataSet { return c.identifier }

// Unreadable is the outcome of a request whose Identifier failed with err: out of
// resources where Account had nothing left, else that it cannot be understood.
func Unreadable(err error) Outcome {
	if _, syntax := errors.AsType[*dicom.SyntaxError](err); syntax || errors.Is(err, dicom.ErrLimit) {
		return Outcome{Status: CannotUnderstand.Because(err)}
	}
	return Outcome{Status: OutOfResources.Because(err)}
}

// Observation is one result within an operation.
type Observation struct {
	// Match is an identifier of C-FIND, else nil.
	Match *dicom.DataSet
	// SubOperation is a finished sub-operation of C-GET or C-MOVE, else nil; Status is its outcome.
	SubOperation *SubOperation
	Status       Status
}

// Outcome is what became of a request.
type Outcome struct {
	// Status of the final response. For N- operations Response has more.
	Status Status
	// SubOperations of C-GET and C-MOVE.
	SubOperations SubOperations
	// Matches sent for C-FIND.
	Matches int
	// Bytes of the data set of C-STORE read from the peer.
	Bytes int64
	// Response of an N- operation.
	Response *NResponse

	failed *dicom.DataSet // Failed SOP Instance UID List
}

// Interceptor stands between the association and every handler of a Mux. To let the
// request through it calls next once and returns what next returned, changed or not;
// to refuse it returns an Outcome with a Status without calling next.
type Interceptor func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome

// Unguarded lets every request through. It is for tests and for programs whose
// every peer may do everything; reviewers grep for it.
func Unguarded(ctx context.Context, _ *Call, next func(context.Context) Outcome) Outcome {
	return next(ctx)
}

// Mux finds the handler of a request by operation and SOP Class. Every request
// passes its Interceptor first, also one that has no handler. Register handlers
// before the Mux is used; after that it is safe for concurrent use.
type Mux struct {
	guard    Interceptor
	handlers map[route]handler
}

type route struct {
	op       Operation
	sopClass string // "" is every SOP Class
}

// handler is what a service's handler becomes in the Mux.
type handler func(ctx context.Context, x *exchange) Outcome

// NewMux returns a Mux with no handlers. guard may not be nil: there is no Mux
// without an Interceptor. The zero Mux answers everything with NotAuthorized.
func NewMux(guard Interceptor) *Mux {
	if guard == nil {
		panic("dimse: NewMux without an Interceptor")
	}
	return &Mux{guard: guard, handlers: make(map[route]handler)}
}

// set registers h for the SOP Classes, or for every one when none is named.
func (m *Mux) set(op Operation, h handler, sopClasses []string) {
	if m.guard == nil {
		panic("dimse: handler registered with the zero Mux")
	}
	if len(sopClasses) == 0 {
		sopClasses = []string{""}
	}
	for _, c := range sopClasses {
		m.handlers[route{op, c}] = h
	}
}

// find is the handler for the request, or a handler that says there is none
// (PS3.7 C.5.24, C.5.25).
func (m *Mux) find(op Operation, sopClass string) handler {
	if h, ok := m.handlers[route{op, sopClass}]; ok {
		return h
	}
	if h, ok := m.handlers[route{op, ""}]; ok {
		return h
	}

	code := UnrecognizedOperation
	for r := range m.handlers {
		if r.op == op {
			code = SOPClassNotSupported
		}
	}

	return func(context.Context, *exchange) Outcome { return Outcome{Status: Status{Code: code}} }
}

// run takes one request through the interceptor to its handler.
func (m *Mux) run(ctx context.Context, x *exchange) Outcome {
	if m == nil || m.guard == nil {
		return Outcome{Status: Status{Code: NotAuthorized}}
	}

	h := m.find(x.call.Operation, x.call.SOPClassUID)
	return m.guard(ctx, x.call, func(ctx context.Context) Outcome {
		if _, err := x.call.Identifier(); err != nil {
			return Unreadable(err)
		}
		return h(ctx, x)
	})
}
