package pacs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/httpsec"
)

// newMeta is meta information as a file begins with it.
func newMeta(meta *dicom.DataSet, ref archive.InstanceRef, transferSyntax string) io.Reader {
	return bytes.NewReader(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: ref.SOPClassUID, SOPInstanceUID: ref.SOPInstanceUID, TransferSyntaxUID: transferSyntax,
		ImplementationClassUID: meta.Text(tag.ImplementationClassUID), ImplementationVersionName: meta.Text(tag.ImplementationVersionName),
	}))
}

// webError maps an error of the archive to one of DICOMweb. The texts of faults
// are meant for peers.
func webError(err error) error {
	status := httpsec.Status(err)
	if status == http.StatusInternalServerError || errors.Is(err, context.Canceled) {
		return err // 500 without a detail, and a sentence of its own for what was given up
	}

	e := &dicomweb.Error{Status: status, Detail: fault.Sentence(err), Err: err}
	if status == http.StatusServiceUnavailable {
		e.Header = http.Header{"Retry-After": {httpsec.RetryAfter}}
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
