package house

import (
	"context"
	"fmt"
	"io"

	"collimator/internal/archive"
	"collimator/internal/audit"
)

// SearchTrail lists the records that match. By a patient also those are found that
// name a study of the patient alone.
func (in *Installation) SearchTrail(ctx context.Context, f audit.Filter) ([]audit.Record, error) {
	if f.Patient == "" {
		return in.Trail.Search(ctx, f, nil)
	}
	stored, err := archive.StudiesOf(ctx, in.DB, f.Patient)
	if err != nil {
		return nil, err
	}
	return in.Trail.Search(ctx, f, stored)
}

// TrailRead writes down that somebody reads the trail (PS3.15 A.5.3.2) and by what
// it was asked. Who runs a command on this machine reads the files of the trail
// anyway: where the disk is full, the trail is shown all the same, and what TrailRead
// returns says that its reading is not recorded.
func (in *Installation) TrailRead(ctx context.Context, selection string) (warning string) {
	if err := in.Note(ctx, audit.LogUsed, audit.Read, audit.Object{Detail: selection}); err != nil {
		return fmt.Sprintf("that the trail was read is not recorded: %v", err)
	}
	return ""
}

// ExportTrail writes all records, one a line, in a form of audit.Record.WriteAs. What is
// written meanwhile, such as the record of this export, is left out. told is given the
// warning of TrailRead.
func (in *Installation) ExportTrail(ctx context.Context, w io.Writer, form string, told func(warning ...string)) error {
	last, err := in.Trail.Last(ctx)
	if err != nil {
		return err
	}
	told(in.TrailRead(ctx, "all, as "+form))

	for r, err := range in.Trail.After(ctx, -1) {
		if err != nil {
			return err
		}
		if r.Sequence > last {
			return nil
		}
		if err := r.WriteAs(w, form, in.Config.AE); err != nil {
			return err
		}
	}
	return nil
}
