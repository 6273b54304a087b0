package gate

import (
	"context"
	"errors"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// procedureStep passes on N-CREATE and N-SET of a modality performed procedure step (PS3.4
// F.7). Who may see some studies only may tell of none.
func (g *Gate) procedureStep(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	if rq.DataSet == nil {
		return dimse.NResponse{Status: dimse.Status{Code: dimse.MissingAttribute, Comment: "the data set is missing"}}
	}
	if !guard.Sight(ctx).Everything {
		return dimse.NResponse{Status: storeStatus(errSight)}
	}
	if err := g.checkContent(ctx, rq.DataSet); err != nil {
		return dimse.NResponse{Status: storeStatus(err)}
	}

	whose := guard.Passing{Patient: rq.DataSet.Text(tag.PatientID), PatientIssuer: rq.DataSet.Text(tag.IssuerOfPatientID)}
	for _, item := range rq.DataSet.Items(tag.ScheduledStepAttributesSequence) {
		whose.StudyUID = item.Text(tag.StudyInstanceUID)
	}
	guard.Concerns(ctx, whose)
	return g.passOn(ctx, a, rq)
}

// nestedMost is how deep sequences of a normalized operation may go.
const nestedMost = 16

// errForeign refuses elements that a data set of a normalized operation does not have.
var errForeign = fault.Newf(fault.Invalid, "gate: the data set has elements of a command or of a file, or more than %d levels", nestedMost)

// checkContent judges the data set of a normalized operation before it goes on, whoever sends it.
func (g *Gate) checkContent(ctx context.Context, ds *dicom.DataSet) error {
	if foreign(ds, 1) {
		return errForeign
	}
	return g.judge(ctx, ds)
}

// foreign reports elements of a command (PS3.7 6.3) or of a file (PS3.10 7.1) at any level, and
// levels nobody needs.
func foreign(ds *dicom.DataSet, depth int) bool {
	if depth > nestedMost {
		return true
	}
	for el := range ds.All() {
		if group := el.Tag.Group(); group == 0 || group == 2 {
			return true
		}
		for _, item := range el.Items() {
			if foreign(item, depth+1) {
				return true
			}
		}
	}
	return false
}

// passOn asks the system behind for a normalized operation, where no patch keeps its data set away, and
// gives its answer.
func (g *Gate) passOn(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}
	if refusal := r.patches.Object(rq.DataSet); refusal != nil {
		return dimse.NResponse{Status: storeStatus(patched(refusal))}
	}

	lease, err := g.leaseFor(ctx, a)
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}

	g.did(ctx, a, rq.Operation, rq.SOPClassUID, "", 0)
	ask := *rq
	ask.After = nil
	rsp, err := lease.N(ctx, ask)
	lease.Finish(err)
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}

	rsp.Status = dimse.Status{Code: rsp.Status.Code} // a comment of the system behind may hold anything
	if rsp.DataSet != nil {
		if err := g.checkContent(ctx, rsp.DataSet); err != nil {
			return dimse.NResponse{Status: statusOf(err)}
		}
	}
	return rsp
}

// commit asks the system behind for storage commitment, and remembers who wants the
// report (PS3.4 J.3.2).
func (g *Gate) commit(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}
	if rq.DataSet == nil || !uid.Tolerable(rq.DataSet.Text(tag.TransactionUID)) {
		return dimse.NResponse{Status: dimse.InvalidArgumentValue.With("TransactionUID is missing or malformed")}
	}

	if !guard.Sight(ctx).Everything { // whether instances are there is not for who may see some alone
		return dimse.NResponse{Status: storeStatus(errSight)}
	}
	if err := g.checkContent(ctx, rq.DataSet); err != nil {
		return dimse.NResponse{Status: storeStatus(err)}
	}

	transaction := rq.DataSet.Text(tag.TransactionUID)
	if err := g.commitments.open(ctx, commitment{route: r.Name, transaction: transaction, device: a.CallingAETitle()}, a, rq); err != nil {
		return dimse.NResponse{Status: storeStatus(err)}
	}
	rsp := g.passOn(ctx, a, rq)
	if rsp.Status.Code.Class() == dimse.ClassFailure {
		g.commitments.close(ctx, r.Name, transaction)
	}
	return rsp
}

// errTransaction refuses a report nobody asked for: to believe it means to delete
// images that are safe nowhere.
var errTransaction = fault.New(fault.Denied, "gate: nobody asked for this report")

// report takes a storage commitment report to the device that asked for it, on the
// association on which it did or on another one, and answers as that does (PS3.4
// J.3.3).
func (g *Gate) report(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	r, err := g.routeOf(a)
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}
	if rq.DataSet == nil {
		return dimse.NResponse{Status: storeStatus(errTransaction)}
	}

	transaction := rq.DataSet.Text(tag.TransactionUID)
	asked, front, err := g.commitments.of(ctx, r.Name, transaction)
	if err != nil {
		return dimse.NResponse{Status: storeStatus(err)}
	}
	if err := g.checkContent(ctx, rq.DataSet); err != nil {
		return dimse.NResponse{Status: storeStatus(err)}
	}
	if err := g.tell(ctx, asked.device, r, front, rq); err != nil {
		g.Log.Warn("storage commitment report not delivered", "route", r.Name, "device", asked.device, "error", err)
		return dimse.NResponse{Status: dimse.Status{Code: dimse.ProcessingFailure, Cause: err}}
	}
	g.commitments.close(ctx, r.Name, transaction)
	return dimse.NResponse{}
}

// tell sends a report to a device: on the association it asked on, where that is still
// open, else on one of the gate's own, in the role of SCP.
func (g *Gate) tell(ctx context.Context, device string, r *route, front *dimse.Association, rq *dimse.NRequest) error {
	report := dimse.NRequest{SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID, TypeID: rq.TypeID, DataSet: rq.DataSet}
	if front != nil {
		_, err := front.EventReport(ctx, report)
		if _, answered := errors.AsType[*dimse.StatusError](err); err == nil || answered {
			return err
		}
	}

	own, err := g.dial(ctx, device, upstream.Ask{
		CallingAETitle: r.Name,
		Contexts:       dimse.Propose([]string{uid.StorageCommitmentPushModel}, uid.NativeSyntaxes()[:2], false),
		Roles:          []ul.RoleSelection{{SOPClassUID: uid.StorageCommitmentPushModel, SCP: true}},
	})
	if err != nil {
		return err
	}
	defer own.Release(context.WithoutCancel(ctx))
	_, err = own.EventReport(ctx, report)
	return err
}

// routeOf is the route of an association with the system behind it, whichever side
// asked for it.
func (g *Gate) routeOf(a *dimse.Association) (*route, error) {
	title := a.CallingAETitle()
	if a.Requestor() {
		title = a.CalledAETitle()
	}
	address := guard.AddressOf(a.RemoteAddr())

	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.routes {
		if r.system == title && slices.Contains(r.addresses, address) && !r.Closed {
			return r, nil
		}
	}
	return nil, errStranger
}
