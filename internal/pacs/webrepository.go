package pacs

import (
	"context"
	"iter"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/disclosure"
	"collimator/internal/fault"
)

// Members implements disclosure.Repository.
func (w *Web) Members(ctx context.Context, study string) iter.Seq2[dicomweb.Resource, error] {
	return func(yield func(dicomweb.Resource, error) bool) {
		q := archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: archive.Scope{StudyUIDs: []string{study}}}
		for ref, err := range w.Archive.Retrieve(ctx, q) {
			if !yield(webInstance(ref).Resource, err) {
				return
			}
		}
	}
}

// Object implements disclosure.Repository.
func (w *Web) Object(ctx context.Context, i dicomweb.Instance) (*disclosure.Object, error) {
	ref, ok := i.Ref.(archive.InstanceRef)
	if !ok {
		return nil, fault.New(fault.Internal, "pacs: not an instance of this archive")
	}
	o, err := w.Archive.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	return object(o), nil
}

// StudiesAfter implements disclosure.Repository.
func (w *Web) StudiesAfter(ctx context.Context, after int64, limit int) (list []disclosure.StudyNumber, err error) {
	studies, err := w.Archive.StudiesAfter(ctx, after, limit)
	for _, s := range studies {
		list = append(list, disclosure.StudyNumber{Number: s.Number, UID: s.UID})
	}
	return list, err
}

// StudyUID implements disclosure.Repository.
func (w *Web) StudyUID(ctx context.Context, number int64) (string, error) {
	return w.Archive.StudyUID(ctx, number)
}
