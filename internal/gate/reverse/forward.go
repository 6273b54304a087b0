package reverse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/patch"
)

// passedOn are the headers of a request that the system behind gets as they came.
var passedOn = []string{
	"Accept", "Accept-Language", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
	"If-Unmodified-Since", "Range", "X-Requested-With",
}

// valueMost is how long such a header may be, in bytes.
const valueMost = 4 << 10

// rangesMost is how many parts of an answer may be asked for: old servers keep each in memory,
// however they overlap (RFC 9110 14.2).
const rangesMost = 8

// headMost is how much of a body is looked at, in bytes.
const headMost = 512

// inspect looks at what the request says besides its address, after somebody may make it.
func (a *asked) inspect() error {
	r := a.r
	bodied := r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
	switch {
	case r.Header.Get("Service-Worker") != "" || r.Header.Get("Sec-Fetch-Dest") == "serviceworker":
		return withStatus(http.StatusForbidden, fault.Denied, "a page may not leave a program in the browser (service worker)")
	case !slices.Contains([]string{"", "none", "same-origin"}, r.Header.Get("Sec-Fetch-Site")) && !navigates(r):
		return withStatus(http.StatusForbidden, fault.Denied, "a page of another origin may load nothing from here")
	case asksUpgrade(r) && (!a.x.WebSocket || !isWebSocket(r)):
		return withStatus(http.StatusForbidden, fault.Denied, "the route allows no other protocol here (websocket)")
	case strings.Count(r.Header.Get("Range"), ",") >= rangesMost:
		return withStatus(http.StatusBadRequest, fault.Invalid, "at most %d parts of an answer are asked for at a time", rangesMost)
	case r.ContentLength < 0 && bodied:
		return withStatus(http.StatusLengthRequired, fault.Invalid, "a body needs its length")
	case r.ContentLength != 0 && !bodied:
		return withStatus(http.StatusBadRequest, fault.Invalid, "this method has no body")
	case r.ContentLength > a.x.upload():
		return withStatus(http.StatusRequestEntityTooLarge, fault.TooLarge,
			"a body has at most %d MiB here (upload_mib of the route)", a.x.upload()>>20)
	}

	for _, name := range passedOn {
		if list := r.Header[name]; len(list) > 1 && name != "Accept" && name != "Accept-Language" || length(list) > valueMost {
			return withStatus(http.StatusBadRequest, fault.Invalid, "the header %s is there twice, or too long", name)
		}
	}
	if _, err := mediaType(r); err != nil { // the system behind may read one in it
		return withStatus(http.StatusUnsupportedMediaType, fault.Invalid, "the Content-Type is none")
	}
	return a.refusedBy(nil)
}

func length(list []string) (n int) {
	for _, text := range list {
		n += len(text)
	}
	return n
}

// refusedBy is the refusal of a patch: head is the beginning of the body, nil before it is read.
func (a *asked) refusedBy(head []byte) error { return refused(a.x.patches.Web(a.patched(head))) }

// patched is the request as patches look at it.
func (a *asked) patched(head []byte) patch.WebRequest {
	kind, _ := mediaType(a.r) // one that cannot be read has been refused
	return patch.WebRequest{
		Method: a.r.Method, Segments: a.path.segments, ContentType: kind,
		Encoded: slices.ContainsFunc(a.r.Header.Values("Content-Encoding"), func(text string) bool {
			return !strings.EqualFold(strings.TrimSpace(text), "identity")
		}),
		Head: head,
	}
}

// mediaType is that of a body, without parameters; empty where none is said.
func mediaType(r *http.Request) (string, error) {
	text := r.Header.Get("Content-Type")
	if text == "" {
		return "", nil
	}
	kind, _, err := mime.ParseMediaType(text)
	return kind, err
}

func refused(refusal *patch.Refusal) error {
	if refusal == nil {
		return nil
	}
	return &statusError{http.StatusForbidden, &fault.Error{Kind: fault.Denied, Err: refusal, Text: "reverse: " + refusal.Error()}}
}

// forward asks the system behind, and answers with what it says.
func (a *asked) forward(ctx context.Context, c *guard.Caller) (out guard.PageOutcome) {
	ctx, end := a.x.live(ctx)
	defer end()
	who := c.Principal().Name
	if err := a.x.turns.Take(ctx, who); err != nil {
		return guard.PageOutcome{Err: err}
	}
	defer a.x.turns.Give(who)

	a.body = a.newUpload()
	defer func() { out.Received = a.body.n.Load() }()
	rq, err := a.outgoing(ctx)
	if err != nil {
		return guard.PageOutcome{Err: err}
	}
	if asksUpgrade(a.r) {
		return a.upgrade(ctx, rq)
	}
	return a.exchange(rq)
}

