package console

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"collimator/web"
)

// sessionAPI is an API that knows of one session.
func sessionAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if list := r.CookiesNamed("__Host-session"); len(list) != 1 || list[0].Value != "whole" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"state":"complete"}`)
	})
}

func look(v http.Handler, method, address, session string) *http.Response {
	r := httptest.NewRequest(method, address, nil)
	r.Header.Set("Accept", "text/html")
	if session != "" {
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: session})
	}
	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	return w.Result()
}

func TestTheViewerIsForWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	v := NewViewer(nil, web.ErrNotBuilt, sessionAPI())

	first := look(v, "GET", "/viewer/viewer?StudyInstanceUIDs=1.2.3", "")
	text, _ := io.ReadAll(first.Body)
	if first.StatusCode != http.StatusOK || !strings.Contains(string(text), "again=1") {
		t.Errorf("a stranger: %d %s", first.StatusCode, text)
	}
	led := look(v, "GET", "/viewer/viewer?StudyInstanceUIDs=1.2.3&again=1", "")
	if led.StatusCode != http.StatusSeeOther || led.Header.Get("Location") != SetupPath+"/" {
		t.Errorf("a stranger again: %d %s", led.StatusCode, led.Header.Get("Location"))
	}
	onward, _ := url.QueryUnescape(led.Cookies()[0].Value)
	if onward != "/viewer/viewer?StudyInstanceUIDs=1.2.3&again=1" {
		t.Errorf("it comes back to %s", onward)
	}
	for _, c := range []struct {
		method, address, session string
		want                     int
	}{
		{"GET", "/viewer/boot.js", "", http.StatusUnauthorized},
		{"GET", "/viewer/boot.js", "half", http.StatusUnauthorized},
		{"POST", "/viewer/viewer", "whole", http.StatusMethodNotAllowed},
		{"GET", "/viewer/viewer", "whole", http.StatusServiceUnavailable}, // it was not built
	} {
		if got := look(v, c.method, c.address, c.session); got.StatusCode != c.want {
			t.Errorf("%s %s (%q): %d, want %d", c.method, c.address, c.session, got.StatusCode, c.want)
		}
	}
}

func TestWhoSignedInIsLedOnToPagesOfThisServerAlone(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]bool{
		"/viewer": true, "/viewer/viewer": true, "/web/PACS": true,
		"/viewerx": false, "/viewer/../api/v1/session": false, "//evil.example/viewer/": false, "/": false, "/api/v1/people": false, "": false,
	} {
		if leadsOn(to) != want {
			t.Errorf("%q: %v", to, !want)
		}
	}
}
