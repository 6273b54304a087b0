package dicomweb

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// action answers a request that was decoded. An error before anything was
// written becomes a problem document.
type action func(x *exchange) error

// exchange is one request and its answer.
type exchange struct {
	h    *Handler
	w    http.ResponseWriter
	r    *http.Request
	call *Call

	out      Outcome
	named    *Instance // one of those that are asked for, to say of whom they are
	observed bool      // the interceptor has seen one
	status   int
	begun    bool // the status is on its way
	finished bool
	broken   bool // the answer ended before it was complete
}

// errNoBody ends what a request for the headers alone would have been answered.
var errNoBody = errors.New("dicomweb: a HEAD request has no body")

// finish turns what an action returned into the answer's end and the outcome.
func (x *exchange) finish(err error) Outcome {
	x.finished = true
	if x.headOnly() {
		x.out.Instances = 0
		x.out.Matches = 0
	}
	if errors.Is(err, errNoBody) {
		err = nil
	}
	if x.named != nil && !x.observed && x.call.Observe != nil {
		x.call.Observe(Observation{Instance: x.named, Unsent: true})
	}
	if err != nil {
		x.out.Err = err
		if x.begun {
			x.broken = true
		} else {
			x.problem(err)
		}
	}

	x.out.Status = x.status
	return x.out
}

// start writes the status and the headers; the body follows with Write.
func (x *exchange) start(status int, contentType string) {
	x.begun = true
	x.status = status
	x.warn()
	if contentType != "" {
		x.w.Header().Set("Content-Type", contentType)
	}
	x.w.WriteHeader(status)
}

func (x *exchange) headOnly() bool { return x.r.Method == http.MethodHead }

// Write is a piece of the body. A request for the headers alone has none: what
// would write it ends here.
func (x *exchange) Write(p []byte) (int, error) {
	if x.headOnly() {
		return 0, errNoBody
	}
	n, err := x.w.Write(p)
	x.out.Bytes += int64(n)
	return n, err
}

// observe shows an instance to the interceptor.
func (x *exchange) observe(i *Instance) bool {
	x.observed = true
	return x.call.Observe == nil || x.call.Observe(Observation{Instance: i, Unsent: x.headOnly()})
}

func (x *exchange) selection() Selection {
	return Selection{Resource: x.call.Resource, Restriction: x.call.Restriction, Reason: x.call.Reason}
}

// errIncomplete is an answer in which something is missing that was counted
// before: it was deleted in between, or the backend lost it. What has gone out
// is not a whole answer and must not end like one.
var errIncomplete = &Error{
	Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"1"}},
	Detail: "Some of it was deleted while it was being read. Ask again.",
}

// name keeps the first instance of those that are asked for.
func (x *exchange) name(i Instance) {
	if x.named == nil {
		x.named = &i
	}
}

// promised counts the instances of a selection, from the index alone, before
// they are sent.
func (x *exchange) promised() (int, error) {
	n := 0
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return 0, err
		}
		x.name(i)
		n++
	}
	return n, nil
}

// copyPart copies a value whose length was announced; -1 for one that was not.
func (x *exchange) copyPart(r io.Reader, length int64) error { return copyWhole(x, r, length) }

// copyWhole copies a value whose length was announced, if it was, to a body.
func copyWhole(w io.Writer, r io.Reader, length int64) error {
	n, err := copyTo(w, r)
	if err == nil && length >= 0 && n != length {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// origin is the scheme and host of links: the configured one that the request
// was sent to, or the one for all others. The Host header alone makes none: it is the
// peer's word, and would lead others away.
func (x *exchange) origin() string {
	for _, o := range x.h.o.Origins {
		if _, host, ok := strings.Cut(o, "://"); ok && strings.EqualFold(host, x.r.Host) {
			return o
		}
	}
	return x.h.o.Origin
}

// link is the address of a resource on this server (PS3.18 8.2), absolute where
// the origin is configured.
func (x *exchange) link(r Resource) string { return x.origin() + x.h.o.Root + r.path() }

// buffers are for copying objects. A backend may open a file for each read.
var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// copyTo copies with a buffer of the pool.
func copyTo(w io.Writer, r io.Reader) (int64, error) {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, *b)
}

// notModified answers a conditional request whose entity is still the same
// (RFC 9110 13.1.2), and names the entity otherwise.
func (x *exchange) notModified(tag string) bool {
	h := x.w.Header()
	h.Set("ETag", tag)
	for _, v := range x.r.Header.Values("If-None-Match") {
		for _, t := range strings.Split(v, ",") {
			t = strings.TrimSpace(t)
			if t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
				x.start(http.StatusNotModified, "")
				return true
			}
		}
	}
	return false
}

// etag is the weak entity tag of a version; empty without one.
func etag(parts ...string) string { return `W/"` + strings.Join(parts, "-") + `"` }

// compressed is a writer for the body that is gzip where the peer takes it.
// Close it. Call it before start.
func (x *exchange) compressed() io.WriteCloser {
	x.w.Header().Add("Vary", "Accept-Encoding")
	if x.headOnly() || !acceptsGzip(x.r.Header.Values("Accept-Encoding")) {
		return plainBody{x}
	}
	x.w.Header().Set("Content-Encoding", "gzip")
	z := compressors.Get().(*gzip.Writer)
	z.Reset(x.w)
	return &gzipBody{x, z}
}

var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return z
}}

type plainBody struct{ *exchange }

// Close implements io.Closer.
func (plainBody) Close() error { return nil }

type gzipBody struct {
	x *exchange
	z *gzip.Writer
}

// Write implements io.Writer.
func (g *gzipBody) Write(p []byte) (int, error) {
	n, err := g.z.Write(p)
	g.x.out.Bytes += int64(n)
	return n, err
}

// Close implements io.Closer. A second one does nothing.
func (g *gzipBody) Close() error {
	if g.z == nil {
		return nil
	}
	err := g.z.Close()
	compressors.Put(g.z)
	g.z = nil
	return err
}

// abandon gives the compressor back without the end of the stream.
func (g *gzipBody) abandon() {
	if g.z == nil {
		return
	}
	g.z.Reset(io.Discard)
	compressors.Put(g.z)
	g.z = nil
}

// acceptsGzip reads Accept-Encoding (RFC 9110 12.5.3).
func acceptsGzip(values []string) bool {
	any := false
	for _, v := range values {
		for _, item := range strings.Split(v, ",") {
			name, params, _ := strings.Cut(item, ";")
			q := 1.0
			if _, value, ok := strings.Cut(strings.TrimSpace(params), "q="); ok {
				q = quality(value)
			}

			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return q > 0
			case "*":
				any = q > 0
			}
		}
	}
	return any
}
