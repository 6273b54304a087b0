package house

import (
	"path/filepath"

	"collimator/internal/api"
	"collimator/internal/guard"
	"collimator/internal/pacs"
	"collimator/internal/scratch"
)

// webArchive is what stands behind DICOMweb.
func (s *Server) webArchive() *pacs.Web {
	return &pacs.Web{
		Archive: s.Archive, Source: guard.WebSource, Projects: s.projects,
		RefuseContradictions: s.in.Config.Inspect.Contradictions == "refuse",
	}
}

// discs is where images of discs are kept until they are sent.
func (s *Server) discs() api.Spool {
	dir := filepath.Join(s.in.Config.Data, SpoolDir)
	return api.Spool{Room: s.reserve.Room, New: func() (*scratch.File, error) { return scratch.New(dir) }}
}
