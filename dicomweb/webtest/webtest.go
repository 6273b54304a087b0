// Package webtest is a DICOMweb backend in memory, for tests and examples of
// programs that speak DICOMweb: Backend behind a dicomweb.Handler, or NewServer,
// which puts both behind a server on loopback. It is not an archive for patients: what
// it holds is gone with the process, and nobody is asked who they are.
package webtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"

	"collimator/dicom"
	"collimator/dicom/memory"
	"collimator/dicom/tag"
	"collimator/dicomweb"
)

// Root is the path under which a Server answers.
const Root = "/dicom-web"

// Visible is a restriction that Backend understands: instances for which it is
// false are not there. An interceptor puts it into dicomweb.Call.Restriction.
type Visible func(*memory.Instance) bool

// Backend is an archive in memory behind a dicomweb.Handler. The zero value is
// empty and ready. It is safe for concurrent use.
type Backend struct {
	Archive memory.Archive
}

var _ dicomweb.Backend = (*Backend)(nil)

// Server is a DICOMweb server on loopback.
type Server struct {
	*httptest.Server
	Backend *Backend
}

// NewServer starts a Server for everybody, with DELETE. Close it in the end.
func NewServer() *Server {
	b := &Backend{}
	h := dicomweb.NewHandler(b, dicomweb.Unguarded, dicomweb.Options{Root: Root, AllowDelete: true})
	return &Server{Server: httptest.NewServer(h), Backend: b}
}

// Client asks the server.
func (s *Server) Client() *dicomweb.Client {
	return &dicomweb.Client{Base: s.URL + Root, HTTP: s.Server.Client()}
}

// visible is what a restriction lets be seen. One that is unknown is refused: what
// it means nobody here can say.
func visible(restriction any) (func(*memory.Instance) bool, error) {
	switch v := restriction.(type) {
	case nil:
		return func(*memory.Instance) bool { return true }, nil
	case Visible:
		return v, nil
	}
	return nil, &dicomweb.Error{Status: http.StatusForbidden, Err: fmt.Errorf("webtest: unknown restriction %T", restriction)}
}

// Search implements dicomweb.Backend. Fuzzy and All change nothing: names match by
// wildcards, and the keys are answered.
func (b *Backend) Search(_ context.Context, q dicomweb.Search) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		sees, err := visible(q.Restriction)
		if err != nil {
			yield(nil, err)
			return
		}

		for i, ds := range b.Archive.Find(levelOf(q.Level), q.Keys, sees) {
			if i < q.Offset {
				continue
			}
			if i >= q.Offset+q.Limit || !yield(ds, nil) {
				return
			}
		}
	}
}

func levelOf(l dicomweb.Level) memory.Level {
	switch l {
	case dicomweb.StudyLevel:
		return memory.StudyLevel
	case dicomweb.SeriesLevel:
		return memory.SeriesLevel
	}
	return memory.ImageLevel
}

// Instances implements dicomweb.Backend.
func (b *Backend) Instances(ctx context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Instance, error] {
	return func(yield func(dicomweb.Instance, error) bool) {
		for h, err := range b.Headers(ctx, s) {
			if !yield(h.Instance, err) || err != nil {
				return
			}
		}
	}
}

// Headers implements dicomweb.Backend.
func (b *Backend) Headers(_ context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Header, error] {
	return func(yield func(dicomweb.Header, error) bool) {
		selected, err := b.selected(s)
		if err != nil {
			yield(dicomweb.Header{}, err)
			return
		}
		for _, i := range selected {
			h, err := header(i)
			if !yield(h, err) || err != nil {
				return
			}
		}
	}
}

// selected is the instances of a selection, series by series.
func (b *Backend) selected(s dicomweb.Selection) ([]*memory.Instance, error) {
	sees, err := visible(s.Restriction)
	if err != nil {
		return nil, err
	}

	keys := dicom.NewDataSet()
	for t, v := range map[dicom.Tag]string{
		tag.StudyInstanceUID: s.StudyUID, tag.SeriesInstanceUID: s.SeriesUID, tag.SOPInstanceUID: s.SOPInstanceUID,
	} {
		if err := keys.SetText(t, v); err != nil {
			return nil, err
		}
	}

	var order []string
	bySeries := map[string][]*memory.Instance{}
	for _, i := range b.Archive.Select(keys, sees) {
		if bySeries[i.SeriesInstanceUID] == nil {
			order = append(order, i.SeriesInstanceUID)
		}
		bySeries[i.SeriesInstanceUID] = append(bySeries[i.SeriesInstanceUID], i)
	}
	var out []*memory.Instance
	for _, series := range order {
		out = append(out, bySeries[series]...)
	}
	return out, nil
}

func header(i *memory.Instance) (dicomweb.Header, error) {
	file, err := i.File(i.TransferSyntax)
	if err != nil {
		return dicomweb.Header{}, err
	}

	sum := sha256.Sum256(file)
	return dicomweb.Header{
		Instance: dicomweb.Instance{
			Resource:          resource(i),
			SOPClassUID:       i.SOPClassUID,
			TransferSyntaxUID: i.TransferSyntax,
			TransferSyntaxes:  i.TransferSyntaxes(),
			Size:              int64(len(file)),
			Version:           hex.EncodeToString(sum[:16]),
			Ref:               i,
		},
		DataSet: i.DataSet,
	}, nil
}

func resource(i *memory.Instance) dicomweb.Resource {
	return dicomweb.Resource{StudyUID: i.StudyInstanceUID, SeriesUID: i.SeriesInstanceUID, SOPInstanceUID: i.SOPInstanceUID}
}

// Open implements dicomweb.Backend.
func (b *Backend) Open(_ context.Context, i dicomweb.Instance, transferSyntax string) (io.ReadCloser, error) {
	kept, ok := i.Ref.(*memory.Instance)
	if !ok {
		return nil, &dicomweb.Error{Status: http.StatusNotFound}
	}
	file, err := kept.File(transferSyntax)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(file)), nil
}

// Store implements dicomweb.Backend.
func (b *Backend) Store(_ context.Context, in dicomweb.Incoming) (dicomweb.Stored, error) {
	i, err := b.Archive.Read(in.Data, in.TransferSyntaxUID)
	switch {
	case errors.Is(err, memory.ErrFull):
		return dicomweb.Stored{}, refused(http.StatusInsufficientStorage, "There is no room for more objects.", err)
	case errors.Is(err, memory.ErrConflict):
		return dicomweb.Stored{}, refused(http.StatusConflict, "Another object is kept under this UID.", err)
	case err != nil:
		return dicomweb.Stored{}, refused(http.StatusUnprocessableEntity, "The object cannot be read.", err)
	}
	return dicomweb.Stored{Resource: resource(i), SOPClassUID: i.SOPClassUID}, nil
}

func refused(status int, detail string, err error) error {
	return &dicomweb.Error{Status: status, Detail: detail, Err: err}
}

// Delete implements dicomweb.Backend.
func (b *Backend) Delete(_ context.Context, s dicomweb.Selection) error {
	selected, err := b.selected(s)
	if err != nil {
		return err
	}

	gone := map[*memory.Instance]bool{}
	for _, i := range selected {
		gone[i] = true
	}
	if b.Archive.Remove(func(i *memory.Instance) bool { return gone[i] }) == 0 {
		return &dicomweb.Error{Status: http.StatusNotFound, Detail: "There is nothing under this address."}
	}
	return nil
}
