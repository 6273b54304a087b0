package dicomweb

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/uid"
)

// watched is a handler with one instance whose observations and outcome are kept.
func watched(t *testing.T) (h *Handler, seen *[]Observation, last *Outcome) {
	t.Helper()
	s := &shelf{answers: []*dicom.DataSet{made(t, "1.2.3.1.1")}}
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	seen, last = new([]Observation), new(Outcome)
	return NewHandler(s, func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome {
		*seen = nil
		call.Observe = func(o Observation) bool { *seen = append(*seen, o); return true }
		*last = next(ctx)
		return *last
	}, Options{}), seen, last
}

// one is that instance.
var one = Resource{StudyUID: "1.2.3", SeriesUID: "1.2.3.1", SOPInstanceUID: "1.2.3.1.1"}

func TestARequestForTheHeadersAloneIsAnsweredLikeItsGetAndSendsNothing(t *testing.T) {
	t.Parallel()
	h, seen, last := watched(t)
	series := Resource{StudyUID: one.StudyUID, SeriesUID: one.SeriesUID}
	for _, path := range []string{
		"/studies", "/studies?PatientName=X", one.path(), series.path(), "/studies/" + one.StudyUID, one.path() + "/metadata", series.path() + "/metadata",
		one.path() + "/frames/1", one.path() + "/rendered", one.path() + "/thumbnail", series.path() + "/rendered", one.path() + "/bulkdata", "/studies/9.9.9", "/",
	} {
		get := serve(t, h, http.MethodGet, path, nil)
		was := *last
		head := serve(t, h, http.MethodHead, path, nil)
		if head.Code != get.Code || head.Header().Get("Content-Type") == "" && head.Code == 200 {
			t.Errorf("%q: status %d, of GET %d; %v", path, head.Code, get.Code, head.Header())
		}
		if (last.Err == nil) != (was.Err == nil) || last.Instances != 0 || last.Bytes != 0 || head.Code < 400 && head.Body.Len() > 0 {
			t.Errorf("%q: %+v, %d bytes", path, *last, head.Body.Len())
		}
		for _, o := range *seen {
			if o.Instance != nil && !o.Unsent {
				t.Errorf("%q: an instance is said to leave", path)
			}
		}
	}
}

func TestWhatIsUnchangedIsNamedAndDoesNotLeave(t *testing.T) {
	t.Parallel()
	h, seen, last := watched(t)
	for _, path := range []string{one.path(), "/studies/" + one.StudyUID, one.path() + "/metadata", one.path() + "/frames/1", one.path() + "/rendered"} {
		get := serve(t, h, http.MethodGet, path, nil)
		if get.Code != http.StatusOK {
			continue
		}
		again := serve(t, h, http.MethodGet, path, nil, "If-None-Match", get.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || last.Err != nil || last.Instances != 0 {
			t.Errorf("%q: status %d, %+v", path, again.Code, *last)
		}
		if len(*seen) != 1 || (*seen)[0].Instance == nil || !(*seen)[0].Unsent || (*seen)[0].Instance.StudyUID != one.StudyUID {
			t.Errorf("%q: %+v", path, *seen)
		}
	}
}

func TestNoMatchLeavesBeforeTheInterceptorAgrees(t *testing.T) {
	t.Parallel()
	s := &shelf{answers: []*dicom.DataSet{made(t, "1.2.3.1.1")}}
	s.keep(t, made(t, "1.2.3.1.1"), uid.ExplicitVRLittleEndian)
	asked := -1
	h := NewHandler(s, func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome {
		call.Answering = func(matches int) error {
			asked = matches
			return &Error{Status: http.StatusServiceUnavailable, Err: errors.New("test: no record")}
		}
		return next(ctx)
	}, Options{})
	rec := serve(t, h, http.MethodGet, "/studies", nil)
	if rec.Code != http.StatusServiceUnavailable || asked < 1 || strings.Contains(rec.Body.String(), "0020000D") {
		t.Errorf("status %d after %d matches: %s", rec.Code, asked, rec.Body)
	}
}
