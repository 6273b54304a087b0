package dimse

import (
	"context"
	"fmt"
	"io"
)

// StoreRequest is a C-STORE (PS3.7 9.1.1).
type StoreRequest struct {
	SOPClassUID    string
	SOPInstanceUID string
	// TransferSyntax of Data. From a peer it is that of the presentation context;
	// to a peer a context with exactly this one must have been accepted.
	TransferSyntax string
	Priority       Priority
	// MoveOriginatorAETitle and MoveOriginatorMessageID are there when a C-MOVE caused this.
	MoveOriginatorAETitle   string
	MoveOriginatorMessageID uint16
	// Data is the data set as a stream, without Part 10 header. From a peer it
	// ends with io.EOF only when the last fragment has come, and is valid until
	// the handler returns; what is left unread is skipped over. To a peer it is
	// read to its end and not closed; it is of even length (ErrOddLength), or
	// deflated as a whole, and then padded.
	Data io.Reader
	// MessageID is of a request from a peer.
	MessageID uint16
}

// StoreHandler stores an instance. When it returns success the instance is safe.
// The titles and the principal are with the association.
type StoreHandler func(ctx context.Context, a *Association, rq *StoreRequest) Status

// HandleStore registers h for C-STORE of the SOP Classes, or of every one.
func (m *Mux) HandleStore(h StoreHandler, sopClasses ...string) {
	m.set(CStore, storeWith(h), sopClasses)
}

func storeWith(h StoreHandler) handler {
	return func(ctx context.Context, x *exchange) Outcome {
		cmd := x.call.Command
		return Outcome{Status: h(ctx, x.call.Association, &StoreRequest{
			SOPClassUID: cmd.AffectedSOPClassUID, SOPInstanceUID: cmd.AffectedSOPInstanceUID,
			TransferSyntax: x.call.Context.TransferSyntax, Priority: cmd.Priority,
			MoveOriginatorAETitle: cmd.MoveOriginatorApplicationEntityTitle, MoveOriginatorMessageID: cmd.MoveOriginatorMessageID,
			Data: x.call.Data, MessageID: cmd.MessageID,
		})}
	}
}

// Store sends an instance and waits for the answer. A warning is returned with a nil
// error; a failure with a *StatusError. When ctx ends while data are being sent the
// association is aborted; when it ends before the answer, the answer is dropped when it comes.
// Several goroutines may call it: they share the asynchronous operations window.
func (a *Association) Store(ctx context.Context, rq StoreRequest) (Status, error) {
	pc, err := a.storeContext(rq.SOPClassUID, rq.TransferSyntax)
	if err != nil {
		return Status{}, err
	}

	cmd := &Command{
		Operation: CStore, HasDataSet: true, Priority: rq.Priority,
		AffectedSOPClassUID: rq.SOPClassUID, AffectedSOPInstanceUID: rq.SOPInstanceUID,
		MoveOriginatorApplicationEntityTitle: rq.MoveOriginatorAETitle, MoveOriginatorMessageID: rq.MoveOriginatorMessageID,
	}

	rsp, err := a.invoke(ctx, pc, cmd, rq.Data)
	if err != nil {
		return Status{}, err
	}

	s := rsp.cmd.status()
	return s, statusError(CStore, s)
}

// storeContext is the accepted context for the SOP Class in exactly the transfer
// syntax, where this side is SCU.
func (a *Association) storeContext(sopClass, ts string) (PresentationContext, error) {
	for _, pc := range a.contexts {
		if pc.AbstractSyntax == sopClass && pc.TransferSyntax == ts && pc.SCU {
			return pc, nil
		}
	}
	return PresentationContext{}, fmt.Errorf("%w: C-STORE of SOP Class %s in transfer syntax %s", ErrNoContext, sopClass, ts)
}

// TransferSyntaxes lists the accepted transfer syntaxes in which this side may
// invoke operations of the SOP Class, in the order of the contexts.
func (a *Association) TransferSyntaxes(sopClass string) []string {
	var out []string
	for _, pc := range a.contexts {
		if pc.AbstractSyntax == sopClass && pc.SCU {
			out = append(out, pc.TransferSyntax)
		}
	}
	return out
}
