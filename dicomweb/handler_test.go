package dicomweb

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

var update = flag.Bool("update", false, "rewrite the golden responses")

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(rq *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if rq.Body == nil {
		rq.Body = http.NoBody
	}
	d.h.ServeHTTP(rec, rq)
	return rec.Result(), nil
}

func TestHandlerNeedsAnInterceptor(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a handler without an interceptor was made")
		}
	}()
	NewHandler(&shelf{}, nil, Options{})
}

func TestZeroHandlerRefuses(t *testing.T) {
	t.Parallel()
	if rec := serve(t, &Handler{}, http.MethodGet, "/studies", nil); rec.Code != http.StatusForbidden {
		t.Errorf("status %d", rec.Code)
	}
}

// every kind of request, also those that make no sense.
var everything = []struct {
	method, path string
	verb         Verb
	level        Level
	part         Part
}{
	{"GET", "/studies", Searching, StudyLevel, ""}, {"GET", "/studies/1.2/series", Searching, SeriesLevel, ""}, {"GET", "/studies/1.2/instances", Searching, InstanceLevel, ""},
	{"GET", "/studies/1.2/series/1.3/instances", Searching, InstanceLevel, ""}, {"GET", "/series", Searching, SeriesLevel, ""}, {"GET", "/instances", Searching, InstanceLevel, ""},
	{"GET", "/studies/1.2", Retrieving, StudyLevel, ""}, {"GET", "/studies/1.2/series/1.3", Retrieving, SeriesLevel, ""}, {"GET", "/studies/1.2/series/1.3/instances/1.4", Retrieving, InstanceLevel, ""},
	{"GET", "/studies/1.2/metadata", Retrieving, StudyLevel, MetadataPart}, {"GET", "/studies/1.2/series/1.3/metadata", Retrieving, SeriesLevel, MetadataPart},
	{"GET", "/studies/1.2/series/1.3/instances/1.4/metadata", Retrieving, InstanceLevel, MetadataPart},
	{"GET", "/studies/1.2/series/1.3/instances/1.4/frames/1,2", Retrieving, InstanceLevel, FramesPart},
	{"GET", "/studies/1.2/series/1.3/instances/1.4/frames/1/rendered", Rendering, InstanceLevel, RenderedPart},
	{"GET", "/studies/1.2/series/1.3/instances/1.4/frames/1/thumbnail", Rendering, InstanceLevel, ThumbnailPart},
	{"GET", "/studies/1.2/rendered", Rendering, StudyLevel, RenderedPart}, {"GET", "/studies/1.2/series/1.3/thumbnail", Rendering, SeriesLevel, ThumbnailPart},
	{"GET", "/studies/1.2/series/1.3/instances/1.4/bulkdata/00420011", Retrieving, InstanceLevel, BulkDataPart}, {"GET", "/studies/1.2/bulkdata", Retrieving, StudyLevel, BulkDataPart},
	{"GET", "/wado?requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4", Retrieving, InstanceLevel, ""},
	{"GET", "/wado?requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4&contentType=image/jpeg", Rendering, InstanceLevel, RenderedPart},
	{"POST", "/studies", Storing, StudyLevel, ""}, {"POST", "/studies/1.2", Storing, StudyLevel, ""},
	{"DELETE", "/studies/1.2", Deleting, StudyLevel, ""}, {"DELETE", "/studies/1.2/series/1.3", Deleting, SeriesLevel, ""}, {"DELETE", "/studies/1.2/series/1.3/instances/1.4", Deleting, InstanceLevel, ""},
	{"GET", "/", Capabilities, NoLevel, ""}, {"OPTIONS", "/", Capabilities, NoLevel, ""}, {"OPTIONS", "/studies", Capabilities, StudyLevel, ""},
	{"PUT", "/studies", "", StudyLevel, ""}, {"GET", "/nonsense", "", NoLevel, ""}, {"GET", "/studies/x", "", NoLevel, ""}, {"GET", "/studies/..%2f..", "", NoLevel, ""},
	{"GET", "/series/1.2", "", NoLevel, ""}, {"GET", "/studies/1.2/instances/1.3", "", StudyLevel, ""}, {"GET", "/studies?a=%zz", "", NoLevel, ""},
	{"GET", "/studies/1.2/series/1.3/instances/1.4/frames/0", "", InstanceLevel, FramesPart}, {"GET", "/wado", Retrieving, InstanceLevel, ""},
}

