package pacs

import (
	"context"

	"collimator/dimse"
	"collimator/internal/archive"
)

// Delivery is a plan that sends a study, or series of it, to a registered device: what a C-MOVE to it would
// send, as far as the caller of ctx may see it. The error is of kind fault.NotFound where the AE title is
// unknown or accepts no associations.
func (s *Service) Delivery(ctx context.Context, study string, series []string, to string) (*dimse.RetrievePlan, error) {
	destination, err := s.Destinations.Destination(ctx, to)
	if err != nil {
		return nil, err
	}

	refs, err := s.collect(ctx, archive.RetrieveQuery{StudyUIDs: []string{study}, SeriesUIDs: series, Scope: s.scope(ctx)})
	if err != nil {
		return nil, err
	}
	return &dimse.RetrievePlan{Count: len(refs), SubOperations: s.subOperations(refs), Destination: destination}, nil
}
