package outbound

import (
	"context"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// matchesMost is the most matches of one query of the worklist.
const matchesMost = 1000

// worklist asks the target for what is planned, and gives its answers (PS3.4 K).
func (b *Outbound) worklist(ctx context.Context, a *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
	r, err := b.of(a)
	if err != nil {
		return statusOf(err)
	}
	if err := b.Judge.Identifier(rq.Identifier); err != nil {
		return statusOf(err)
	}
	lease, err := r.pool.Take(ctx, passed(r, uid.ModalityWorklistFind))
	if err != nil {
		return statusOf(err)
	}

	sent := 0
	for m, err := range lease.Find(ctx, dimse.FindRequest{SOPClassUID: rq.SOPClassUID, Priority: rq.Priority, Identifier: rq.Identifier}) {
		if err == nil {
			err = b.Judge.DataSet(ctx, m.Identifier)
		}
		if err != nil {
			lease.Drop()
			return statusOf(err)
		}
		if sent++; sent > matchesMost {
			lease.Drop()
			return dimse.OutOfResources.With("more matches than the limit; narrow the query")
		}
		if !yield(m) {
			lease.Drop()
			return dimse.Status{}
		}
	}
	lease.Return()
	return dimse.Status{}
}

// passed is what an association to the target is needed for.
func passed(r *route, class string) upstream.Ask {
	return upstream.Ask{
		Caller: r.Name, CallingAETitle: r.as(),
		Contexts: dimse.Propose([]string{class}, uid.NativeSyntaxes()[:2], false),
	}
}

// procedureStep passes on N-CREATE and N-SET of a modality performed procedure step
// (PS3.4 F.7).
func (b *Outbound) procedureStep(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	r, err := b.of(a)
	if err == nil && rq.DataSet == nil {
		return dimse.NResponse{Status: dimse.MissingAttribute.With("the data set is missing")}
	}
	if err == nil {
		err = b.Judge.DataSet(ctx, rq.DataSet)
	}
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}

	whose := guard.Passing{Patient: rq.DataSet.Text(tag.PatientID), PatientIssuer: rq.DataSet.Text(tag.IssuerOfPatientID)}
	for _, item := range rq.DataSet.Items(tag.ScheduledStepAttributesSequence) {
		whose.StudyUID = item.Text(tag.StudyInstanceUID)
	}
	guard.Concerns(ctx, whose)

	lease, err := r.pool.Take(ctx, passed(r, uid.ModalityPerformedProcedureStep))
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}
	ask := *rq
	ask.After = nil
	rsp, err := lease.N(ctx, ask)
	lease.Finish(err)
	if err == nil && rsp.DataSet != nil {
		err = b.Judge.DataSet(ctx, rsp.DataSet)
	}
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}
	rsp.Status = dimse.Status{Code: rsp.Status.Code} // a comment of the target may hold anything
	return rsp
}

// statusOf is the status for what was not passed on, or what the target answered.
func statusOf(err error) dimse.Status {
	if code, ok := peerStatus(err); ok {
		return dimse.Status{Code: code, Cause: err}
	}
	switch fault.Of(err) {
	case fault.Invalid, fault.Unsupported, fault.TooLarge:
		return dimse.Status{Code: dimse.CannotUnderstand, Comment: "it is not passed on", Cause: err}
	case fault.Denied:
		return dimse.Status{Code: dimse.NotAuthorized, Comment: "not authorised", Cause: err}
	}
	return dimse.Status{Code: dimse.OutOfResources, Comment: "the target does not answer", Cause: err}
}