func TestEveryRequestPassesTheInterceptorFirst(t *testing.T) {
	t.Parallel()
	for _, c := range everything {
		var seen []*Call
		s := &shelf{}
		h := NewHandler(refusingBackend{t}, func(_ context.Context, call *Call, _ func(context.Context) Outcome) Outcome {
			seen = append(seen, call)
			return Outcome{Err: &Error{Status: http.StatusUnauthorized, Detail: "Sign in.", Header: http.Header{"Www-Authenticate": {"Bearer"}}}}
		}, Options{Root: "/dicom-web", AllowDelete: true})
		rec := serve(t, h, c.method, "/dicom-web"+c.path, strings.NewReader("x"), "Content-Type", typeDICOM)
		if rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") != "Bearer" || len(seen) != 1 || len(s.searched) > 0 {
			t.Fatalf("%s %s: %d, seen %d times", c.method, c.path, rec.Code, len(seen))
		}
		if k := seen[0]; k.Verb != c.verb || k.Level != c.level || k.Part != c.part {
			t.Errorf("%s %s: %q of %s, %q", c.method, c.path, k.Verb, k.Level, k.Part)
		}
	}
}

func TestARequestThatMakesNoSenseIsJudgedByItsMethod(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path string
		want         Verb
		status       int
	}{
		{"DELETE", "/studies", Deleting, http.StatusMethodNotAllowed}, {"DELETE", "/studies/x", Deleting, http.StatusBadRequest},
		{"POST", "/studies/1.2/metadata", Storing, http.StatusMethodNotAllowed}, {"POST", "/nonsense", Storing, http.StatusNotFound},
		{"PUT", "/studies", Malformed, http.StatusMethodNotAllowed}, {"GET", "/nonsense", Malformed, http.StatusNotFound},
	} {
		var got Verb
		h := NewHandler(refusingBackend{t}, func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome {
			got = call.Verb
			return next(ctx)
		}, Options{AllowDelete: true})
		if rec := serve(t, h, c.method, c.path, nil); rec.Code != c.status || got != c.want {
			t.Errorf("%s %s: %d as %q, want %d as %q", c.method, c.path, rec.Code, got, c.status, c.want)
		}
	}
}

// refusingBackend fails the test when it is asked for anything.
type refusingBackend struct{ t *testing.T }

func (b refusingBackend) Search(context.Context, Search) iter.Seq2[*dicom.DataSet, error] {
	b.t.Error("the backend was asked")
	return nil
}
func (b refusingBackend) Instances(context.Context, Selection) iter.Seq2[Instance, error] {
	b.t.Error("the backend was asked")
	return nil
}
func (b refusingBackend) Headers(context.Context, Selection) iter.Seq2[Header, error] {
	b.t.Error("the backend was asked")
	return nil
}
func (b refusingBackend) Open(context.Context, Instance, string) (io.ReadCloser, error) {
	b.t.Error("the backend was asked")
	return nil, errNotFound
}
func (b refusingBackend) Store(context.Context, Incoming) (Stored, error) {
	b.t.Error("the backend was asked")
	return Stored{}, errNotFound
}
func (b refusingBackend) Delete(context.Context, Selection) error {
	b.t.Error("the backend was asked")
	return errNotFound
}

