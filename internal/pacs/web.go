package pacs

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/budget"
	"collimator/internal/disclosure"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
)

// WebArchive is what DICOMweb needs of an archive.
type WebArchive interface {
	Ingest(context.Context, archive.Incoming) (archive.Receipt, error)
	Find(context.Context, archive.Query) iter.Seq2[*dicom.DataSet, error]
	Retrieve(context.Context, archive.RetrieveQuery) iter.Seq2[archive.InstanceRef, error]
	Headers(context.Context, archive.RetrieveQuery) iter.Seq2[archive.Header, error]
	Open(context.Context, archive.InstanceRef) (*archive.Object, error)
	Delete(context.Context, archive.Deletion) (archive.DeletedTogether, error)
	StudiesAfter(ctx context.Context, after int64, limit int) ([]archive.StudyNumber, error)
	StudyUID(ctx context.Context, number int64) (string, error)
}

var (
	_ WebArchive            = (*archive.Archive)(nil)
	_ dicomweb.Backend      = (*Web)(nil)
	_ disclosure.Repository = (*Web)(nil)
)

// Web is the archive as the backend of a dicomweb.Handler. The restriction of a
// call is a policy.Sight or an archive.Scope; nil and any other value is
// nothing. Safe for concurrent use.
type Web struct {
	Archive WebArchive
	// Source says where an instance comes from that is being stored.
	Source func(context.Context) archive.Source
	// Projects hand out what must be de-identified; without them it is not.
	Projects *disclosure.Projects
	// RefuseContradictions refuses a file whose meta information names another
	// object than its data set. Else the data set counts; the archive writes meta
	// information of its own.
	RefuseContradictions bool
}

// view reads a restriction: the sight that the door gave. hidden is set where
// it has to be without identities. Without a restriction, nothing is seen.
func (w *Web) view(restriction any) (scope archive.Scope, hidden *disclosure.Hidden) {
	switch r := restriction.(type) {
	case archive.Scope:
		return r, nil
	case policy.Sight:
		if !r.Deidentified {
			return guard.ScopeOf(r), nil
		}
		if w.Projects != nil {
			return archive.Scope{}, w.Projects.View(r)
		}
	}

	return archive.Scope{}, nil
}

// Search implements dicomweb.Backend (PS3.18 10.6).
func (w *Web) Search(ctx context.Context, s dicomweb.Search) iter.Seq2[*dicom.DataSet, error] {
	scope, hidden := w.view(s.Restriction)
	if hidden != nil {
		return hidden.Search(ctx, s)
	}

	q := archive.Query{
		Root: archive.StudyRoot, Keys: s.Keys, Relational: true, Fuzzy: s.Fuzzy, AllAttributes: s.All,
		Limit: s.Limit, Offset: s.Offset, Scope: scope,
	}
	switch s.Level {
	case dicomweb.StudyLevel:
		q.Level = archive.StudyLevel
	case dicomweb.SeriesLevel:
		q.Level = archive.SeriesLevel
	default:
		q.Level = archive.ImageLevel
	}

	return func(yield func(*dicom.DataSet, error) bool) {
		for ds, err := range w.Archive.Find(ctx, q) {
			if err != nil {
				yield(nil, webError(err))
				return
			}
			if !yield(ds, nil) {
				return
			}
		}
	}
}

func selection(s dicomweb.Selection, scope archive.Scope) archive.RetrieveQuery {
	q := archive.RetrieveQuery{Scope: scope}
	for _, l := range []struct {
		to  *[]string
		uid string
	}{{&q.StudyUIDs, s.StudyUID}, {&q.SeriesUIDs, s.SeriesUID}, {&q.SOPInstanceUIDs, s.SOPInstanceUID}} {
		if l.uid != "" {
			*l.to = []string{l.uid}
		}
	}
	return q
}

// Instances implements dicomweb.Backend.
func (w *Web) Instances(ctx context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Instance, error] {
	scope, hidden := w.view(s.Restriction)
	if hidden != nil {
		return hidden.Instances(ctx, s)
	}

	return func(yield func(dicomweb.Instance, error) bool) {
		for ref, err := range w.Archive.Retrieve(ctx, selection(s, scope)) {
			if err == nil {
				err = mayLeave(scope, ref)
			}
			if err != nil {
				yield(dicomweb.Instance{}, webError(err))
				return
			}
			if !yield(webInstance(ref), nil) {
				return
			}
		}
	}
}

// Headers implements dicomweb.Backend.
func (w *Web) Headers(ctx context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Header, error] {
	scope, hidden := w.view(s.Restriction)
	if hidden != nil {
		return hidden.Headers(ctx, s)
	}

	return func(yield func(dicomweb.Header, error) bool) {
		for h, err := range w.Archive.Headers(ctx, selection(s, scope)) {
			if err == nil {
				err = mayLeave(scope, h.Instance)
			}
			if err != nil {
				yield(dicomweb.Header{}, webError(err))
				return
			}
			if !yield(dicomweb.Header{Instance: webInstance(h.Instance), DataSet: h.DataSet}, nil) {
				return
			}
		}
	}
}

// mayLeave holds an instance against what the caller may see, at the moment it
// is handed out, whatever was asked of the archive.
func mayLeave(scope archive.Scope, ref archive.InstanceRef) error {
	if !scope.Holds(ref.StudyUID) {
		return errOutOfSight
	}

	return nil
}

// errOutOfSight stops what would leave although its caller may not see it.
var errOutOfSight = fault.New(fault.Internal, "pacs: an instance that the caller may not see was about to leave")

