package guard

import (
	"errors"
	"net/http"

	"collimator/internal/fault"
)

var errInternal = fault.New(fault.Internal, "guard: this could not be done; the log of the server says why")

// httpStatus is the status of HTTP for an error (RFC 9110).
func httpStatus(err error) int {
	if errors.Is(err, errMediaType) {
		return http.StatusUnsupportedMediaType
	}
	switch fault.Of(err) {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Denied:
		return http.StatusForbidden
	case fault.Conflict:
		return http.StatusConflict
	case fault.Invalid, fault.Unsupported:
		return http.StatusBadRequest
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Busy, fault.Unavailable, fault.Canceled:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