func TestOutcomeAndObservationsReachTheInterceptor(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	var out Outcome
	var seen []Observation
	withhold := ""
	h := NewHandler(s, func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome {
		call.Observe = func(o Observation) bool {
			seen = append(seen, o)
			return o.Instance == nil || o.Instance.SOPInstanceUID != withhold
		}
		out = next(ctx)
		return out
	}, Options{})
	body := "--b\r\n\r\n" + string(part10(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)) + "\r\n--b\r\n\r\nnonsense\r\n--b--"
	serve(t, h, http.MethodPost, "/studies", strings.NewReader(body), "Content-Type", "multipart/related; type=application/dicom; boundary=b")
	if out.Status != http.StatusAccepted || out.Instances != 1 || len(seen) != 2 || seen[1].FailureReason != reasonCannotUnderstand || seen[0].Stored.SOPInstanceUID != "1.2.3.1.1" {
		t.Errorf("store: %+v, %+v", out, seen)
	}
	s.keep(t, made(t, "1.2.3.1.2"), uid.ExplicitVRLittleEndian)
	serve(t, h, http.MethodGet, "/studies/1.2.3", nil)
	if out.Status != http.StatusOK || out.Instances != 2 || out.Bytes == 0 {
		t.Errorf("retrieve: %+v", out)
	}
	withhold = "1.2.3.1.1"
	if rec := serve(t, h, http.MethodGet, "/studies/1.2.3/metadata", nil); out.Instances != 1 || strings.Contains(rec.Body.String(), `"1.2.3.1.1"`) {
		t.Errorf("withheld: %+v", out)
	}
	for _, path := range []string{"", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/bulkdata", "/bulkdata/7FE00010"} {
		if rec := serve(t, h, http.MethodGet, "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"+path, nil); rec.Code != http.StatusNotFound || out.Instances != 0 {
			t.Errorf("withheld instance%s: %d, %+v", path, rec.Code, out)
		}
	}
}

func TestRestrictionReachesTheBackend(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	h := NewHandler(s, func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome {
		call.Restriction = "another study"
		return next(ctx)
	}, Options{AllowDelete: true})
	for _, c := range everything {
		path := strings.NewReplacer("1.4", "1.2.3.1.1", "1.3", "1.2.3.1", "1.2/", "1.2.3/", "=1.2&", "=1.2.3&").Replace(c.path)
		if strings.HasSuffix(path, "/1.2") {
			path += ".3"
		}
		if c.verb != Retrieving && c.verb != Rendering && c.verb != Deleting || path == "/wado" {
			continue
		}
		if rec := serve(t, h, c.method, path, nil); rec.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d", c.method, path, rec.Code)
		}
	}
	serve(t, h, http.MethodGet, "/studies", nil)
	if s.searched[0].Restriction != "another study" {
		t.Error("a search went unrestricted")
	}
}

func TestReceiveSeesAndRefusesInstances(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	h := NewHandler(s, func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome {
		call.Receive = func(_ context.Context, in *Incoming) error {
			if in.SOPInstanceUID == "1.2.3.1.2" && in.StudyUID == "1.2.3" && in.Meta != nil {
				return &Error{Status: http.StatusForbidden}
			}
			return nil
		}
		return next(ctx)
	}, Options{})
	c := &Client{Base: "http://archive", HTTP: &http.Client{Transport: direct{h}}}
	report, err := c.Store(t.Context(), "", readers(part10(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian), part10(t, made(t, "1.2.3.1.2"), uid.ExplicitVRLittleEndian)))
	if err != nil || len(report.Stored) != 1 || len(report.Failed) != 1 || report.Failed[0].Reason != reasonNotAuthorised || report.Status != http.StatusAccepted {
		t.Errorf("%+v, %v", report, err)
	}
}

func readers(files ...[]byte) iter.Seq2[io.Reader, error] {
	return func(yield func(io.Reader, error) bool) {
		for _, f := range files {
			if !yield(bytes.NewReader(f), nil) {
				return
			}
		}
	}
}

