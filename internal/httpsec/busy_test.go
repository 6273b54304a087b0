package httpsec_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"collimator/internal/httpsec"
)

func TestWhoFindsNoPlaceIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	for major, kind := range map[int]string{1: "application/problem+json", 2: ""} {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.ProtoMajor = major
		httpsec.Busy(w, r)
		if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != kind {
			t.Errorf("HTTP/%d: %d %v", major, w.Code, w.Header())
		}
		if major == 1 != strings.Contains(w.Body.String(), `"status":503`) || major == 2 && w.Body.Len() > 0 {
			t.Errorf("HTTP/%d: %q", major, w.Body)
		}
		for _, h := range httpsec.API {
			if got := w.Header().Get(h.Name); got != h.Value {
				t.Errorf("HTTP/%d: %s is %q", major, h.Name, got)
			}
		}
	}
}
