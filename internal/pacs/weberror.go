package pacs

import (
	"errors"
	"net/http"

	"collimator/dicomweb"
	"collimator/internal/disclosure"
)

// webError maps an error of the archive to one of DICOMweb.
func webError(err error) error { return disclosure.Answer(err) }

// webStoreError adds the failure reason of PS3.18 10.5.3.2, which is the status
// C-STORE gives.
func webStoreError(err error) error {
	e, ok := errors.AsType[*dicomweb.Error](webError(err))
	if !ok {
		e = &dicomweb.Error{Status: http.StatusInternalServerError, Err: err}
	}
	e.FailureReason = uint16(storeStatus(err).Code)
	return e
}