func TestErrorsOfTheBackendAreNotShown(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	s.fail = errSecret
	rec := serve(t, h, http.MethodPost, "/dicom-web/studies", bytes.NewReader(part10(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)), "Content-Type", typeDICOM)
	if rec.Code != http.StatusConflict || strings.Contains(rec.Body.String(), "Secret") || !strings.Contains(rec.Body.String(), `"00081197":{"vr":"US","Value":[272]}`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if e := asError(errSecret); e.Status != http.StatusInternalServerError || strings.Contains(e.Detail, "Secret") {
		t.Errorf("%+v", e)
	}
}

// TestAnswersAreAsRecorded holds whole answers against files; boundaries are
// made equal.
func TestAnswersAreAsRecorded(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	s.answers = []*dicom.DataSet{made(t, "1.2.3.1.1")}
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	jls := made(t, "1.2.3.1.2", tag.StudyInstanceUID, "1.2.4")
	jls.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("frame 1."), []byte("frame 2.")))
	if err := jls.SetInt(tag.NumberOfFrames, 2); err != nil {
		t.Fatal(err)
	}
	s.keep(t, jls, uid.JPEGLSLossless)
	pdf := made(t, "1.2.3.1.3", tag.StudyInstanceUID, "1.2.5", tag.MIMETypeOfEncapsulatedDocument, typePDF)
	pdf.Delete(tag.PixelData)
	pdf.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte("%PDF-1.7")))
	s.keep(t, pdf, uid.ExplicitVRLittleEndian)
	one, two := "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1", "/dicom-web/studies/1.2.4/series/1.2.3.1/instances/1.2.3.1.2"
	boundary := regexp.MustCompile(`[0-9a-f]{32}`)
	for _, c := range []struct {
		name, path string
		headers    []string
	}{
		{"search", "/dicom-web/studies?limit=1", nil},
		{"search_xml", "/dicom-web/studies", []string{"Accept", `multipart/related; type="application/dicom+xml"`}},
		{"metadata", one + "/metadata", nil},
		{"metadata_not_modified", one + "/metadata", []string{"If-None-Match", "*"}},
		{"frames_stored", two + "/frames/2,1", []string{"Accept", "multipart/related; type=application/octet-stream; transfer-syntax=*"}},
		{"frames_native", one + "/frames/1", []string{"Accept", "application/octet-stream"}},
		{"frames_range", one + "/frames/1", []string{"Accept", "application/octet-stream", "Range", "bytes=2-3"}},
		{"frames_not_acceptable", two + "/frames/1", []string{"Accept", `multipart/related; type="application/octet-stream"`}},
		{"frames_missing", two + "/frames/3", nil},
		{"bulkdata", one + "/bulkdata/7FE00010", nil},
		{"bulkdata_all", "/dicom-web/studies/1.2.3/bulkdata", nil},
		{"instance_not_acceptable", two, []string{"Accept", `multipart/related; type="application/dicom"`}},
		{"rendered_not_acceptable", two + "/rendered", nil},
		{"rendered_document", "/dicom-web/studies/1.2.5/series/1.2.3.1/instances/1.2.3.1.3/rendered", []string{"Accept", "text/html, */*;q=0.8"}},
		{"missing", "/dicom-web/studies/9.9", nil},
		{"unknown_parameter", "/dicom-web/studies?patient=1", nil},
		{"capabilities", "/dicom-web/", []string{"Accept", "application/json"}},
		{"wado_uri", "/dicom-web/wado?requestType=WADO&studyUID=1.2.4&seriesUID=1.2.3.1&objectUID=1.2.3.1.2&contentType=application/dicom&transferSyntax=1.2.840.10008.1.2.4.90", nil},
	} {
		rec := serve(t, h, http.MethodGet, c.path, nil, c.headers...)
		var b strings.Builder
		fmt.Fprintf(&b, "%d\n", rec.Code)
		var names []string
		for k := range rec.Header() {
			names = append(names, k)
		}
		sort.Strings(names)
		for _, k := range names {
			fmt.Fprintf(&b, "%s: %s\n", k, strings.Join(rec.Header()[k], ", "))
		}
		b.WriteString("\n" + rec.Body.String())
		got := boundary.ReplaceAllString(strings.ReplaceAll(b.String(), "\r\n", "\n"), "BOUNDARY")
		path := filepath.Join("testdata", c.name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, want)
		}
	}
}

