package dicomweb

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"collimator/dicom/uid"
)

// vanishing is a backend of which something is deleted behind the first look.
type vanishing struct {
	*shelf
	looks int
}

func (v *vanishing) Instances(ctx context.Context, sel Selection) iter.Seq2[Instance, error] {
	v.looks++
	all := v.shelf.Instances(ctx, sel)
	if v.looks == 1 {
		return all
	}
	return butLast(all)
}

func (v *vanishing) Headers(ctx context.Context, sel Selection) iter.Seq2[Header, error] {
	return butLast(v.shelf.Headers(ctx, sel))
}

// butLast is a sequence without its last value.
func butLast[T any](all iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var held *T
		for v, err := range all {
			if held != nil && !yield(*held, err) {
				return
			}
			held = &v
		}
	}
}

func TestAnAnswerThatLacksWhatWasPromisedDoesNotEndAsIfItWereWhole(t *testing.T) {
	t.Parallel()
	for path, accept := range map[string]string{
		"": `multipart/related; type="application/dicom"`, "/metadata": typeJSON, "/metadata?x": `multipart/related; type="application/dicom+xml"`,
		"/bulkdata": `multipart/related; type="application/octet-stream"`, "/rendered": "multipart/related; type=image/png",
	} {
		for _, instances := range []int{1, 3} {
			s := &shelf{}
			for n := range instances {
				s.keep(t, made(t, "1.2.3.1."+string(rune('1'+n))), uid.ExplicitVRLittleEndian)
			}
			var out Outcome
			h := NewHandler(&vanishing{shelf: s}, func(ctx context.Context, _ *Call, next func(context.Context) Outcome) Outcome {
				out = next(ctx)
				return out
			}, Options{})
			server := httptest.NewServer(h)
			rq, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/studies/1.2.3"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			rq.Header.Set("Accept", accept)
			status, body, err := fetch(rq)
			server.Close()
			if instances == 1 && (status != http.StatusServiceUnavailable || err != nil) || instances > 1 && err == nil {
				t.Errorf("%s of %d instances: status %d, %v, as if it were whole:\n%s", path, instances, status, err, body)
			}
			if strings.HasSuffix(strings.TrimSpace(body), "--") || strings.HasSuffix(body, "]") || out.Err == nil {
				t.Errorf("%s of %d instances: the body is closed, or the outcome has no error", path, instances)
			}
		}
	}
}

// fetch reads an answer as far as it goes.
func fetch(rq *http.Request) (int, string, error) {
	rs, err := http.DefaultClient.Do(rq)
	if err != nil {
		return 0, "", err
	}
	defer rs.Body.Close()
	var b strings.Builder
	_, err = copyTo(&b, rs.Body)
	return rs.StatusCode, b.String(), err
}
