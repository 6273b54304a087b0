package archive

import (
	"context"
	"iter"

	"collimator/dicom"
	"collimator/internal/archive/index"
)

// What a query is made of, and what it may see.
type (
	Query  = index.Query
	Root   = index.Root
	Cursor = index.Cursor
	Scope  = index.Scope
)

// The models of a query.
const (
	StudyRoot   = index.StudyRoot
	PatientRoot = index.PatientRoot
)

// Everything is the scope without a bound.
func Everything() Scope { return index.Everything() }

// IndexedKeys lists the keys of a level that a query answers from the index: see
// index.IndexedKeys.
func IndexedKeys(l Level) []dicom.Tag { return index.IndexedKeys(l) }

// Find yields the identifiers that match a query: see index.Search.
func (a *Archive) Find(ctx context.Context, q Query) iter.Seq2[*dicom.DataSet, error] {
	return a.reader().Find(ctx, q)
}

// FindPage returns up to q.Limit matches and the cursor to continue behind
// them; it is empty when there is nothing more. A limit of zero means 100.
func (a *Archive) FindPage(ctx context.Context, q Query) (page []*dicom.DataSet, next Cursor, err error) {
	return a.reader().FindPage(ctx, q)
}

// Unmatched is the keys of a query that have a value and restrict nothing at its
// level (PS3.4 C.4.1.1.4, pending with FF01H). Of a query that breaks the rules
// there are none.
func (a *Archive) Unmatched(q Query) []dicom.Tag { return a.reader().Unmatched(q) }

func (a *Archive) reader() *index.Search {
	return &index.Search{
		Read:            a.search,
		Header:          a.header,
		DB:              a.o.DB,
		RetrieveAETitle: a.o.RetrieveAETitle,
		Keys:            a.limits.Keys,
		Scanned:         a.limits.Scanned,
	}
}