func TestBrokenStreamEndsTheConnection(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	s.keep(t, made(t, "1.2.3.1.2"), uid.ExplicitVRLittleEndian)
	h := NewHandler(failingSecond{s, new(int)}, Unguarded, Options{})
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("recovered %v", r)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/studies/1.2.3", nil))
}

// failingSecond opens one file and no other.
type failingSecond struct {
	*shelf
	n *int
}

func (f failingSecond) Open(ctx context.Context, i Instance, ts string) (io.ReadCloser, error) {
	if *f.n++; *f.n > 1 {
		return nil, errors.New("disk is gone")
	}
	return f.shelf.Open(ctx, i, ts)
}

func TestHostileStoreRequestsAreRefused(t *testing.T) {
	t.Parallel()
	const form = "multipart/related; type=application/dicom; boundary=b"
	bomb := func(n int) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte("--b\r\n\r\n"))
		for range n {
			z.Write(make([]byte, 1<<20))
		}
		z.Close()
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		body    []byte
		headers []string
		status  int
	}{
		"no boundary in the type":    {nil, []string{"Content-Type", "multipart/related; type=application/dicom"}, 415},
		"boundary too long":          {nil, []string{"Content-Type", "multipart/related; type=application/dicom; boundary=" + strings.Repeat("b", 257)}, 415},
		"XML":                        {nil, []string{"Content-Type", "multipart/related; type=application/dicom+xml; boundary=b"}, 415},
		"form":                       {nil, []string{"Content-Type", "multipart/form-data; boundary=b"}, 415},
		"no type":                    {nil, nil, 415},
		"no end":                     {[]byte("--b\r\n\r\n" + strings.Repeat("x", 1<<20)), []string{"Content-Type", form}, 400},
		"100,000 parts":              {[]byte(strings.Repeat("--b\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n", 100_000) + "--b--"), []string{"Content-Type", form}, 413},
		"header of a megabyte":       {[]byte("--b\r\nA: " + strings.Repeat("x", 1<<20)), []string{"Content-Type", form}, 431},
		"nested multipart":           {[]byte("--b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--"), []string{"Content-Type", form}, 409},
		"HTML that says it is DICOM": {[]byte("--b\r\nContent-Type: application/dicom\r\n\r\n<html>\r\n--b--"), []string{"Content-Type", form}, 409},
		"image among files":          {[]byte("--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--b--"), []string{"Content-Type", form}, 409},
		"nothing":                    {[]byte("--b--"), []string{"Content-Type", form}, 400},
		"gzip bomb":                  {bomb(64), []string{"Content-Type", form, "Content-Encoding", "gzip"}, 413},
		"no gzip":                    {[]byte("--b--"), []string{"Content-Type", form, "Content-Encoding", "gzip"}, 400},
		"other encoding":             {nil, []string{"Content-Type", form, "Content-Encoding", "br"}, 415},
		"too long":                   {make([]byte, 80<<20), []string{"Content-Type", form}, 413},
		"answer in HTML":             {nil, []string{"Content-Type", form, "Accept", "text/html"}, 406},
	} {
		h, s := newTest(t, func(o *Options) { o.Limits.Body = 64 << 20 })
		rec := serve(t, h, http.MethodPost, "/dicom-web/studies", bytes.NewReader(c.body), c.headers...)
		if rec.Code != c.status || len(s.objects) > 0 {
			t.Errorf("%s: %d, want %d: %.200s", name, rec.Code, c.status, rec.Body)
		}
	}
}

