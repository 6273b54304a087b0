// Package face is DICOMweb in front of a system that speaks only DIMSE: the system behind a route
// of the gate as a backend of dicomweb. A search is C-FIND, what is retrieved comes by C-GET, or by
// C-MOVE to the gate, and is kept for a while, encrypted and without a name on the disk; what is
// stored goes on by C-STORE. Who may do what the guard decides; what may not be seen looks as
// if it were not there, and each instance is held against that again as it leaves. Nothing can be
// deleted.
package face

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"collimator/dicom"
	"collimator/dicomweb"
	"collimator/internal/budget"
	"collimator/internal/disclosure"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/policy"
)

var (
	_ dicomweb.Backend      = (*Backend)(nil)
	_ disclosure.Repository = (*Backend)(nil)
)

// Backend is the system behind a route. The restriction of a call is a policy.Sight; nil and any
// other value is nothing. Safe for concurrent use.
type Backend struct {
	name     string
	behind   *gate.Face
	cache    *cache
	numbers  *numbers
	projects *disclosure.Projects // without them nothing is handed out that must be de-identified
	log      *slog.Logger
	now      func() time.Time
}

// newBackend makes one. like are the projects of the archive, of which it takes the secret.
func newBackend(name string, behind *gate.Face, c *cache, like *disclosure.Projects, log *slog.Logger, now func() time.Time) *Backend {
	b := &Backend{name: name, behind: behind, cache: c, numbers: newNumbers(), log: log, now: now}
	if like != nil {
		b.projects = like.For(b)
	}
	return b
}

// view reads a restriction. hidden is set where it has to be without identities.
func (b *Backend) view(restriction any) (sight policy.Sight, hidden *disclosure.Hidden) {
	sight, _ = restriction.(policy.Sight)
	if !sight.Deidentified {
		return sight, nil
	}
	if b.projects == nil {
		return policy.Sight{}, nil
	}
	return policy.Sight{}, b.projects.View(sight)
}

// sees reports whether a study is within a sight.
func sees(sight policy.Sight, study string) bool {
	return sight.Everything || study != "" && slices.Contains(sight.Studies, study)
}

// Instances implements dicomweb.Backend: they are fetched series by series.
func (b *Backend) Instances(ctx context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Instance, error] {
	sight, hidden := b.view(s.Restriction)
	if hidden != nil {
		return hidden.Instances(ctx, s)
	}

	return func(yield func(dicomweb.Instance, error) bool) {
		for k, err := range b.fetched(ctx, s.Resource, sight) {
			if err != nil {
				yield(dicomweb.Instance{}, disclosure.Answer(err))
				return
			}
			if !yield(k.web(), nil) {
				return
			}
		}
	}
}

// Headers implements dicomweb.Backend.
func (b *Backend) Headers(ctx context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Header, error] {
	sight, hidden := b.view(s.Restriction)
	if hidden != nil {
		return hidden.Headers(ctx, s)
	}

	return func(yield func(dicomweb.Header, error) bool) {
		for k, err := range b.fetched(ctx, s.Resource, sight) {
			var ds *dicom.DataSet
			own := budget.From(ctx).Piece()
			if err == nil {
				ds, err = k.header(own)
			}
			going := yield(dicomweb.Header{Instance: k.web(), DataSet: ds}, disclosure.Answer(err))
			if err != nil || !going { // the last one may be in use still
				context.AfterFunc(ctx, own.Close)
				return
			}
			own.Close()
		}
	}
}

// longValue is the length in bytes above which a value is no part of a header.
const longValue = 4 << 10

// header decodes an instance, whose long values stay on the disk.
func (k *kept) header(account dicom.Account) (*dicom.DataSet, error) {
	at := k.file
	return dicom.Decode(io.NewSectionReader(at, k.offset, k.size), dicom.DecodeOptions{
		TransferSyntax: k.syntax, BulkThreshold: longValue, Source: at, Base: k.offset, Account: account,
	})
}

// web is an instance as DICOMweb has it.
func (k *kept) web() dicomweb.Instance {
	if k == nil {
		return dicomweb.Instance{}
	}
	return dicomweb.Instance{
		Resource:    dicomweb.Resource{StudyUID: k.StudyUID, SeriesUID: k.series, SOPInstanceUID: k.instance},
		SOPClassUID: k.class, TransferSyntaxUID: k.syntax, TransferSyntaxes: disclosure.Syntaxes(k.syntax),
		Version: k.version, Ref: k,
	}
}

// Open implements dicomweb.Backend: meta information of our own, and the data set as it came or in
// another transfer syntax.
func (b *Backend) Open(ctx context.Context, i dicomweb.Instance, transferSyntax string) (io.ReadCloser, error) {
	if file, ok, err := disclosure.Open(ctx, i, transferSyntax); ok {
		return file, err
	}
	o, err := b.Object(ctx, i)
	if err != nil {
		return nil, err
	}
	return disclosure.File(ctx, o, dicom.Meta{
		SOPClassUID: i.SOPClassUID, SOPInstanceUID: i.SOPInstanceUID, TransferSyntaxUID: transferSyntax,
		ImplementationClassUID: dicom.ImplementationClassUID,
	})
}

// Object implements disclosure.Repository.
func (b *Backend) Object(_ context.Context, i dicomweb.Instance) (*disclosure.Object, error) {
	k, ok := i.Ref.(*kept)
	if !ok {
		return nil, fault.New(fault.Internal, "face: not an instance of this route")
	}
	return &disclosure.Object{At: b.cache.open(k), Offset: k.offset, Size: k.size, TransferSyntaxUID: k.syntax}, nil
}

// Delete implements dicomweb.Backend: by DIMSE nothing can be.
func (b *Backend) Delete(context.Context, dicomweb.Selection) error {
	return &dicomweb.Error{
		Status: http.StatusMethodNotAllowed,
		Detail: "Behind this route nothing can be deleted: the system has no service for that.",
	}
}

// Faces are those of all routes. Safe for concurrent use.
type Faces struct {
	Options
	cache *cache

	mu sync.Mutex
	by map[string]*Backend
}

// Options are the parts of Faces; all are needed but Projects and Room.
type Options struct {
	Gate     *gate.Gate
	Projects *disclosure.Projects // of the archive: those of a route have the same pseudonyms
	Dir      string               // for what is kept
	Room     func() error         // fails where the disk has none
	Log      *slog.Logger
	Now      func() time.Time
}

// New makes the faces of the routes of a gate. Close it in the end.
func New(o Options) *Faces {
	return &Faces{Options: o, cache: newCache(o.Dir, o.Room, o.Now), by: map[string]*Backend{}}
}

// Backend is that of a route, which need not be there.
func (f *Faces) Backend(route string) *Backend {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.by[route]; b != nil {
		return b
	}
	b := newBackend(route, f.Gate.Face(route), f.cache, f.Projects, f.Log, f.Now)
	if slices.Contains(f.Gate.Faces(), route) { // of what is none, nothing is kept
		f.by[route] = b
	}
	return b
}

// Close removes what is kept.
func (f *Faces) Close() { f.cache.shut() }
