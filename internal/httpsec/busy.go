package httpsec

import (
	"io"
	"net/http"
)

// busyProblem is the problem document for who has to come again.
const busyProblem = `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"Too many requests are answered at this moment. Try again in a second."}` + "\n"

// Busy answers a request for which there is no place. By HTTP/2 it has no body: a
// client that opens no window for one would hold it, and with it what the place
// was refused for.
func Busy(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	API.Set(h)
	h.Set("Retry-After", "1")

	if r.ProtoMajor >= 2 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}

	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, busyProblem) // nobody is there to be told
}
