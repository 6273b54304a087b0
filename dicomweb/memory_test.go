package dicomweb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// purse is what an interceptor lets a request hold.
type purse struct {
	most int64 // of one piece; 0 for no bound
	busy bool  // there is no room now
	each func(n int64)

	mu     sync.Mutex
	held   int64
	peak   int64
	pieces int
	asked  []int64
	shrunk int64
}

func (p *purse) refusal() error {
	if p.busy {
		return &Error{Status: http.StatusServiceUnavailable, FailureReason: reasonNoResources, Header: http.Header{"Retry-After": {"10"}}, Detail: "No room."}
	}
	return &Error{Status: http.StatusRequestEntityTooLarge, Detail: "Too large."}
}

// open is a Call.Memory.
func (p *purse) open(_ context.Context, n int64) (dicom.Account, func(), error) {
	if p.each != nil {
		p.each(n)
	}
	a := &pieceOfPurse{p: p}
	p.mu.Lock()
	p.pieces++
	p.asked = append(p.asked, n)
	p.mu.Unlock()
	if err := a.Grow(n); err != nil {
		return nil, nil, err
	}
	return a, a.close, nil
}

type pieceOfPurse struct {
	p    *purse
	held int64
}

// Grow implements dicom.Account.
func (a *pieceOfPurse) Grow(n int64) error {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	if a.p.most > 0 && a.held+n > a.p.most {
		return a.p.refusal()
	}
	a.held += n
	a.p.held += n
	a.p.peak = max(a.p.peak, a.p.held)
	return nil
}

// Shrink gives n bytes back before the piece is closed.
func (a *pieceOfPurse) Shrink(n int64) {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	a.held -= n
	a.p.held -= n
	a.p.shrunk += n
}

func (a *pieceOfPurse) close() {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	a.p.held -= a.held
	a.held = 0
}

// newPursed is a handler whose requests have a purse.
func newPursed(t testing.TB, p *purse, change ...func(*Options)) (*Handler, *shelf) {
	t.Helper()
	h, s := newTest(t, change...)
	h.guard = func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome {
		call.Memory = p.open
		return next(ctx)
	}
	return h, s
}

// jsonSet is a data set as metadata; more is further attributes.
func jsonSet(instance, more string) string {
	return `{"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"00080018":{"vr":"UI","Value":["` + instance + `"]},` +
		`"0020000D":{"vr":"UI","Value":["1.2.3"]},"0020000E":{"vr":"UI","Value":["1.2.3.1"]}` + more + `}`
}

func postMetadata(t testing.TB, h http.Handler, ctx context.Context, parts ...string) *httptest.ResponseRecorder {
	t.Helper()
	body := ""
	for _, p := range parts {
		if !strings.HasPrefix(p, "Content-Type") {
			p = "Content-Type: application/dicom+json\r\n\r\n" + p
		}
		body += "\r\n--b\r\n" + p
	}
	rq := httptest.NewRequestWithContext(ctx, http.MethodPost, "/dicom-web/studies", strings.NewReader(body+"\r\n--b--"))
	rq.Header.Set("Content-Type", `multipart/related; type="application/dicom+json"; boundary=b`)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, rq)
	return rec
}

