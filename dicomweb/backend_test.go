package dicomweb

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// shelf is a backend in memory.
type shelf struct {
	mu       sync.Mutex
	objects  []object
	searched []Search
	answers  []*dicom.DataSet
	fail     error // of Store
	deleted  []Resource
}

type object struct {
	Header
	file []byte
}

var _ Backend = (*shelf)(nil)

func (s *shelf) Search(_ context.Context, q Search) iter.Seq2[*dicom.DataSet, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searched = append(s.searched, q)
	return func(yield func(*dicom.DataSet, error) bool) {
		for i, ds := range s.answers {
			if i >= q.Offset && i < q.Offset+q.Limit && !yield(ds.Clone(), nil) {
				return
			}
		}
	}
}

func (s *shelf) selected(sel Selection) (out []object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		hidden := sel.Restriction != nil && sel.Restriction != o.StudyUID
		if !hidden && o.StudyUID == sel.StudyUID && (sel.SeriesUID == "" || sel.SeriesUID == o.SeriesUID) && (sel.SOPInstanceUID == "" || sel.SOPInstanceUID == o.SOPInstanceUID) {
			out = append(out, o)
		}
	}
	return out
}

func (s *shelf) Instances(_ context.Context, sel Selection) iter.Seq2[Instance, error] {
	return func(yield func(Instance, error) bool) {
		for _, o := range s.selected(sel) {
			if !yield(o.Instance, nil) {
				return
			}
		}
	}
}

func (s *shelf) Headers(_ context.Context, sel Selection) iter.Seq2[Header, error] {
	return func(yield func(Header, error) bool) {
		for _, o := range s.selected(sel) {
			if !yield(o.Header, nil) {
				return
			}
		}
	}
}

func (s *shelf) Open(_ context.Context, i Instance, ts string) (io.ReadCloser, error) {
	for _, o := range s.selected(Selection{Resource: i.Resource}) {
		if ts == o.TransferSyntaxUID {
			return io.NopCloser(bytes.NewReader(o.file)), nil
		}
	}
	return io.NopCloser(strings.NewReader("converted to " + ts)), nil
}

func (s *shelf) Store(_ context.Context, in Incoming) (Stored, error) {
	b, err := io.ReadAll(in.Data)
	if err == nil {
		err = s.fail
	}
	if err != nil {
		return Stored{}, err
	}
	ds, err := dicom.Decode(bytes.NewReader(b), dicom.DecodeOptions{TransferSyntax: in.TransferSyntaxUID})
	if err != nil {
		return Stored{}, &Error{Status: http.StatusUnprocessableEntity, Err: err}
	}
	head := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: in.TransferSyntaxUID})
	o := object{file: append(head, b...)}
	o.DataSet = ds
	o.Resource = Resource{ds.Text(tag.StudyInstanceUID), ds.Text(tag.SeriesInstanceUID), ds.Text(tag.SOPInstanceUID)}
	o.SOPClassUID, o.TransferSyntaxUID = ds.Text(tag.SOPClassUID), in.TransferSyntaxUID
	o.Size, o.Version = int64(len(o.file)), "v1"
	o.TransferSyntaxes = []string{in.TransferSyntaxUID}
	if known, _ := dicom.LookupTransferSyntax(in.TransferSyntaxUID); !known.Encapsulated {
		for _, ts := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian} {
			if !slices.Contains(o.TransferSyntaxes, ts) {
				o.TransferSyntaxes = append(o.TransferSyntaxes, ts)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects = append(s.objects, o)
	return Stored{Resource: o.Resource, SOPClassUID: o.SOPClassUID}, nil
}

func (s *shelf) Delete(_ context.Context, sel Selection) error {
	if len(s.selected(sel)) == 0 {
		return errNotFound
	}
	s.deleted = append(s.deleted, sel.Resource)
	return nil
}

// made is a small image. Pairs of tag and text follow.
func made(t testing.TB, instance string, pairs ...any) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	values := []any{tag.SpecificCharacterSet, "ISO_IR 192", tag.SOPClassUID, uid.CTImageStorage, tag.SOPInstanceUID, instance, tag.StudyInstanceUID, "1.2.3",
		tag.SeriesInstanceUID, "1.2.3.1", tag.PatientName, "ZZPHI^Jürgen", tag.PatientID, "ZZPHI-1", tag.Modality, "CT", tag.PhotometricInterpretation, "MONOCHROME2"}
	values = append(values, pairs...)
	for i := 0; i < len(values); i += 2 {
		if err := ds.SetText(values[i].(dicom.Tag), values[i+1].(string)); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range map[dicom.Tag]int64{tag.SamplesPerPixel: 1, tag.Rows: 2, tag.Columns: 4, tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7, tag.PixelRepresentation: 0} {
		if err := ds.SetInt(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, []byte{0, 32, 64, 96, 128, 160, 192, 255}))
	return ds
}

// part10 is a data set as a file.
func part10(t testing.TB, ds *dicom.DataSet, ts string) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write(dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: ts}))
	if err := dicom.Encode(&b, ds, ts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// keep stores a data set without the handler.
func (s *shelf) keep(t testing.TB, ds *dicom.DataSet, ts string) {
	t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, ts); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store(t.Context(), Incoming{TransferSyntaxUID: ts, Data: &b}); err != nil {
		t.Fatal(err)
	}
}

// serve answers one request; headers come in pairs.
func serve(t testing.TB, h http.Handler, method, target string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	rq := httptest.NewRequest(method, target, body)
	for i := 0; i+1 < len(headers); i += 2 {
		rq.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, rq)
	if s := rec.Header().Get("Content-Type"); rec.Code >= 400 && s != typeProblem && s != typeJSON {
		t.Errorf("%s %s: %d without a problem document: %s", method, target, rec.Code, s)
	}
	if rec.Code >= 400 && strings.Contains(rec.Body.String(), "ZZPHI") {
		t.Errorf("%s: the problem quotes patient data", method)
	}
	return rec
}

func newTest(t testing.TB, change ...func(*Options)) (*Handler, *shelf) {
	t.Helper()
	o := Options{Root: "/dicom-web", TempDir: t.TempDir(), AllowDelete: true}
	for _, f := range change {
		f(&o)
	}
	s := &shelf{}
	return NewHandler(s, Unguarded, o), s
}

var errSecret = errors.New("ZZPHI^Secret is not for peers")
