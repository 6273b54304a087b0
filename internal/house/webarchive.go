package house

import (
	"collimator/internal/guard"
	"collimator/internal/pacs"
)

// webArchive is what stands behind DICOMweb.
func (s *Server) webArchive() *pacs.Web {
	return &pacs.Web{
		Archive: s.Archive, Source: guard.WebSource, Projects: s.projects,
		RefuseContradictions: s.in.Config.Inspect.Contradictions == "refuse",
	}
}
