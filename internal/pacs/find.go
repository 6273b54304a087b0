package pacs

import (
	"context"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/fault"
)

// errLevel is an identifier without a level its information model has.
var errLevel = fault.New(fault.Invalid, "pacs: QueryRetrieveLevel is missing or not of this model")

// find answers C-FIND in both roots (PS3.4 C.4.1).
func (s *Service) find(ctx context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
	root := archive.StudyRoot
	if rq.SOPClassUID == uid.PatientRootFind {
		root = archive.PatientRoot
	}

	level, err := levelOf(rq.Identifier.Text(tag.QueryRetrieveLevel), root)
	if err != nil {
		return queryStatus(err)
	}

	q := archive.Query{
		Root:             root,
		Level:            level,
		Keys:             rq.Identifier,
		Relational:       rq.Options.Relational,
		Fuzzy:            rq.Options.FuzzyMatching,
		DateTimeCombined: rq.Options.DateTimeMatching,
		Scope:            s.scope(ctx),
	}

	unmatched := s.unmatched(q)
	sent := 0
	for ds, err := range s.Archive.Find(ctx, q) {
		if err != nil {
			return queryStatus(err)
		}
		if s.FindMatches > 0 && sent == s.FindMatches {
			return dimse.OutOfResources.With("more matches than the limit; narrow the query")
		}
		if !yield(dimse.Match{Identifier: ds, OptionalKeys: unmatched}) {
			break
		}
		sent++
	}
	return dimse.Status{}
}

// KeyMatcher is an Archive that says which keys of a query it does not match, at any
// level. Each match is then sent with FF01H, so that the sender does not take all of
// them for what it asked for (PS3.4 C.4.1.1.4).
type KeyMatcher interface {
	// Unmatched is the keys with a value that restrict nothing.
	Unmatched(archive.Query) []dicom.Tag
}

// unmatched reports keys of q that the archive does not match.
func (s *Service) unmatched(q archive.Query) bool {
	m, ok := s.Archive.(KeyMatcher)
	return ok && len(m.Unmatched(q)) > 0
}

// levelOf reads a level and refuses one that the root does not have (PS3.4 C.6).
func levelOf(text string, root archive.Root) (archive.Level, error) {
	level := archive.ParseLevel(text)
	if level == 0 || level == archive.PatientLevel && root == archive.StudyRoot {
		return 0, errLevel
	}
	return level, nil
}
