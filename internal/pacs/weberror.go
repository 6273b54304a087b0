package pacs

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/fault"
)

// newMeta is meta information as a file begins with it.
func newMeta(meta *dicom.DataSet, ref archive.InstanceRef, transferSyntax string) io.Reader {
	return bytes.NewReader(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: ref.SOPClassUID, SOPInstanceUID: ref.SOPInstanceUID, TransferSyntaxUID: transferSyntax,
		ImplementationClassUID: meta.Text(tag.ImplementationClassUID), ImplementationVersionName: meta.Text(tag.ImplementationVersionName),
	}))
}

// webStatus maps outcomes to status codes of HTTP.
var webStatus = map[fault.Kind]int{
	fault.NotFound: http.StatusNotFound, fault.Denied: http.StatusForbidden, fault.Conflict: http.StatusConflict,
	fault.Invalid: http.StatusBadRequest, fault.TooLarge: http.StatusRequestEntityTooLarge, fault.Busy: http.StatusServiceUnavailable,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Unsupported: http.StatusNotImplemented,
}

// webError maps an error of the archive to one of DICOMweb. The texts of faults
// are meant for peers.
func webError(err error) error {
	status, ok := webStatus[fault.Of(err)]
	if !ok {
		return err // answered with 500 and no detail
	}
	text := fault.Text(err)
	if _, rest, ok := strings.Cut(text, ": "); ok {
		text = rest
	}
	if text != "" {
		text = strings.ToUpper(text[:1]) + text[1:] + "."
	}
	e := &dicomweb.Error{Status: status, Detail: text, Err: err}
	if status == http.StatusServiceUnavailable {
		e.Header = http.Header{"Retry-After": {"10"}}
	}
	return e
}

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
