package main

import (
	"collimator/internal/guard"
	"collimator/internal/pacs"
)

// webArchive is what stands behind DICOMweb.
func (s *server) webArchive() *pacs.Web {
	return &pacs.Web{
		Archive: s.archive, Source: guard.WebSource, Projects: s.projects,
		RefuseContradictions: s.in.config.Inspect.Contradictions == "refuse",
	}
}
