// Package dicomweb speaks the studies service of DICOMweb (PS3.18 8, 10): a
// Handler that searches (QIDO-RS), retrieves and renders (WADO-RS, WADO-URI),
// stores (STOW-RS) and deletes over a Backend, and a Client for the same. It
// keeps nothing, authenticates nobody and decides about no caller: an
// Interceptor sees every request before the Backend does. Objects move as
// streams; memory does not grow with them. Worklists and the services of
// PS3.18 11 and later are not covered. XML (PS3.19 A.1) is written and not read.
package dicomweb

import (
	"context"
	"net/http"
	"runtime"
	"strings"
)

// Options are what a Handler may be told. The zero value is usable.
type Options struct {
	// Root is the path under which the handler stands, such as "/dicom-web":
	// it is taken off requests and put in front of the links in answers. Empty is
	// the root.
	Root string
	// Origins are the addresses of the server as clients see them, such as
	// "https://pacs.example.org:8443". A link in an answer begins with the one to
	// which the request was sent, else with Origin; where that is empty it names
	// no host.
	Origins []string
	Origin  string
	// TempDir is where bulk data of a store request are put until its metadata
	// are complete; empty is the system's.
	TempDir string
	// AllowDelete passes DELETE on; without it the answer is 405. The interceptor
	// and the backend decide all the same.
	AllowDelete bool
	// CompressFrames sends frames that are not compressed as gzip to whoever takes
	// that. It costs a processor about 10 ms for each 512 KiB, and saves a quarter of
	// a real CT image: worth it over slow lines, and not within a building.
	CompressFrames bool
	Limits         Limits
}

// Limits bound what a request can cost. A field that is zero has its default.
type Limits struct {
	Matches     int   // answers to one search; default 1,000
	Keys        int   // parameters of a query; default 512
	Body        int64 // bytes of one request, before and after decompression; default 64 GiB
	Ratio       int64 // bytes after decompression of a request per byte before, beyond the first 16 MiB; default 200
	Parts       int   // parts of one request, and data sets of its metadata; default 20,000
	PartHeader  int   // bytes of the header of one part; default 16 KiB
	Metadata    int64 // bytes of metadata of a store request, and of compressed bulk data of one of its instances; default 32 MiB
	Spool       int64 // bytes of bulk data of a store request kept on disk; default 16 GiB
	Frames      int   // frames in one request; default 10,000
	RenderedPx  int64 // pixels of a frame that is rendered, and of what becomes of it; default 64 Mi
	PicturesPx  int64 // pixels of all pictures of a list of frames; default 512 Mi
	Renderings  int   // frames decoded or rendered at the same time, one holder all but one; default processors plus one
	HeaderBytes int   // bytes of an Accept header that are read; default 8 KiB
}

func (l Limits) withDefaults() Limits {
	def(&l.Matches, 1000)
	def(&l.Keys, 512)
	def(&l.Body, 64<<30)
	def(&l.Ratio, 200)
	def(&l.Parts, 20_000)
	def(&l.PartHeader, 16<<10)
	def(&l.Metadata, 32<<20)
	def(&l.Spool, 16<<30)
	def(&l.Frames, 10_000)
	def(&l.RenderedPx, 64<<20)
	def(&l.PicturesPx, 512<<20)
	def(&l.Renderings, runtime.GOMAXPROCS(0)+1)
	def(&l.HeaderBytes, 8<<10)
	return l
}

func def[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Handler answers DICOMweb requests. It is safe for concurrent use.
type Handler struct {
	backend   Backend
	guard     Interceptor
	o         Options
	limits    Limits
	rendering *turns // places for frames that are decoded or rendered
}

// NewHandler makes a handler whose every request passes the interceptor before
// the backend. interceptor may not be nil: there is no Handler without one.
// The zero Handler answers everything with 403.
func NewHandler(b Backend, interceptor Interceptor, o Options) *Handler {
	if interceptor == nil {
		panic("dicomweb: NewHandler without an Interceptor")
	}
	if b == nil {
		panic("dicomweb: NewHandler without a Backend")
	}

	o.Root = strings.TrimSuffix(o.Root, "/")
	limits := o.Limits.withDefaults()
	return &Handler{backend: b, guard: interceptor, o: o, limits: limits, rendering: newTurns(limits.Renderings)}
}

// ServeHTTP implements http.Handler. Every request, a malformed one too, passes
// the interceptor; nothing is written before it has.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{h: h, w: w, r: r}
	securityHeaders(w.Header())
	if h.guard == nil {
		x.problem(&Error{Status: http.StatusForbidden, Detail: "This service is not set up."})
		return
	}

	call, act, err := h.decode(r)
	if call.Verb == Malformed {
		if err == nil {
			err = errNotFound // nothing is done that an interceptor cannot judge
		}
		call.Verb = attempted(r.Method)
	}
	x.call = call

	next := func(ctx context.Context) Outcome {
		if err != nil {
			return x.finish(err)
		}
		x.r = x.r.WithContext(ctx)
		return x.finish(act(x))
	}
	out := h.guard(r.Context(), call, next)

	if !x.begun && !x.finished {
		x.finish(refusal(out))
	}
	if x.broken {
		// What was announced cannot be completed: the peer must not take what it
		// has for the whole.
		panic(http.ErrAbortHandler)
	}
}

// attempted is what a malformed request would have done: a caller who may not
// delete or store is refused as such, also where the address is wrong.
func attempted(method string) Verb {
	switch method {
	case http.MethodDelete:
		return Deleting
	case http.MethodPost:
		return Storing
	}
	return Malformed
}

// refusal is the error of an interceptor that did not call next.
func refusal(out Outcome) error {
	if out.Err != nil {
		return out.Err
	}
	if out.Status >= 400 {
		return &Error{Status: out.Status}
	}
	return &Error{Status: http.StatusForbidden}
}

// securityHeaders are on every answer: what comes from an archive is data, and
// no browser may take it for a page of this origin.
func securityHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-cache")
}

// documentPolicy is the policy of an encapsulated document: the viewers built
// into browsers do not open one inside a sandbox, and a page of this origin
// shows it in a frame.
const documentPolicy = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
