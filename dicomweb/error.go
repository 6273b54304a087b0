package dicomweb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Error is an outcome that is answered as a problem document (RFC 9457). Its
// texts are shown to the peer: they say what to do and quote no value of a
// request or an object.
type Error struct {
	Status        int    // of HTTP
	Title         string // empty is that of the status
	Detail        string
	Code          Code     // why there is no picture; empty for all else
	Possible      []string // media types that would have worked
	Header        http.Header
	FailureReason uint16 // (0008,1197) of a store request; 0 derives it from the status
	Err           error  // for our log
}

// Error is the detail and the cause.
func (e *Error) Error() string {
	s := fmt.Sprintf("dicomweb: %d %s", e.Status, http.StatusText(e.Status))
	if e.Detail != "" {
		s += ": " + strings.TrimSuffix(e.Detail, ".")
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

func problemf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Detail: fmt.Sprintf(format, args...)}
}

var errNotFound = &Error{Status: http.StatusNotFound, Detail: "There is nothing under this address that you may see. Search for the study first."}

var errNothingToShow = &Error{
	Status: http.StatusNotAcceptable,
	Code:   CodeNoPicture,
	Detail: "Nothing was found here that can be shown as a picture. Retrieve the instances.",
}

// asError finds the Error in a chain or makes one.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Status: http.StatusServiceUnavailable, Detail: "The request was given up before it was complete.", Err: err}
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Error{
			Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("The request is longer than %d bytes. Send fewer objects at a time.", e.Limit),
			Err:    err,
		}
	}
	return &Error{Status: http.StatusInternalServerError, Detail: "This could not be done. The log of the server says why.", Err: err}
}

// problem is the document of RFC 9457.
type problem struct {
	Type     string   `json:"type"`
	Title    string   `json:"title"`
	Status   int      `json:"status"`
	Detail   string   `json:"detail,omitempty"`
	Code     Code     `json:"code,omitempty"`
	Possible []string `json:"possible,omitempty"`
}

// problem writes an error as application/problem+json, in place of an answer of which
// no byte has been sent. The headers of that answer go.
func (x *exchange) problem(err error) {
	e := asError(err)
	p := problem{Type: "about:blank", Title: e.Title, Status: e.Status, Detail: e.Detail, Code: e.Code, Possible: e.Possible}
	if p.Title == "" {
		p.Title = http.StatusText(e.Status)
	}

	h := x.w.Header()
	for k, v := range e.Header {
		h[http.CanonicalHeaderKey(k)] = slices.Clone(v)
	}
	for _, k := range []string{"Content-Encoding", "Content-Length", "Content-Range", "ETag", "Accept-Ranges", "Warning"} {
		h.Del(k)
	}

	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	b, _ := json.Marshal(p) // strings and numbers always marshal
	x.status = e.Status
	x.w.WriteHeader(e.Status)
	x.w.Write(append(b, '\n'))
}
