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
	g.finish(lease, err)
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
	if err := checkIdentifier(rq.Identifier); err != nil {
		return statusOf(err)
	}

	lease, err := g.leaseFor(ctx, a)
	if err != nil {
		return statusOf(err)
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sight := guard.Sight(ctx)
	sent := 0
	for m, err := range lease.Find(ctx, dimse.FindRequest{SOPClassUID: rq.SOPClassUID, Priority: rq.Priority, Identifier: rq.Identifier}) {
		if err != nil {
			g.finish(lease, err)
			return statusOf(err)
		}
		if !visible(sight, m.Identifier, rq.Identifier) {
			continue
		}
		if sent == r.FindMatches {
			cancel() // the system behind is asked to stop
			lease.Drop()
			return dimse.OutOfResources.With("more matches than the limit; narrow the query")
		}
		if !yield(m) {
			lease.Drop()
			return dimse.Status{}
		}
		sent++
	}

	lease.Return()
	return dimse.Status{}
}

// visible reports whether a match may be seen. What the match leaves out, the keys of
// the query say.
func visible(s policy.Sight, match, keys *dicom.DataSet) bool {
	if s.Everything {
		return true
	}
	of := func(t tag.Tag) string {
		if value := match.Text(t); value != "" {
			return value
		}
		return keys.Text(t)
	}
	return mayBeSeen(s, of(tag.StudyInstanceUID), of(tag.PatientID))
}

// mayBeSeen reports whether a study of a patient is within a sight.
func mayBeSeen(s policy.Sight, study, patient string) bool {
	return s.Everything || study != "" && slices.Contains(s.Studies, study) || patient != "" && slices.Contains(s.Patients, patient)
}
