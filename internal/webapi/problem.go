package webapi

import (
	"errors"
	"net/http"

	"collimator/internal/fault"
	"collimator/internal/httpsec"
)

var (
	errInternal  = fault.New(fault.Internal, "webapi: this could not be done; the log of the server says why")
	errMediaType = fault.New(fault.Unsupported, "webapi: send Content-Type: application/json")
	errNothing   = fault.New(fault.NotFound, "webapi: there is nothing under this address")
)

// methodError is for an address that takes other methods than the one that came.
type methodError struct{ allow string }

var errMethod = fault.New(fault.Invalid, "webapi: this address takes another method; the header Allow names those it takes")

// Error implements error.
func (e *methodError) Error() string { return errMethod.Error() }

// Unwrap gives the kind.
func (e *methodError) Unwrap() error { return errMethod }

// statusOf is the status for an error: that of its kind, but for two that HTTP
// tells apart.
func statusOf(err error) int {
	if errors.Is(err, errMediaType) {
		return http.StatusUnsupportedMediaType
	}
	if _, ok := errors.AsType[*methodError](err); ok {
		return http.StatusMethodNotAllowed
	}
	return httpsec.Status(err)
}

// proofType is the type of the problem document that asks for a second factor again.
const proofType = "urn:collimator:second-factor-again"

// problem is the document of RFC 9457 with which the API refuses.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"` // what programs tell it by; see fault.Code
	// SignIn says with a 401 how to sign in.
	SignIn any `json:"signIn,omitempty"`
	// Again says with a 403 of proofType how to show a second factor again.
	Again any `json:"secondFactor,omitempty"`
}

// problemOf says an error in a sentence and by its code.
func problemOf(status int, err error) problem {
	return problem{Status: status, Detail: fault.Sentence(err), Code: fault.Code(err)}
}

// lostAt is the refusal of a request for what is not there: the handler of the
// multiplexer knows whether another method would do.
func lostAt(h http.Handler, r *http.Request) error {
	s := &statusOnly{header: http.Header{}}
	h.ServeHTTP(s, r)
	if s.status == http.StatusMethodNotAllowed {
		return &methodError{allow: s.header.Get("Allow")}
	}
	return errNothing
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
