package dicomweb

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// StoreReport is the answer to a store request.
type StoreReport struct {
	Status int // of HTTP
	Stored []StoredReference
	Failed []FailedReference
}

// StoredReference is an instance the server took.
type StoredReference struct {
	SOPClassUID, SOPInstanceUID string
	RetrieveURL                 string
	Warning                     uint16
}

// FailedReference is an instance the server did not take. One it could not name
// has no UIDs.
type FailedReference struct {
	SOPClassUID, SOPInstanceUID string
	Reason                      uint16 // (0008,1197)
}

// Store sends Part 10 files in one request and reads what became of them
// (PS3.18 10.5). study may be empty. Files are read as they are sent, one after
// the other; an error of files ends the request. The report is there whenever
// the server gave one, also where it took none.
func (c *Client) Store(ctx context.Context, study string, files iter.Seq2[io.Reader, error]) (*StoreReport, error) {
	path := "/studies"
	if study != "" {
		path += "/" + study
	}

	r, w := io.Pipe()
	pw := newPartWriter(w)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(sendParts(pw, files))
	}()
	defer func() {
		r.Close()
		<-done
	}()

	header := http.Header{"Accept": {typeJSON}, "Content-Type": {pw.contentType(typeDICOM)}}
	rs, err := c.do(ctx, http.MethodPost, path, nil, header, io.NopCloser(r))
	if err != nil {
		return nil, err
	}
	defer rs.Body.Close()

	m, _ := parseMediaRange(rs.Header.Get("Content-Type"))
	if m.mediaType != typeJSON && m.mediaType != "application/json" {
		if rs.StatusCode >= 300 {
			return nil, responseError(rs)
		}
		return nil, fmt.Errorf("dicomweb: the server's answer to a store request is %q, not DICOM JSON", m.mediaType)
	}

	limits := c.Limits.withDefaults()
	b, err := io.ReadAll(io.LimitReader(rs.Body, limits.Metadata))
	if err != nil {
		return nil, err
	}
	ds, err := dicom.UnmarshalJSON(b, dicom.JSONOptions{})
	if err != nil {
		return nil, err
	}
	return readReport(rs.StatusCode, ds), nil
}

func sendParts(w *partWriter, files iter.Seq2[io.Reader, error]) error {
	for f, err := range files {
		if err == nil {
			err = w.begin(typeDICOM, "", -1)
		}
		if err == nil {
			_, err = copyTo(w.w, f)
		}
		if err != nil {
			return err
		}
	}

	if w.parts == 0 {
		return fmt.Errorf("dicomweb: there is nothing to store")
	}
	return w.end()
}

func readReport(status int, ds *dicom.DataSet) *StoreReport {
	out := &StoreReport{Status: status}
	for _, item := range ds.Items(tag.ReferencedSOPSequence) {
		warning, _ := item.Int(tag.WarningReason)
		out.Stored = append(out.Stored, StoredReference{
			SOPClassUID:    item.Text(tag.ReferencedSOPClassUID),
			SOPInstanceUID: item.Text(tag.ReferencedSOPInstanceUID),
			RetrieveURL:    item.Text(tag.RetrieveURL),
			Warning:        uint16(warning),
		})
	}

	for _, t := range []dicom.Tag{tag.FailedSOPSequence, tag.OtherFailuresSequence} {
		for _, item := range ds.Items(t) {
			reason, _ := item.Int(tag.FailureReason)
			out.Failed = append(out.Failed, FailedReference{
				SOPClassUID:    item.Text(tag.ReferencedSOPClassUID),
				SOPInstanceUID: item.Text(tag.ReferencedSOPInstanceUID),
				Reason:         uint16(reason),
			})
		}
	}
	return out
}
