package console

import (
	"bytes"
	"errors"
	"net/http"

	"collimator/internal/fault"
)

// inside asks a handler behind the guard in the name of a browser: with its
// cookie, its address, and what it says of where the request comes from. Where
// the browser only looks at a page, it may come from anywhere, such as a link in
// a mail: what a page asks by itself then changes nothing that matters.
func inside(h http.Handler, r *http.Request, method, path string, body []byte, header ...string) (*answer, error) {
	rq, err := http.NewRequestWithContext(r.Context(), method, path, bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Internal, "console: a request cannot be written")
	}
	rq.RemoteAddr = r.RemoteAddr
	rq.Host = r.Host
	rq.TLS = r.TLS

	names := []string{"Cookie", "Origin", "Sec-Fetch-Site"}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		names = names[:1]
	}

	for _, name := range names {
		if v := r.Header[name]; v != nil {
			rq.Header[name] = v
		}
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}

	a := &answer{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(a, rq)
	return a, nil
}

// answerMost bounds an answer that is kept in memory, in bytes.
const answerMost = 32 << 20

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	long   bool
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.body.Len()+len(p) > answerMost {
		a.long = true
		return 0, errors.New("console: the answer is too long")
	}
	return a.body.Write(p)
}

// cookies hands on what the answer wants the browser to keep.
func (a *answer) cookies(w http.ResponseWriter) {
	for _, c := range a.header["Set-Cookie"] {
		w.Header().Add("Set-Cookie", c)
	}
}
