package httpsec

import (
	"net/http"

	"collimator/internal/fault"
)

// RetryAfter is the value of the header of that name in an answer of 503, in
// seconds, where nobody knows better.
const RetryAfter = "10"

// Status is the status code that answers an error (RFC 9110 15), by the kind of the
// error alone: DICOMweb and the JSON API share it. An error without a kind of its own
// is the server's fault and becomes 500, and the client is not told what it was.
func Status(err error) int {
	switch fault.Of(err) {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Denied:
		return http.StatusForbidden
	case fault.Conflict:
		return http.StatusConflict
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unsupported: // the request is right, and this server cannot
		return http.StatusNotImplemented
	case fault.Busy, fault.Unavailable, fault.Canceled: // canceled: the server stops, or the client has gone
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
