package dimse

import (
	"context"
	"io"
	"iter"

	"collimator/dicom"
	"collimator/dimse/ul"
)

// RetrieveRequest is a C-GET or C-MOVE (PS3.7 9.1.3, 9.1.4; PS3.4 C.4.2, C.4.3).
type RetrieveRequest struct {
	// Operation is CGet or CMove.
	Operation   Operation
	SOPClassUID string
	Priority    Priority
	Identifier  *dicom.DataSet
	// MoveDestination is an AE title; of a C-MOVE. It is a name to look up in a
	// register of ours, never an address.
	MoveDestination string
	Options         QueryOptions
	MessageID       uint16
}

// SubOperation is one instance to be sent.
type SubOperation struct {
	SOPClassUID    string
	SOPInstanceUID string
	// Ref is by what the handler knows the instance, for an Interceptor.
	Ref any
	// TransferSyntaxes in which Open can give it, best first: as stored, then
	// those it can be converted to.
	TransferSyntaxes []string
	// Open gives the data set without Part 10 header in one of the accepted
	// transfer syntaxes, and which one. What Open refuses is one failed
	// sub-operation; an error when body is read ends the association, because half
	// of the message is out. body is of even length (see StoreRequest.Data); dimse
	// closes it.
	Open func(ctx context.Context, accepted []string) (body io.ReadCloser, transferSyntax string, err error)
}

// RetrievePlan is what a handler decided to send.
type RetrievePlan struct {
	// Count of sub-operations; SubOperations yields as many. Fewer count as failed,
	// more are not sent.
	Count         int
	SubOperations iter.Seq[SubOperation]
	// Destination of a C-MOVE; nil answers A801H.
	Destination Destination
	// Perform, when set, has the sub-operations performed by somebody else and takes
	// the place of the other fields: it returns when they are over, with what that
	// one says of them. Its context ends with a C-CANCEL, the cause of which is
	// ErrCanceled, and with the association. The counts of the final response are
	// those of the result, Counted or not.
	Perform func(ctx context.Context, p *Performance) RetrieveResult
}

// Destination opens the associations of a C-MOVE with the presentation contexts
// given. Dialer is one; the gate or a test may have another.
type Destination interface {
	Dial(ctx context.Context, contexts []ul.ProposedContext) (*Association, error)
}

// Dialer is a Destination at an address.
type Dialer struct {
	// Address is host:port.
	Address string
	Config  Config
}

var _ Destination = Dialer{}

// Dial implements Destination: Config with the contexts given.
func (d Dialer) Dial(ctx context.Context, contexts []ul.ProposedContext) (*Association, error) {
	cfg := d.Config
	cfg.Contexts = contexts
	return Dial(ctx, d.Address, cfg)
}

// RetrieveHandler resolves an identifier to a plan, or refuses with a status that
// is not success (A701H, A900H, C000H ...; A801H for an unknown destination). dimse
// sends the instances, counts, tells the peer about progress and honours C-CANCEL.
type RetrieveHandler func(ctx context.Context, a *Association, rq *RetrieveRequest) (*RetrievePlan, Status)

// HandleGet registers h for C-GET of the SOP Classes, or of every one.
func (m *Mux) HandleGet(h RetrieveHandler, sopClasses ...string) {
	m.set(CGet, func(ctx context.Context, x *exchange) Outcome { return x.retrieve(ctx, h) }, sopClasses)
}

// HandleMove registers h for C-MOVE of the SOP Classes, or of every one.
func (m *Mux) HandleMove(h RetrieveHandler, sopClasses ...string) {
	m.set(CMove, func(ctx context.Context, x *exchange) Outcome { return x.retrieve(ctx, h) }, sopClasses)
}

// RetrieveResult is how a C-GET or C-MOVE stands or ended.
type RetrieveResult struct {
	Status        Status
	SubOperations SubOperations
	// Counted tells that the peer gave SubOperations. It need not in a final
	// response (PS3.7 9.1.3, 9.1.4); then they are all 0 and say nothing.
	Counted bool
	// FailedSOPInstanceUIDs is of the final response (0008,0058).
	FailedSOPInstanceUIDs []string
}

// GetRequest asks the peer to send instances over this association.
type GetRequest struct {
	SOPClassUID string
	Priority    Priority
	Identifier  *dicom.DataSet
	// Store receives them. The roles for their SOP Classes must have been
	// negotiated (Config.Roles with SCP).
	Store StoreHandler
	// Progress sees each pending response; may be nil.
	Progress func(RetrieveResult)
}

// MoveRequest asks the peer to send instances to another AE.
type MoveRequest struct {
	SOPClassUID     string
	Priority        Priority
	Identifier      *dicom.DataSet
	MoveDestination string
	// Progress sees each pending response; may be nil.
	Progress func(RetrieveResult)
}
