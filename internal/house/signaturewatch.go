package house

import (
	"context"
	"log/slog"
	"time"

	"collimator/dicom/sign"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/audit"
)

// What checking the signatures of an object may cost while its sender waits.
// What is beyond is left to 'collimator signature check'.
const (
	arrivalSignatures = 8
	arrivalBytes      = 64 << 20
	arrivalTime       = 2 * time.Second
)

// signatureWatch looks at the digital signatures of what comes in, and puts into
// the audit trail when one of them does not fit. It never stands in the way of
// an object: what was altered may be all that there is of an examination.
type signatureWatch struct {
	trail *audit.Trail
	log   *slog.Logger
}

// inspectionHook is what the archive asks about each object.
type inspectionHook = func(context.Context, archive.Inspected) archive.Inspection

// behind adds the watch to an inspection.
func (w *signatureWatch) behind(look inspectionHook) inspectionHook {
	return func(ctx context.Context, i archive.Inspected) archive.Inspection {
		verdict := look(ctx, i)
		if !verdict.Busy && sign.Present(i.DataSet) {
			w.check(ctx, i)
		}

		return verdict
	}
}

func (w *signatureWatch) check(ctx context.Context, i archive.Inspected) {
	class := uid.Name(i.DataSet.Text(tag.SOPClassUID))
	altered := 0

	bounded, stop := context.WithTimeout(ctx, arrivalTime)
	defer stop()
	o := sign.Options{Limits: sign.Limits{Signatures: arrivalSignatures, Bytes: arrivalBytes}}
	for s, err := range sign.Verify(bounded, i.DataSet, o) {
		if err != nil {
			w.log.Warn("digital signatures were not checked to the end", "sopClass", class)
			break
		}
		w.log.Info("digital signature", "state", s.State.String(), "reason", s.Reason, "sopClass", class)
		if s.State == sign.Altered {
			altered++
		}
	}
	if altered == 0 {
		return
	}

	err := w.trail.Write(ctx, audit.Record{
		Event: audit.SecurityAlert, Action: audit.Execute, Outcome: audit.SeriousFailure, Reason: "digital signature: altered content",
		Objects: []audit.Object{{
			Study: i.DataSet.Text(tag.StudyInstanceUID), SOPClasses: map[string]int{i.DataSet.Text(tag.SOPClassUID): 1},
			Instances: 1, Detail: i.DataSet.Text(tag.SOPInstanceUID),
		}},
	})
	if err != nil {
		w.log.Error("an altered object could not be recorded", "error", err)
	}
}
