package console

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A page of another host that loads the address as a picture would spend the tickets of who looks at it.
func TestOnlyAPageThatIsOpenedGetsATicket(t *testing.T) {
	t.Parallel()
	asked := 0
	p := NewPages("/web", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(w, `{"location":"https://pacs.example/"}`)
	}))
	for dest, want := range map[string]int{"": 303, "document": 303, "image": 403, "iframe": 403, "empty": 403} {
		r := httptest.NewRequest("GET", "/web/PACS?nonce=1&to=/", nil)
		if dest != "" {
			r.Header.Set("Sec-Fetch-Dest", dest)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", dest, w.Code, want)
		}
	}
	if asked != 2 {
		t.Errorf("%d tickets were asked for", asked)
	}
}

func TestWhoMayNotSeePagesIsNotToldOfALink(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{http.StatusForbidden: "You may not see this", http.StatusNotFound: "This link does not count"} {
		api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"detail":"Your role may not see the pages of this route."}`)
		})
		w := httptest.NewRecorder()
		NewPages("/web", api).ServeHTTP(w, httptest.NewRequest("GET", "/web/PACS?nonce=1&again=1", nil))
		text := w.Body.String()
		if w.Code != status || strings.Count(text, want) != 2 || !strings.Contains(text, "Your role may not") {
			t.Errorf("%d: %d %s", status, w.Code, text)
		}
	}
}
