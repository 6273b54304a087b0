package places

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// full is the answer where there is no room.
var full = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })

func TestRequestsAreBoundedForEachAddressAndThereIsRoomForTheNext(t *testing.T) {
	t.Parallel()
	q := NewRequests(12)
	end, entered := make(chan struct{}), make(chan struct{})
	h := q.Bound(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { entered <- struct{}{}; <-end }), full)
	ask := func(from string) (let bool) {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.RemoteAddr = from
		done := make(chan struct{})
		go func() { defer close(done); h.ServeHTTP(w, r) }()
		select {
		case <-entered:
			return true
		case <-done:
			if w.Code != http.StatusServiceUnavailable || w.Body.Len() != 0 {
				t.Errorf("%d %q", w.Code, w.Body)
			}
			return false
		}
	}
	let := 0
	for range 20 { // one network of IPv6
		if ask("[2001:db8::1]:5") || ask("[2001:db8::2]:5") {
			let++
		}
	}
	if let != 6 {
		t.Errorf("one address has %d requests of 12", let)
	}
	if !ask("192.0.2.1:5") {
		t.Error("there is no room for another address")
	}
	close(end)
}

// stuck is an answer whose end waits for the window of its reader.
type stuck struct {
	http.ResponseWriter
	flushing, window chan struct{}
}

func (s stuck) Flush() { close(s.flushing); <-s.window }

func TestAnAnswerThatWaitsForItsWindowCounts(t *testing.T) {
	t.Parallel()
	q := NewRequests(2)
	h := q.Bound(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("short")) }), full)
	r := httptest.NewRequest("GET", "/", nil)
	r.ProtoMajor = 2
	s := stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() { defer close(done); h.ServeHTTP(s, r) }()
	<-s.flushing
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d while the one before it waits", w.Code)
	}
	close(s.window)
	<-done
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("%d afterwards", w.Code)
	}
}
