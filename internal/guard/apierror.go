package guard

import (
	"errors"
	"net/http"

	"collimator/internal/fault"
	"collimator/internal/httpsec"
)

var errInternal = fault.New(fault.Internal, "guard: this could not be done; the log of the server says why")

// httpStatus is the status of HTTP for an error.
func httpStatus(err error) int {
	if errors.Is(err, errMediaType) {
		return http.StatusUnsupportedMediaType
	}
	return httpsec.Status(err)
}
