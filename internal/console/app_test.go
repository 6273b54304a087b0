package console

import (
	"encoding/json"
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

func TestTheApplicationsAreForWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	v := NewViewer(nil, web.ErrNotBuilt, sessionAPI())
	console := NewConsole(nil, web.ErrNotBuilt, sessionAPI())

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
		{"GET", "/console/devices", "", http.StatusOK},                    // leads to sign in
		{"GET", "/console/devices?again=1", "", http.StatusSeeOther},
		{"GET", "/console/assets/app.js", "", http.StatusUnauthorized},
		{"GET", "/console/devices", "whole", http.StatusServiceUnavailable},
	} {
		app := http.Handler(v)
		if strings.HasPrefix(c.address, ConsolePath) {
			app = console
		}
		if got := look(app, c.method, c.address, c.session); got.StatusCode != c.want {
			t.Errorf("%s %s (%q): %d, want %d", c.method, c.address, c.session, got.StatusCode, c.want)
		}
	}
}

func TestWhoSignedInIsLedOnToPagesOfThisServerAlone(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]bool{
		"/viewer": true, "/console": true, "/console/devices": true, "/consoles": false, "/console/../api/v1/people": false, "/viewer/viewer": true, "/web/PACS": true,
		"/viewerx": false, "/viewer/../api/v1/session": false, "//evil.example/viewer/": false, "/": false, "/api/v1/people": false, "": false,
	} {
		if leadsOn(to) != want {
			t.Errorf("%q: %v", to, !want)
		}
	}
}

func TestABrowserAtTheRootIsLedToTheConsoleWhereThereIsOne(t *testing.T) {
	t.Parallel()
	for built, want := range map[bool]string{true: "/console/", false: "/setup/"} {
		front := Front(built, http.NotFoundHandler())
		if got := look(front, "GET", "/", ""); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != want {
			t.Errorf("built %v: %d %s", built, got.StatusCode, got.Header.Get("Location"))
		}
		if got := look(front, "POST", "/", ""); got.StatusCode != http.StatusNotFound {
			t.Errorf("built %v: something else is answered with %d", built, got.StatusCode)
		}
	}
}

func TestTheAccountPageLeadsToTheConsoleWhereThereIsOne(t *testing.T) {
	t.Parallel()
	for built, want := range map[bool]string{true: `href="/console/"`, false: "built without the console"} {
		text, _ := io.ReadAll(look(NewSetup(built, sessionAPI()), "GET", "/setup/", "whole").Body)
		if !strings.Contains(string(text), want) {
			t.Errorf("built %v: %s", built, text)
		}
	}
}

// Who opened a link to a study is not signed in: the console would lead to sign in, and that back to the console.
func TestALinkToAStudyOpensNoConsoleAndIsNotInTheWayOfSigningIn(t *testing.T) {
	t.Parallel()
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) == 0 {
			w.WriteHeader(http.StatusUnauthorized)
		}
		json.NewEncoder(w).Encode(map[string]string{"state": "complete", "method": methodLink, "code": "credentials"})
	})
	if got := look(NewConsole(nil, web.ErrNotBuilt, api), "GET", "/console?again=1", "guest"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the console: %d", got.StatusCode)
	}
	text, _ := io.ReadAll(look(NewSetup(true, api), "GET", "/setup/", "guest").Body)
	if !strings.Contains(string(text), `name="password"`) {
		t.Errorf("no way to sign in: %s", text)
	}
}
