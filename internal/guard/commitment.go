package guard

import (
	"context"
	"slices"

	"collimator/dicom/tag"
	"collimator/dimse"
	"collimator/internal/audit"
)

// committedMost is how many instances of a request for storage commitment are
// looked up for its record.
const committedMost = 10_000

// asked is the studies about whose instances storage commitment was asked, as far
// as the archive has them.
func (g *Guard) asked(ctx context.Context, call *dimse.Call) []audit.Object {
	if g.Studies == nil || call.Operation != dimse.NAction || call.Keys() == nil {
		return nil
	}

	var uids []string
	for _, item := range call.Keys().Items(tag.ReferencedSOPSequence) {
		if uids = append(uids, item.Text(tag.ReferencedSOPInstanceUID)); len(uids) == committedMost {
			break
		}
	}

	counts, err := g.Studies(context.WithoutCancel(ctx), uids)
	if err != nil {
		g.Log.Warn("the record of a storage commitment does not name its studies", "error", err)
		return nil
	}

	var objects []audit.Object
	for study, n := range counts {
		o := audit.Object{Study: study, Instances: n}
		o.Patient, o.PatientIssuer = g.patientOf(ctx, study)
		objects = append(objects, o)
	}
	slices.SortFunc(objects, func(a, b audit.Object) int { return b.Instances - a.Instances })
	return objects[:min(len(objects), objectsMost)]
}
