package dimse

import (
	"context"
	"io"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// NRequest is a request of a normalized service (PS3.7 10.1).
type NRequest struct {
	Operation Operation
	// SOPClassUID and SOPInstanceUID are the affected or requested ones, whichever
	// the operation has. SOPInstanceUID may be empty in N-CREATE.
	SOPClassUID    string
	SOPInstanceUID string
	// TypeID is the event type of N-EVENT-REPORT or the action type of N-ACTION.
	TypeID uint16
	// Attributes asked for by N-GET.
	AttributeIdentifiers []tag.Tag
	// DataSet is the attribute list, modification list, event or action information; nil when none came.
	DataSet *dicom.DataSet
	// MessageID is of a request from a peer.
	MessageID uint16
	// After, when the handler sets it, runs once the response has been sent, as
	// long as the association is open and fewer than Limits.Window of them wait;
	// else with a context that has ended, to find another way. This is where
	// storage commitment reports on the same association (PS3.4 J.3.3).
	After func(ctx context.Context)
}

// NResponse answers an NRequest.
type NResponse struct {
	Status Status
	// SOPInstanceUID is the affected instance; of a new one in N-CREATE. Left empty
	// by a handler, that of the request is sent.
	SOPInstanceUID string
	DataSet        *dicom.DataSet
}

// NHandler answers requests of a normalized service.
type NHandler func(ctx context.Context, a *Association, rq *NRequest) NResponse

// HandleN registers h for a normalized operation (NEventReport, NGet, NSet, NAction,
// NCreate, NDelete) of the SOP Classes, or of every one.
func (m *Mux) HandleN(op Operation, h NHandler, sopClasses ...string) {
	m.set(op, func(ctx context.Context, x *exchange) Outcome { return x.normalized(ctx, h) }, sopClasses)
}

func (x *exchange) normalized(ctx context.Context, h NHandler) Outcome {
	cmd := x.call.Command
	rq := &NRequest{Operation: cmd.Operation, SOPClassUID: cmd.SOPClassUID(), SOPInstanceUID: cmd.SOPInstanceUID(),
		TypeID: cmd.EventTypeID | cmd.ActionTypeID, AttributeIdentifiers: cmd.AttributeIdentifierList,
		DataSet: x.call.identifier, MessageID: cmd.MessageID}

	rsp := h(ctx, x.call.Association, rq)
	x.after = rq.After
	return Outcome{Status: rsp.Status, Response: &rsp}
}

// N invokes a normalized operation: N-ACTION, N-CREATE and so on as SCU,
// N-EVENT-REPORT as SCP, on either side of the association. A warning is returned
// with a nil error, a failure as *StatusError with the response.
func (a *Association) N(ctx context.Context, rq NRequest) (NResponse, error) {
	pc, err := a.contextFor(rq.SOPClassUID, rq.Operation)
	if err != nil {
		return NResponse{}, err
	}

	cmd := &Command{Operation: rq.Operation, HasDataSet: rq.DataSet != nil, AttributeIdentifierList: rq.AttributeIdentifiers}
	if rq.Operation.requested() {
		cmd.RequestedSOPClassUID = rq.SOPClassUID
		cmd.RequestedSOPInstanceUID = rq.SOPInstanceUID
	} else {
		cmd.AffectedSOPClassUID = rq.SOPClassUID
		cmd.AffectedSOPInstanceUID = rq.SOPInstanceUID
	}

	switch rq.Operation {
	case NEventReport:
		cmd.EventTypeID = rq.TypeID
	case NAction:
		cmd.ActionTypeID = rq.TypeID
	}

	var body io.Reader
	if rq.DataSet != nil {
		body = dataSet(rq.DataSet, pc.TransferSyntax)
	}

	rsp, err := a.invoke(ctx, pc, cmd, body)
	if err != nil {
		return NResponse{}, err
	}

	out := NResponse{Status: rsp.cmd.status(), SOPInstanceUID: rsp.cmd.AffectedSOPInstanceUID}
	if out.DataSet, err = rsp.dataSet(); err != nil {
		return out, err
	}
	return out, statusError(rq.Operation, out.Status)
}

// NAction invokes an N-ACTION (PS3.7 10.1.4).
func (a *Association) NAction(ctx context.Context, rq NRequest) (NResponse, error) {
	rq.Operation = NAction
	return a.N(ctx, rq)
}

// EventReport invokes an N-EVENT-REPORT (PS3.7 10.1.1), also from the acceptor's side
// while the association is open.
func (a *Association) EventReport(ctx context.Context, rq NRequest) (NResponse, error) {
	rq.Operation = NEventReport
	return a.N(ctx, rq)
}
