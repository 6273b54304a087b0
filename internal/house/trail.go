package house

import (
	"context"

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
