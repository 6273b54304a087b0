package pacs

import (
	"context"

	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/guard"
)

// store answers C-STORE (PS3.4 B). Success leaves only when the instance is durable.
func (s *Service) store(ctx context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	class, version := a.PeerImplementation()
	source := archive.Source{
		AETitle: a.CallingAETitle(), Address: guard.Address(ctx),
		ImplementationUID: class, ImplementationVersion: version,
	}
	if p, ok := guard.Principal(ctx); ok {
		source.Principal = p.Name
	}

	guard.Credit(ctx, &source)
	_, err := s.Archive.Ingest(ctx, archive.Incoming{
		SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID,
		TransferSyntaxUID: rq.TransferSyntax, Data: rq.Data, Source: source, Refused: guard.NotStored(ctx),
	})
	return storeStatus(err)
}
