package webapi

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/httpsec"
	"collimator/internal/lockout"
)

// written is an answer that writes itself.
type written interface {
	size() int // bytes of its body
	send(w http.ResponseWriter)
}

// File is an answer that browsers save and do not show: a page that was made of
// what peers said must not run where people are signed in.
type File struct {
	Name string // of the file, ASCII
	Type string // media type
	Body []byte
}

func (f *File) size() int { return len(f.Body) }

func (f *File) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Length", strconv.Itoa(len(f.Body)))
	w.Write(f.Body)
}

// Empty is an answer of 200 without a body, for who wants that and no 204.
type Empty struct{}

func (Empty) size() int { return 0 }

func (Empty) send(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }

// answer sends the result of a handler, or of a refusal.
func (rq *Request) answer(v any, err error) {
	if err == nil {
		err = rq.route.wantAnswer(v)
	}
	if err != nil {
		rq.refuse(err)
		return
	}

	switch v := v.(type) {
	case nil:
		rq.answered = true
		rq.w.WriteHeader(http.StatusNoContent)
	case written:
		rq.send(v)
	default:
		b, err := json.Marshal(v)
		if err != nil {
			rq.api.door.Log.Error("answer not encoded", "door", audit.DoorAPI, "error", err)
			rq.fail(http.StatusInternalServerError, errInternal)
			return
		}
		rq.send(document(b))
	}
}

// document is a JSON text.
type document []byte

func (d document) size() int { return len(d) }

func (d document) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(d, '\n'))
}

// send writes an answer for which there is room.
func (rq *Request) send(x written) {
	if err := rq.caller.Fits(x.size()); err != nil {
		rq.refuse(err)
		return
	}
	rq.answered = true
	x.send(rq.w)
}

// refuse answers with an error, by what it is: who has to wait, to sign in or to
// show a second factor again is told how; the rest has the status of its kind.
func (rq *Request) refuse(err error) {
	wait, waits := errors.AsType[*lockout.WaitError](err)
	unknown, strange := errors.AsType[*guard.UnauthenticatedError](err)
	proof, unproven := errors.AsType[*guard.ProofError](err)
	method, lost := errors.AsType[*methodError](err)

	switch status := statusOf(err); {
	case waits:
		rq.w.Header().Set("Retry-After", strconv.Itoa(wait.Seconds()))
		rq.fail(http.StatusTooManyRequests, wait)
	case strange:
		rq.challenge(unknown)
	case unproven:
		rq.askAgain(proof)
	case lost:
		rq.w.Header().Set("Allow", method.allow)
		rq.fail(status, err)
	case status == http.StatusInternalServerError:
		rq.api.door.Log.Error("request not answered", "door", audit.DoorAPI, "error", err)
		rq.fail(status, errInternal)
	case status == http.StatusServiceUnavailable:
		rq.logUnavailable(err)
		rq.fail(status, err)
	default:
		rq.fail(status, err)
	}
}

// challenge answers who has to sign in.
func (rq *Request) challenge(err error) {
	p := problemOf(http.StatusUnauthorized, err)
	if rq.api.ways != nil {
		p.SignIn = rq.api.ways.SignIn(rq.r)
	}
	rq.w.Header().Set("WWW-Authenticate", `Bearer realm="collimator"`)
	rq.problem(p)
}

// askAgain answers who has to show a second factor again.
func (rq *Request) askAgain(err *guard.ProofError) {
	p := problemOf(http.StatusForbidden, err)
	p.Type = proofType
	if rq.api.ways != nil {
		again, err := rq.api.ways.Again(rq.Context(), rq.r, err.Caller)
		if err != nil {
			rq.refuse(err)
			return
		}
		p.Again = again
	}
	rq.problem(p)
}

// logUnavailable logs that a request was not served: like ones of one address are
// counted, since a stranger can cause some of them at will.
func (rq *Request) logUnavailable(err error) {
	address := rq.Address()
	before, write := rq.api.door.Repeated(address, "503 "+fault.Text(err))
	if write {
		rq.api.door.Log.Warn("request not served", "door", audit.DoorAPI, "status", http.StatusServiceUnavailable,
			"address", address, "error", err, "before", before)
	}
}

func (rq *Request) fail(status int, err error) {
	rq.problem(problemOf(status, err))
}

// problem writes a problem document, unless an answer was begun already.
func (rq *Request) problem(p problem) {
	if rq.answered {
		return
	}

	rq.answered = true
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