// reasons are the failure reasons of an answer, with how often each is there.
func reasons(t testing.TB, rec *httptest.ResponseRecorder) map[uint16]int {
	t.Helper()
	ds, err := dicom.UnmarshalJSON(rec.Body.Bytes(), dicom.JSONOptions{})
	if err != nil {
		t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	out := map[uint16]int{}
	for _, s := range []dicom.Tag{tag.FailedSOPSequence, tag.OtherFailuresSequence} {
		el, _ := ds.Get(s)
		for _, item := range el.Items() {
			n, _ := item.Int(tag.FailureReason)
			out[uint16(n)]++
		}
	}
	return out
}

func TestDataSetsAreInMemoryOneAtATime(t *testing.T) {
	t.Parallel()
	p := &purse{}
	h, s := newPursed(t, p)
	var sets []string
	for i := range 40 {
		sets = append(sets, jsonSet(fmt.Sprintf("1.2.3.1.%d", i+1), `,"00204000":{"vr":"LT","Value":["`+strings.Repeat("x", 100_000)+`"]}`))
	}
	rec := postMetadata(t, h, t.Context(), "["+strings.Join(sets[:20], ",")+"]", "["+strings.Join(sets[20:], " , ")+"]")
	if rec.Code != http.StatusOK || len(s.objects) != 40 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if one := int64(storeCost + 2<<20); p.peak > one || p.held != 0 {
		t.Errorf("%d bytes were held at a time and %d in the end; one data set needs less than %d", p.peak, p.held, one)
	}
}

func TestDataSetsOfMetadataAreCounted(t *testing.T) {
	t.Parallel()
	p := &purse{}
	h, s := newPursed(t, p, func(o *Options) { o.Limits.Parts = 50 })
	rec := postMetadata(t, h, t.Context(), "["+strings.Repeat("{},", 10_000)+"{}]")
	if rec.Code != http.StatusRequestEntityTooLarge || !strings.Contains(rec.Body.String(), "more parts than allowed") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if p.pieces > 60 || len(s.objects) > 0 {
		t.Errorf("%d pieces of work were begun", p.pieces)
	}
}

func TestStoringEndsWithItsClient(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := &purse{}
	p.each = func(int64) {
		if p.pieces == 5 {
			cancel()
		}
	}
	h, _ := newPursed(t, p)
	postMetadata(t, h, ctx, "["+strings.Repeat("{},", 10_000)+"{}]")
	if p.pieces > 7 {
		t.Errorf("%d pieces of work were begun, the client left at the fifth", p.pieces)
	}
}

// TestWhatMetadataBecomeIsBounded: in bytes, whatever they are made of.
func TestWhatMetadataBecomeIsBounded(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]string{
		"items":    `,"00081115":{"vr":"SQ","Value":[` + strings.Repeat("{},", 400_000) + `{}]}`,
		"names":    `,"00100010":{"vr":"PN","Value":[` + strings.Repeat("{},", 400_000) + `{}]}`,
		"numbers":  `,"00081196":{"vr":"US","Value":[` + strings.Repeat("1,", 400_000) + `1]}`,
		"one text": `,"00204000":{"vr":"LT","Value":["` + strings.Repeat("x", 4<<20) + `"]}`,
	} {
		p := &purse{most: 4 << 20}
		h, s := newPursed(t, p)
		rec := postMetadata(t, h, t.Context(), "["+jsonSet("1.2.3.1.1", more)+","+jsonSet("1.2.3.1.2", "")+"]")
		if rec.Code != http.StatusAccepted || len(s.objects) != 1 {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			continue
		}
		if got := reasons(t, rec); len(got) != 1 || got[reasonCannotUnderstand] != 1 {
			t.Errorf("%s: failure reasons %x", name, got)
		}
		if p.peak > storeCost+5<<20 || p.held != 0 {
			t.Errorf("%s: %d bytes were held, and %d in the end", name, p.peak, p.held)
		}
	}
}

func TestWantOfRoomIsSaidAsSuch(t *testing.T) {
	t.Parallel()
	bomb := "[" + jsonSet("1.2.3.1.1", `,"00204000":{"vr":"LT","Value":["`+strings.Repeat("x", 4<<20)+`"]}`) + "]"
	for _, c := range []struct {
		busy   bool
		status int
		reason uint16
		again  string
	}{{true, http.StatusServiceUnavailable, reasonNoResources, "10"}, {false, http.StatusRequestEntityTooLarge, reasonCannotUnderstand, ""}} {
		h, _ := newPursed(t, &purse{most: 2 << 20, busy: c.busy})
		rec := postMetadata(t, h, t.Context(), bomb)
		if rec.Code != c.status || rec.Header().Get("Retry-After") != c.again {
			t.Errorf("busy %t: %d, Retry-After %q", c.busy, rec.Code, rec.Header().Get("Retry-After"))
		}
		if got := reasons(t, rec); len(got) != 1 || got[c.reason] != 1 {
			t.Errorf("busy %t: failure reasons %x", c.busy, got)
		}

		h, _ = newPursed(t, &purse{most: 1, busy: c.busy})
		if rec := postMetadata(t, h, t.Context(), bomb); rec.Code != c.status {
			t.Errorf("busy %t, nothing at all: %d", c.busy, rec.Code)
		}
	}
}

func TestFramesOfMetadataAndAddressesOfPartsAreCharged(t *testing.T) {
	t.Parallel()
	p := &purse{most: 3 << 20}
	h, s := newPursed(t, p)
	frame := "Content-Type: image/jls; transfer-syntax=1.2.840.10008.1.2.4.80\r\nContent-Location: bulk/1\r\n\r\n" + strings.Repeat("f", 4<<20)
	rec := postMetadata(t, h, t.Context(), "["+jsonSet("1.2.3.1.1", `,"7FE00010":{"vr":"OB","BulkDataURI":"bulk/1"}`)+"]", frame)
	if rec.Code != http.StatusRequestEntityTooLarge || len(s.objects) > 0 {
		t.Errorf("a frame: %d", rec.Code)
	}
	var parts []string
	for i := range 400 {
		parts = append(parts, fmt.Sprintf("Content-Type: application/octet-stream\r\nContent-Location: %d/%s\r\n\r\nx", i, strings.Repeat("x", 8000)))
	}
	if rec := postMetadata(t, h, t.Context(), parts...); rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("addresses of parts: %d", rec.Code)
	}
	if p.held != 0 {
		t.Errorf("%d bytes are held in the end", p.held)
	}
}

