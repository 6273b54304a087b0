package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