func TestStoreOfAnotherStudyIsRefused(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	c := &Client{Base: "http://archive/dicom-web", HTTP: &http.Client{Transport: direct{h}}}
	file := part10(t, made(t, "1.2.3.1.1"), uid.DeflatedExplicitVRLittleEndian)
	report, err := c.Store(t.Context(), "9.9", readers(file))
	if err != nil || report.Status != http.StatusConflict || len(report.Failed) != 1 || report.Failed[0] != (FailedReference{uid.CTImageStorage, "1.2.3.1.1", reasonStudyMismatch}) || len(s.objects) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	report, err = c.Store(t.Context(), "1.2.3", readers(file))
	if err != nil || report.Status != http.StatusOK || len(s.objects) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestMetadataWithBulkDataIsStored(t *testing.T) {
	t.Parallel()
	native := `[{"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"00080018":{"vr":"UI","Value":["1.2.3.1.1"]},"0020000D":{"vr":"UI","Value":["1.2.3"]},` +
		`"0020000E":{"vr":"UI","Value":["1.2.3.1"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"ZZPHI^J"}]},"7FE00010":{"vr":"OW","BulkDataURI":"bulk/1"}}]`
	for name, c := range map[string]struct {
		parts  []string
		status int
		ts     string
		pixels string
	}{
		"native":              {[]string{"Content-Type: application/dicom+json\r\n\r\n" + native, "Content-Type: application/octet-stream\r\nContent-Location: bulk/1\r\n\r\nabcd"}, 200, uid.ExplicitVRLittleEndian, "abcd"},
		"bulk data in front":  {[]string{"Content-Type: application/octet-stream\r\nContent-Location: bulk/1\r\n\r\nabcd", "Content-Type: application/dicom+json\r\n\r\n" + native}, 200, uid.ExplicitVRLittleEndian, "abcd"},
		"compressed":          {[]string{"Content-Type: application/dicom+json\r\n\r\n" + native, "Content-Type: image/jls; transfer-syntax=1.2.840.10008.1.2.4.80\r\nContent-Location: bulk/1\r\n\r\nabc"}, 200, uid.JPEGLSLossless, "abc\x00"},
		"bulk data missing":   {[]string{"Content-Type: application/dicom+json\r\n\r\n" + native}, 400, "", ""},
		"no JSON":             {[]string{"Content-Type: application/dicom+json\r\n\r\n<xml>ZZPHI"}, 400, "", ""},
		"too long for memory": {[]string{"Content-Type: application/dicom+json\r\n\r\n" + native + strings.Repeat(" ", 2<<20)}, 413, "", ""},
		"too long for disk":   {[]string{"Content-Type: application/octet-stream\r\nContent-Location: x\r\n\r\n" + strings.Repeat(" ", 2<<20)}, 413, "", ""},
	} {
		h, s := newTest(t, func(o *Options) { o.Limits.Metadata, o.Limits.Spool = 1<<20, 1<<20 })
		body := "--b\r\n" + strings.Join(c.parts, "\r\n--b\r\n") + "\r\n--b--"
		rec := serve(t, h, http.MethodPost, "/dicom-web/studies", strings.NewReader(body), "Content-Type", `multipart/related; type="application/dicom+json"; boundary=b`)
		if rec.Code != c.status {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			continue
		}
		if c.status != 200 {
			continue
		}
		el, _ := s.objects[0].DataSet.Get(tag.PixelData)
		got := string(el.Bytes())
		if el.Encapsulated() {
			got = string(slices.Concat(el.Fragments()...))
		}
		if s.objects[0].TransferSyntaxUID != c.ts || got != c.pixels || s.objects[0].DataSet.Text(tag.PatientName) != "ZZPHI^J" {
			t.Errorf("%s: %s with %q", name, s.objects[0].TransferSyntaxUID, got)
		}
	}
}

func TestDeletionIsPassedOn(t *testing.T) {
	t.Parallel()
	h, s := newTest(t)
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	c := &Client{Base: "http://archive/dicom-web", HTTP: &http.Client{Transport: direct{h}}}
	if err := c.Delete(t.Context(), Resource{StudyUID: "1.2.3"}); err != nil || len(s.deleted) != 1 {
		t.Errorf("%v, %v", err, s.deleted)
	}
	if e, ok := errors.AsType[*ResponseError](c.Delete(t.Context(), Resource{StudyUID: "9"})); !ok || e.Status != http.StatusNotFound || e.Detail == "" {
		t.Errorf("%+v", e)
	}
	h.o.AllowDelete = false
	if rec := serve(t, h, http.MethodDelete, "/dicom-web/studies/1.2.3", nil); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}
