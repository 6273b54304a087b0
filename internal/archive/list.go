package archive

import (
	"context"

	"collimator/internal/archive/index"
)

// What lists of studies are made of.
type (
	ListQuery     = index.ListQuery
	StudyFilter   = index.StudyFilter
	StudySort     = index.StudySort
	StudyPage     = index.StudyPage
	ListedStudy   = index.Study
	StudyDetail   = index.StudyDetail
	InstanceQuery = index.InstanceQuery
	ListedImage   = index.Instance
	CountedUID    = index.Counted
)

// ListMost is the largest page of a list.
const ListMost = index.ListMost

// List reads a page of studies: see index.Search.
func (a *Archive) List(ctx context.Context, q ListQuery) (StudyPage, error) {
	return a.reader().List(ctx, q)
}

// Study reads one study with its series and the other studies of its patient: see index.Search.
func (a *Archive) Study(ctx context.Context, uid string, scope Scope) (StudyDetail, error) {
	return a.reader().Study(ctx, uid, scope)
}

// Images reads a page of the instances of a study: see index.Search.
func (a *Archive) Images(ctx context.Context, q InstanceQuery) ([]ListedImage, Cursor, error) {
	return a.reader().Instances(ctx, q)
}

// Volume is what one source has stored: see index.Search.
func (a *Archive) Volume(ctx context.Context, source string) (index.Volume, error) {
	return a.reader().Volume(ctx, source)
}
