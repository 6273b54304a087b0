package gate

import (
	"context"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/guard"
	"collimator/internal/policy"
)

// echo answers C-ECHO when the system behind does: whoever asks wants to know
// whether it is there (PS3.4 A).
func (g *Gate) echo(ctx context.Context, a *dimse.Association) dimse.Status {
	g.did(ctx, a, dimse.CEcho, uid.Verification, "", 0)
	lease, err := g.leaseFor(ctx, a)
	if err != nil {
		return statusOf(err)
	}

	err = lease.Echo(ctx)
	lease.Finish(err)
	return statusOf(err)
}

// find answers C-FIND with the matches of the system behind, as far as the caller may
// see them (PS3.4 C.4.1, K.4.1).
func (g *Gate) find(ctx context.Context, a *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
	g.did(ctx, a, dimse.CFind, rq.SOPClassUID, "", 0)
	r, err := g.at(a.CalledAETitle())
	if err != nil {
		return statusOf(err)
	}
	if err := r.checkIdentifier(rq.Identifier); err != nil {
		return statusOf(err)
	}

	lease, err := g.leaseFor(ctx, a)
	if err != nil {
		return statusOf(err)
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sight := guard.Sight(ctx)
	to := &pace{every: g.paceEvery}
	end := to.watch(lease)
	defer end()
	sent, came := 0, 0
	for m, err := range lease.Find(ctx, dimse.FindRequest{SOPClassUID: rq.SOPClassUID, Priority: rq.Priority, Identifier: rq.Identifier}) {
		if err != nil {
			lease.Finish(err)
			return statusOf(err)
		}
		if err := g.judge(ctx, m.Identifier); err != nil {
			lease.Drop()
			return statusOf(err)
		}

		came++
		seen := visible(sight, m.Identifier, rq.Identifier)
		if !seen && came < lookedAtMost*r.FindMatches {
			continue
		}
		if !seen || sent == r.FindMatches {
			cancel() // the system behind is asked to stop
			lease.Drop()
			return dimse.OutOfResources.With("more matches than the limit; narrow the query")
		}
		if !to.takes(func() bool { return yield(m) }) {
			lease.Drop()
			return dimse.Status{}
		}
		sent++
	}

	lease.Return()
	return dimse.Status{}
}

// lookedAtMost is how many matches may come for one that may be sent: those that somebody
// may not see need not end.
const lookedAtMost = 100

// visible reports whether a match may be seen. A match of a series or an instance that
// leaves its study out is of the one that the query names, because the system behind has to
// match that (PS3.4 C.4.1.2.2.1); nothing else that a query says is taken for the match's.
func visible(s policy.Sight, match, keys *dicom.DataSet) bool {
	study := match.Text(tag.StudyInstanceUID)
	level := keys.Text(tag.QueryRetrieveLevel)
	if named := keys.Values(tag.StudyInstanceUID); study == "" && len(named) == 1 && (level == "SERIES" || level == "IMAGE") {
		study = named[0]
	}
	return mayBeSeen(s, study, match.Text(tag.PatientID))
}

// mayBeSeen reports whether a study of a patient is within a sight.
func mayBeSeen(s policy.Sight, study, patient string) bool {
	return s.Everything || study != "" && slices.Contains(s.Studies, study) || patient != "" && slices.Contains(s.Patients, patient)
}