func TestDataSetsAreToldApart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[]`: "", ` [ ] `: "", `[{}]`: "{}", `{"a":1}`: `{"a":1}`, ` [ {"a":"}{]\""} , {"b":[{},[]]} ] `: `{"a":"}{]\""} {"b":[{},[]]}`,
		``: "error", `[`: "error", `[{}`: "{} error", `[{},]`: "{} error", `[{} {}]`: "{} error", `[,{}]`: "error", `[{}]{}`: "{} error", `{}{}`: "{} error", `[[{}]]`: "error", `<xml>`: "error", `[{"a":"\`: "error",
	} {
		var got []string
		sets := newJSONSets(strings.NewReader(text))
		for {
			at, err := sets.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				if !errors.Is(err, errJSON) {
					t.Errorf("%q: %v", text, err)
				}
				got = append(got, "error")
				break
			}
			got = append(got, text[at.offset:at.offset+at.length])
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %q, want %q", text, s, want)
		}
	}
}

// rendering tests

func TestPicturesReserveWhatTheyHold(t *testing.T) {
	t.Parallel()
	const path = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
	forms := map[string]string{"/rendered": typeJPEG, "/thumbnail": typePNG, "/frames/1": `multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1`}
	for target, accept := range forms {
		p := &purse{}
		h, s := newPursed(t, p)
		s.keep(t, largeRLE(t), uid.RLELossless)
		rec := serve(t, h, http.MethodGet, path+target, nil, "Accept", accept)
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
		}
		if len(p.asked) == 0 || p.asked[0] < 512*512 || p.held != 0 {
			t.Errorf("%s: asked for %v before the work, %d bytes are held behind it", target, p.asked, p.held)
		}
		if accept != typeJPEG && accept != typePNG {
			continue
		}
		if p.shrunk != p.asked[0] || p.pieces != 1 {
			t.Errorf("%s: %d bytes of %v were given back before the picture was sent, in %d pieces", target, p.shrunk, p.asked, p.pieces)
		}
	}
	for target, accept := range forms {
		for _, busy := range []bool{true, false} {
			p := &purse{most: 100_000, busy: busy}
			h, s := newPursed(t, p)
			s.keep(t, largeRLE(t), uid.RLELossless)
			rec := serve(t, h, http.MethodGet, path+target, nil, "Accept", accept)
			want := map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusRequestEntityTooLarge}[busy]
			if rec.Code != want || busy && rec.Header().Get("Retry-After") == "" {
				t.Errorf("%s without room: %d, want %d", target, rec.Code, want)
			}
		}
	}
}

// largeRLE is an image of 512 by 512 zeros.
func largeRLE(t testing.TB) *dicom.DataSet {
	t.Helper()
	ds := made(t, "1.2.3.1.1")
	if err := errors.Join(ds.SetInt(tag.Rows, 512), ds.SetInt(tag.Columns, 512)); err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 64)
	frame[0], frame[4] = 1, 64
	for range 512 * 4 {
		frame = append(frame, 0x81, 0) // a run of 128
	}
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, frame))
	return ds
}

func TestListsOfFramesAreBoundedByTheirPictures(t *testing.T) {
	t.Parallel()
	const path = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/frames/"
	h, s := newTest(t, func(o *Options) { o.Limits.PicturesPx = 1 << 20 })
	ds := made(t, "1.2.3.1.1", tag.NumberOfFrames, "3")
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, make([]byte, 24)))
	s.keep(t, ds, uid.ExplicitVRLittleEndian)
	for target, want := range map[string]int{
		"1,2,3/rendered": 200, "1,1/rendered": 400, "1,2,1": 400, "1,2,3": 200,
		"1,2,3/rendered?viewport=1024,512": 413, "1/rendered?viewport=1024,512": 200,
	} {
		if rec := serve(t, h, http.MethodGet, path+target, nil); rec.Code != want {
			t.Errorf("%s: %d, want %d", target, rec.Code, want)
		}
	}
}

func TestRenderingEndsWithItsClient(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := &purse{each: func(int64) { cancel() }}
	h, s := newPursed(t, p)
	ds := made(t, "1.2.3.1.1", tag.NumberOfFrames, "3")
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, make([]byte, 24)))
	s.keep(t, ds, uid.ExplicitVRLittleEndian)
	rq := httptest.NewRequestWithContext(ctx, http.MethodGet, "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/frames/1,2,3/rendered", nil)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, rq)
	if rec.Code != http.StatusServiceUnavailable || p.pieces != 1 || p.held != 0 {
		t.Errorf("%d; %d pictures were begun, %d bytes are held", rec.Code, p.pieces, p.held)
	}
}