func webInstance(ref archive.InstanceRef) dicomweb.Instance {
	return dicomweb.Instance{
		Resource:    dicomweb.Resource{StudyUID: ref.StudyUID, SeriesUID: ref.SeriesUID, SOPInstanceUID: ref.SOPInstanceUID},
		SOPClassUID: ref.SOPClassUID, TransferSyntaxUID: ref.TransferSyntaxUID,
		TransferSyntaxes: disclosure.Syntaxes(ref.TransferSyntaxUID),
		Size:             ref.Size, Version: ref.Digest, Ref: ref,
	}
}

// Open implements dicomweb.Backend: the stored file, or meta information of
// our own and the data set in another transfer syntax.
func (w *Web) Open(ctx context.Context, i dicomweb.Instance, transferSyntax string) (io.ReadCloser, error) {
	if file, ok, err := disclosure.Open(ctx, i, transferSyntax); ok {
		return file, err
	}

	ref, ok := i.Ref.(archive.InstanceRef)
	if !ok {
		return nil, fault.New(fault.Internal, "pacs: not an instance of this archive")
	}

	o, err := w.Archive.Open(ctx, ref)
	if err != nil {
		return nil, webError(err)
	}

	if transferSyntax == ref.TransferSyntaxUID {
		return &seekable{io.NewSectionReader(o, 0, o.Size()), o}, nil
	}

	meta, err := metaOf(o, ref, transferSyntax)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return disclosure.File(ctx, object(o), meta)
}

// seekable is a stored file, of which ranges can be read.
type seekable struct {
	*io.SectionReader
	io.Closer
}

// maxMeta is the longest meta information that is read.
const maxMeta = 64 << 10

// metaOf is the meta information of a stored file with another transfer syntax.
func metaOf(o *archive.Object, ref archive.InstanceRef, transferSyntax string) (dicom.Meta, error) {
	meta, _, err := dicom.ReadMeta(io.NewSectionReader(o, 0, min(ref.DataSetOffset, maxMeta)), dicom.Limits{})
	if err != nil {
		return dicom.Meta{}, fault.Wrap(fault.Internal, err, "pacs: meta information of a stored file cannot be read")
	}
	return dicom.Meta{
		SOPClassUID: ref.SOPClassUID, SOPInstanceUID: ref.SOPInstanceUID, TransferSyntaxUID: transferSyntax,
		ImplementationClassUID: meta.Text(tag.ImplementationClassUID), ImplementationVersionName: meta.Text(tag.ImplementationVersionName),
	}, nil
}

// Store implements dicomweb.Backend (PS3.18 10.5). It returns when the instance
// is durable.
func (w *Web) Store(ctx context.Context, in dicomweb.Incoming) (dicomweb.Stored, error) {
	if !uid.Storable(in.SOPClassUID) && in.SOPClassUID != "" {
		return dicomweb.Stored{}, &dicomweb.Error{
			Status:        http.StatusUnprocessableEntity,
			FailureReason: 0x0122,
			Detail:        "The SOP Class is not a storage class.",
		}
	}
	if !slices.Contains(uid.StorageSyntaxes(), in.TransferSyntaxUID) {
		return dicomweb.Stored{}, &dicomweb.Error{
			Status:        http.StatusUnprocessableEntity,
			FailureReason: 0xC000,
			Detail:        "Objects in that transfer syntax are not taken.",
		}
	}
	if w.RefuseContradictions && contradicts(in) {
		return dicomweb.Stored{}, &dicomweb.Error{
			Status:        http.StatusUnprocessableEntity,
			FailureReason: 0xA900,
			Detail:        "The meta information names another SOP Class or Instance than the data set.",
		}
	}
	var source archive.Source
	if w.Source != nil {
		source = w.Source(ctx)
	}
	// A request stores thousands, one after the other: what one takes is given back.
	piece := budget.From(ctx).Piece()
	defer piece.Close()
	receipt, err := w.Archive.Ingest(budget.With(ctx, piece), archive.Incoming{
		SOPClassUID:       in.SOPClassUID,
		SOPInstanceUID:    in.SOPInstanceUID,
		TransferSyntaxUID: in.TransferSyntaxUID,
		Data:              in.Data,
		Source:            source,
		Preamble:          in.Preamble,
		Refused:           guard.NotStored(ctx),
	})
	if err != nil {
		return dicomweb.Stored{}, webStoreError(err)
	}
	i := receipt.Instance
	return dicomweb.Stored{SOPClassUID: i.SOPClassUID, Resource: dicomweb.Resource{
		StudyUID:       i.StudyUID,
		SeriesUID:      i.SeriesUID,
		SOPInstanceUID: i.SOPInstanceUID,
	}}, nil
}

// contradicts reports meta information that names another object than the data
// set behind it (PS3.10 7.1).
func contradicts(in dicomweb.Incoming) bool {
	if in.Meta == nil {
		return false
	}
	class, instance := in.Meta.Text(tag.MediaStorageSOPClassUID), in.Meta.Text(tag.MediaStorageSOPInstanceUID)
	return class != "" && in.SOPClassUID != "" && class != in.SOPClassUID ||
		instance != "" && in.SOPInstanceUID != "" && instance != in.SOPInstanceUID
}

// Delete implements dicomweb.Backend. The ledger keeps a tombstone of each
// instance.
func (w *Web) Delete(ctx context.Context, s dicomweb.Selection) error {
	scope, hidden := w.view(s.Restriction)
	if hidden != nil {
		return &dicomweb.Error{Status: http.StatusForbidden, Detail: "Who sees objects without identity deletes none."}
	}

	d := archive.Deletion{
		StudyUID: s.StudyUID, SeriesUID: s.SeriesUID, SOPInstanceUID: s.SOPInstanceUID, Scope: scope, Why: s.Reason,
	}
	if w.Source != nil {
		d.By = w.Source(ctx)
	}

	_, err := w.Archive.Delete(ctx, d)
	return webError(err)
}
