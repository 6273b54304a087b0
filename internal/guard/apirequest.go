package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"collimator/internal/audit"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/httpsec"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// bodyMost bounds the body of a request to the API, in bytes.
const bodyMost = 16 << 10

// Request is a request to the API on its way to a Handler.
type Request struct {
	g       *Guard
	w       http.ResponseWriter
	r       *http.Request
	c       *Caller // nil on the way to sign in
	address string
	account *budget.Account // of what it holds
	held    int64           // bytes that were taken before the handler ran
	done    bool
}

// Context ends with the request and carries who asks.
func (rq *Request) Context() context.Context { return rq.r.Context() }

// Path is a part of the path that the pattern names.
func (rq *Request) Path(name string) string { return rq.r.PathValue(name) }

// Query is a parameter of the query; empty where it is missing.
func (rq *Request) Query(name string) string { return rq.r.URL.Query().Get(name) }

// Number is a parameter of the query between least and most; standard where it
// is missing. What is no such number is of kind Invalid.
func (rq *Request) Number(name string, standard, least, most int64) (int64, error) {
	text := rq.Query(name)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, fault.Newf(fault.Invalid, "guard: %s is a number from %d to %d", name, least, most)
	}
	return n, nil
}

// Person is who is signed in, or to whom the token belongs.
func (rq *Request) Person() *identity.PersonInfo { return rq.c.info }

// ByToken reports whether a token asks, and not somebody who is signed in.
func (rq *Request) ByToken() bool { return rq.c.session == nil }

// Record writes down what the caller changed.
func (rq *Request) Record(event audit.Event, action audit.Action, objects ...audit.Object) {
	r := rq.c.entry(event, action, audit.Success, "")
	r.Objects = append(r.Objects, objects...)
	rq.g.record(rq.Context(), r)
}

// Read decodes the body, a JSON object of at most 16 KiB. What it does not know
// is refused, and so is another media type: no form of a web page can send it.
func (rq *Request) Read(to any) error {
	b, err := rq.body()
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if dec.Decode(to) != nil || dec.Decode(new(any)) != io.EOF {
		return fault.New(fault.Invalid, "guard: the body is not the JSON object that belongs here; docs/api.md has the fields")
	}
	return nil
}

var errMediaType = fault.New(fault.Unsupported, "guard: send Content-Type: application/json")

func (rq *Request) body() ([]byte, error) {
	if t, _, err := mime.ParseMediaType(rq.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, errMediaType
	}
	b, err := io.ReadAll(http.MaxBytesReader(rq.w, rq.r.Body, bodyMost))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, fault.Newf(fault.TooLarge, "guard: a body has at most %d bytes", bodyMost)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "guard: the body did not arrive whole")
	}
	return b, nil
}

// can lists the verbs that are granted to a person as a whole.
func (g *Guard) can(p policy.Principal) []policy.Verb {
	list := []policy.Verb{}
	for _, v := range policy.AllVerbs() {
		if g.policy.Decide(policy.Request{Principal: p, Verb: v, Now: g.Now()}).Allow {
			list = append(list, v)
		}
	}
	return list
}

// answer sends the result of a handler, once.
func (rq *Request) answer(v any, err error) {
	wait, waits := errors.AsType[*lockout.WaitError](err)
	switch {
	case rq.done:
	case waits:
		rq.tooMany(wait)
	case errors.Is(err, errProof):
		rq.askAgain()
	case err != nil:
		status := httpStatus(err)
		if status == http.StatusInternalServerError {
			rq.g.Log.Error("request not answered", "door", doorAPI, "error", err)
			err = errInternal
		}
		if status == http.StatusServiceUnavailable {
			rq.unavailable(err)
		}
		rq.fail(status, err)
	case v == nil:
		rq.done = true
		rq.w.WriteHeader(http.StatusNoContent)
	case isFile(v):
		if err := rq.fits(len(v.(*File).Body)); err != nil {
			rq.answer(nil, err)
			return
		}
		rq.done = true
		v.(*File).send(rq.w)
	default:
		b, err := json.Marshal(v)
		if err != nil {
			rq.g.Log.Error("answer not encoded", "door", doorAPI, "error", err)
			rq.fail(http.StatusInternalServerError, errInternal)
			return
		}
		if err := rq.fits(len(b)); err != nil {
			rq.answer(nil, err)
			return
		}
		rq.done = true
		rq.w.Header().Set("Content-Type", "application/json")
		rq.w.Write(append(b, '\n'))
	}
}

// unavailable logs that a request was not served: like ones of one address are
// counted, since a stranger can cause some of them at will.
func (rq *Request) unavailable(err error) {
	before, write := rq.g.refusals.take(origin(rq.address) + "\x00503 " + fault.Text(err))
	if write {
		rq.g.Log.Warn("request not served", "door", doorAPI, "status", http.StatusServiceUnavailable, "address", rq.address, "error", err, "before", before)
	}
}

// problem is the document of RFC 9457 with which the API refuses.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// SignIn says with a 401 how to sign in.
	SignIn *methods `json:"signIn,omitempty"`
	// Again says with a 403 of proofType how to show a second factor again.
	Again *proofs `json:"secondFactor,omitempty"`
}

func (rq *Request) fail(status int, err error) {
	rq.problem(problem{Status: status, Detail: fault.Sentence(err)})
}

func (rq *Request) problem(p problem) {
	if rq.done {
		return
	}
	rq.done = true
	p.Title = http.StatusText(p.Status)
	if p.Type == "" {
		p.Type = "about:blank"
	}
	b, _ := json.Marshal(p) // texts and numbers always marshal
	h := rq.w.Header()
	h.Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", httpsec.RetryAfter)
	}
	rq.w.WriteHeader(p.Status)
	rq.w.Write(append(b, '\n'))
}

func (rq *Request) unauthenticated(err error) {
	m := rq.g.methods(rq.r)
	rq.w.Header().Set("WWW-Authenticate", `Bearer realm="collimator"`)
	rq.problem(problem{Status: http.StatusUnauthorized, Detail: fault.Sentence(err), SignIn: &m})
}

// tooMany answers who has to wait.
func (rq *Request) tooMany(wait *lockout.WaitError) {
	rq.w.Header().Set("Retry-After", strconv.Itoa(wait.Seconds()))
	rq.fail(http.StatusTooManyRequests, wait)
}

// lost answers a request for what is not there: the multiplexer knows whether
// another method would do.
func (rq *Request) lost(h http.Handler) {
	s := &statusOnly{header: http.Header{}}
	h.ServeHTTP(s, rq.r)
	if s.status == http.StatusMethodNotAllowed {
		rq.w.Header().Set("Allow", s.header.Get("Allow"))
		rq.fail(s.status, fault.New(fault.Invalid, "guard: this address takes another method"))
		return
	}
	rq.fail(http.StatusNotFound, fault.New(fault.NotFound, "guard: there is nothing under this address"))
}

// statusOnly keeps what the multiplexer would answer.
type statusOnly struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (s *statusOnly) Header() http.Header { return s.header }

// WriteHeader implements http.ResponseWriter.
func (s *statusOnly) WriteHeader(status int) { s.status = status }

// Write implements http.ResponseWriter.
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
