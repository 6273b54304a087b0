package httpsec

import (
	"net/http"

	"collimator/internal/fault"
)

// RetryAfter is the value of the header of that name in an answer of 503, in
// seconds, where nobody knows better.
const RetryAfter = "10"

// Status is the status code for an error (RFC 9110 15), whatever was asked for:
// DICOMweb and the JSON API share this map. 500 is for what is our own fault,
// of which nothing is told.
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
	case fault.Busy, fault.Unavailable, fault.Canceled: // Canceled: the server stops, or nobody waits any more
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
