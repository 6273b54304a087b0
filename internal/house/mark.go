package house

import (
	"context"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/mark"
)

// MarkStudy says of a study what m says, in the name of the operator, and records it together with that.
func (in *Installation) MarkStudy(ctx context.Context, study string, m mark.Mark) error {
	return in.DB.Write(ctx, func(tx *db.Tx) error {
		if err := mark.Set(ctx, tx, in.Registers, study, m, Operator(), time.Now()); err != nil {
			return err
		}

		o := audit.Object{Study: study, Detail: m.Told()}
		var err error
		if o.Patient, o.PatientIssuer, err = archive.PatientIn(ctx, tx, study); err != nil {
			return err
		}
		return in.Trail.WriteTx(ctx, tx, audit.Record{
			Event: audit.StudyMarked, Action: audit.Update, Door: audit.DoorCommand, Kind: "person", Principal: Operator(),
			Objects: []audit.Object{o},
		})
	})
}
