package httpsec_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"collimator/internal/httpsec"
)

func TestEverySetHoldsWhatBrowsersMustHonour(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]httpsec.Headers{"api": httpsec.API, "images": httpsec.Images, "page": httpsec.Page, "console": httpsec.Console} {
		h := http.Header{}
		set.Set(h)
		for header, want := range map[string]string{
			"Strict-Transport-Security": "max-age=63072000", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if h.Get(header) != want {
				t.Errorf("%s: %s is %q", name, header, h.Get(header))
			}
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: policy %q", name, csp)
		}
		if !strings.Contains(h.Get("Permissions-Policy"), "camera=()") || h.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", name, h)
		}
		if !slices.IsSortedFunc(set, func(a, b httpsec.Header) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%s is not in order", name)
		}
	}
	if !strings.Contains(header(httpsec.Images, "Content-Security-Policy"), "sandbox") {
		t.Error("images are not in a sandbox")
	}
}

func header(s httpsec.Headers, name string) string {
	h := http.Header{}
	s.Set(h)
	return h.Get(name)
}

func TestAHandlerMayReplaceWhatIsWrapped(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	httpsec.API.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "private") })).
		ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Header().Get("Cache-Control") != "private" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", w.Header())
	}
}
