package dimse

import (
	"context"
	"errors"
	"iter"

	"collimator/dicom"
)

// Match is one answer to a C-FIND.
type Match struct {
	Identifier *dicom.DataSet
	// OptionalKeys tells that an optional key was not supported (status FF01H).
	OptionalKeys bool
}

// FindRequest is a C-FIND (PS3.7 9.1.2, PS3.4 C.4.1).
type FindRequest struct {
	SOPClassUID string
	Priority    Priority
	Identifier  *dicom.DataSet
	// Options are what extended negotiation settled; of a request from a peer.
	Options QueryOptions
	// MessageID is of a request from a peer.
	MessageID uint16
}

// FindHandler calls yield for each match and returns the final status. When yield
// returns false the handler stops: C-CANCEL came (ctx is done then too, its
// cause is ErrCanceled) or the association ended. After a C-CANCEL the peer gets FE00H
// whatever is returned.
type FindHandler func(ctx context.Context, a *Association, rq *FindRequest, yield func(Match) bool) Status

// HandleFind registers h for C-FIND of the SOP Classes, or of every one.
func (m *Mux) HandleFind(h FindHandler, sopClasses ...string) {
	m.set(CFind, func(ctx context.Context, x *exchange) Outcome { return x.find(ctx, h) }, sopClasses)
}

func (x *exchange) find(ctx context.Context, h FindHandler) Outcome {
	if x.call.identifier == nil {
		return Outcome{Status: DataSetDoesNotMatchSOPClass.With("identifier missing")}
	}

	var out Outcome
	a := x.call.Association
	cmd := x.call.Command
	rq := &FindRequest{SOPClassUID: cmd.AffectedSOPClassUID, Priority: cmd.Priority, Identifier: x.call.identifier,
		MessageID: cmd.MessageID, Options: a.QueryOptions(cmd.AffectedSOPClassUID)}

	status := h(ctx, a, rq, func(m Match) bool {
		if ctx.Err() != nil {
			return false
		}
		if x.call.Observe != nil && !x.call.Observe(Observation{Match: m.Identifier}) {
			return true
		}
		rsp := x.response(Pending)
		if m.OptionalKeys {
			rsp.Status = PendingOptionalKeys
		}
		if err := x.send(rsp, m.Identifier); err != nil {
			return false
		}
		out.Matches++
		return true
	})

	out.Status = x.canceled(ctx, status)
	return out
}

// canceled replaces a status by FE00H when a C-CANCEL ended the operation.
func (x *exchange) canceled(ctx context.Context, s Status) Status {
	if context.Cause(ctx) == ErrCanceled {
		return Status{Code: Cancel, Cause: s.Cause}
	}
	return s
}

// errNoIdentifier is a match that holds nothing.
var errNoIdentifier = errors.New("dimse: C-FIND: pending response without identifier (PS3.4 C.4.1.1.3)")

// Find sends a C-FIND and gives the matches as they come. A failure ends the sequence
// with a *StatusError; a nil error with every Match. Breaking off, or the end of ctx,
// sends a C-CANCEL; the rest of the answers is dropped. When ctx has ended and the
// peer does not end the operation within 5 s, the association is aborted. A match
// always has an Identifier. A slow consumer holds up the
// peer and every other operation of this association.
func (a *Association) Find(ctx context.Context, rq FindRequest) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		pc, err := a.contextFor(rq.SOPClassUID, CFind)
		if err != nil {
			yield(Match{}, err)
			return
		}

		cmd := &Command{Operation: CFind, HasDataSet: true, AffectedSOPClassUID: rq.SOPClassUID, Priority: rq.Priority}
		p, err := a.begin(ctx, pc, cmd, dataSet(rq.Identifier, pc.TransferSyntax))
		if err != nil {
			yield(Match{}, err)
			return
		}
		defer p.abandon()

		stop := context.AfterFunc(ctx, p.cancelBounded)
		defer stop()

		for {
			rsp, err := p.next(ctx)
			if err != nil {
				yield(Match{}, err)
				return
			}

			if rsp.cmd.Status.Class() != ClassPending {
				if err := statusError(CFind, rsp.cmd.status()); err != nil {
					yield(Match{}, err)
				}
				return
			}

			ds, err := rsp.dataSet()
			if err == nil && ds == nil {
				err = errNoIdentifier
			}
			if !yield(Match{Identifier: ds, OptionalKeys: rsp.cmd.Status == PendingOptionalKeys}, err) || err != nil {
				return
			}
		}
	}
}
