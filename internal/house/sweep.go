package house

import (
	"context"
	"time"

	"collimator/internal/archive"
)

// sweep removes what a killed process left behind.
func (s *Server) sweep(ctx context.Context) {
	SweepScratch(s.in.Config.Data)
	for {
		s.setAside(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(setAsideEvery):
			s.before = time.Now().Add(-archive.InProgress)
		}
	}
}

// setAsideEvery is how often files without a row are looked for.
const setAsideEvery = 24 * time.Hour

// setAside puts files aside of which the index knows nothing.
func (s *Server) setAside(ctx context.Context) {
	u, err := s.Archive.SetAside(ctx, s.before, Fate(s.in.Ledger))
	if err != nil && ctx.Err() == nil {
		s.log.Error("files without a row not looked for", "error", err)
	}
	if u.Deleted > 0 {
		s.log.Info("files removed whose deletion was recorded and cut off", "files", u.Deleted)
	}
	if u.SetAside > 0 {
		s.log.Warn("files of which the index knows nothing were set aside; "+
			"a killed process leaves a few, an index that is older than the files many: "+
			"see 'collimator lost list' and docs/operate.md, \"The index is gone\"", "files", u.SetAside)
	}
}

// settle makes sure of the directories that are there, so that images do not
// pay for it one by one.
func (s *Server) settle(ctx context.Context) {
	if err := s.blobs.Settle(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the directories of the store were not synced; each image syncs its own", "error", err)
	}
}