// outgoing is the request as it is written to the system behind.
func (a *asked) outgoing(ctx context.Context) (*http.Request, error) {
	head := make([]byte, min(headMost, a.r.ContentLength))
	if _, err := io.ReadFull(a.body, head); err != nil {
		return nil, a.body.failure()
	}
	if err := a.refusedBy(head); err != nil {
		return nil, err
	}

	u := &url.URL{
		Scheme: a.x.to.Scheme, Host: a.x.to.Host, Path: a.path.decoded(), RawPath: a.path.escaped(), RawQuery: a.query,
	}
	rq := (&http.Request{Method: a.r.Method, URL: u, Header: http.Header{}, Host: a.x.to.Host}).WithContext(ctx)
	if a.r.ContentLength > 0 {
		rq.Body = io.NopCloser(io.MultiReader(bytes.NewReader(head), a.body))
		rq.ContentLength = a.r.ContentLength
	}
	for _, name := range passedOn {
		if list := a.r.Header[name]; len(list) > 0 {
			rq.Header[name] = slices.Clone(list)
		}
	}
	rq.Header.Set("User-Agent", "collimator")
	a.visit.bring(rq, a.x.s.Now())

	name, password, err := a.x.s.Credentials(a.x.Name, a.x.Origin())
	if err != nil {
		a.x.s.Log.Error("no password for the system behind", "route", a.x.Name, "error", err)
		a.x.tell("has no password here that may be shown to it")
		return nil, fault.Wrap(fault.Unavailable, err, "reverse: there is no password that may be shown to the system behind")
	}
	if name != "" {
		rq.SetBasicAuth(name, password)
	}
	return rq, nil
}

// exchange sends a request and passes on its answer.
func (a *asked) exchange(rq *http.Request) guard.PageOutcome {
	rsp, err := a.x.transport.RoundTrip(rq)
	early := a.body.end()
	if err != nil {
		return guard.PageOutcome{Err: a.unanswered(rq.Context(), err)}
	}
	defer rsp.Body.Close()
	if err := a.judgeAnswer(rsp); err != nil {
		return guard.PageOutcome{Err: err}
	}
	a.x.well()
	switch {
	case early && rsp.StatusCode < http.StatusBadRequest:
		return guard.PageOutcome{Err: withStatus(http.StatusBadGateway, fault.Unavailable,
			"the system behind answers before it has the whole body")}
	case early && a.r.ProtoMajor == 1: // the rest of the body is not read
		a.w.Header().Set("Connection", "close")
	}
	a.visit.keep(rsp.Header.Values("Set-Cookie"), a.x.s.Now())
	return a.pass(rsp)
}

// unanswered says why there is no answer, in words that have nothing of the request in them.
func (a *asked) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Wrap(fault.Unavailable, context.Cause(ctx), "reverse: the request was given up")
	}
	if failed := a.body.failure(); failed != nil {
		return failed
	}
	if said, ok := errors.AsType[*statusError](err); ok {
		return said
	}
	var late interface{ Timeout() bool }
	if errors.As(err, &late) && late.Timeout() {
		a.x.tell("does not answer in " + a.x.wait().String())
		return withStatus(http.StatusGatewayTimeout, fault.Unavailable, "the system behind does not answer in time")
	}
	a.x.tell("is not reached, or what it answers is not HTTP")
	return withStatus(http.StatusBadGateway, fault.Unavailable, "the system behind is not reached, or what it answers is not HTTP")
}

// tell says that something is wrong with the system behind.
func (x *site) tell(what string) {
	x.unwell.Store(true)
	x.s.States.Degraded(part(x.Name), "the system behind route "+x.Name+", at "+x.to.Host+", "+what,
		"see whether it runs and whether the gate may reach it; its password: 'collimator gate password "+x.Name+"'")
}

// well says that it is as it should be, where it was not.
func (x *site) well() {
	if x.unwell.CompareAndSwap(true, false) {
		x.s.States.Well(part(x.Name), "the pages of route "+x.Name+" are at "+x.origin)
	}
}
