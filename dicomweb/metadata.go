package dicomweb

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// metadataVersion is part of the entity tags of metadata: another number when
// the same data set comes out in another way.
const metadataVersion = "1"

// metadata answers with the data sets of instances in DICOM JSON (PS3.18
// 10.4.1.2). They are written as they are read; the entity tag is made of the
// versions of the instances, which costs no header.
func (x *exchange) metadata() error {
	mediaType, err := x.acceptJSON()
	if err != nil {
		return err
	}
	version, n := sha256.New(), 0
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}
		io.WriteString(version, i.Version+i.SOPInstanceUID)
		n++
	}
	if n == 0 {
		return errNotFound
	}
	x.w.Header().Add("Vary", "Accept")
	x.w.Header().Add("Vary", "Accept-Encoding")
	if x.notModified(etag(metadataVersion, hex.EncodeToString(version.Sum(nil)[:16]))) {
		return nil
	}
	x.w.Header().Del("Vary")
	x.w.Header().Add("Vary", "Accept")
	body := x.compressed()
	defer body.Close()
	w := bufio.NewWriterSize(body, 32<<10)
	for header, err := range x.h.backend.Headers(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}
		if !x.observe(&header.Instance) {
			continue
		}
		separator := byte(',')
		if !x.begun {
			x.start(http.StatusOK, mediaType)
			separator = '['
		}
		w.WriteByte(separator)
		if err := dicom.WriteJSON(w, header.DataSet, dicom.JSONOptions{BulkDataURI: x.h.bulkURI(header.Resource)}); err != nil {
			return err
		}
		x.out.Instances++
	}
	if !x.begun {
		return errNotFound
	}
	w.WriteByte(']')
	if err := w.Flush(); err != nil {
		return err
	}
	return body.Close()
}

// inlineBytes is the longest binary value that stands in metadata itself.
const inlineBytes = 1 << 10

// bulkURI gives each value that does not stand in the metadata an address on
// this server, without the host (PS3.18 F.2.6).
func (h *Handler) bulkURI(r Resource) func(string, dicom.Element) string {
	base := h.link(r) + "/bulkdata/"
	return func(path string, el dicom.Element) string {
		_, left := el.Bulk()
		if !left && !el.Encapsulated() && el.Tag != tag.PixelData && len(el.Bytes()) <= inlineBytes {
			return ""
		}
		return base + path
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// digits reads a number of digits only.
func digits(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}
