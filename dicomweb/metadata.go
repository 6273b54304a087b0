package dicomweb

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// metadataVersion is part of the entity tags of metadata: another number when
// the same data set comes out in another way.
const metadataVersion = "3"

// metadata answers with the data sets of instances in DICOM JSON or XML (PS3.18
// 10.4.1.2). They are written as they are read; the entity tag is made of the
// versions of the instances, which costs no header.
func (x *exchange) metadata() error {
	form, err := x.acceptDocuments(x.call.Level == InstanceLevel)
	if err != nil {
		return err
	}

	version, promised, err := x.version()
	if err != nil {
		return err
	}

	x.w.Header().Add("Vary", "Accept")
	x.w.Header().Add("Vary", "Accept-Encoding")
	if x.notModified(etag(metadataVersion, form.mediaType, version)) {
		return nil
	}
	x.w.Header().Del("Vary")

	d := x.newDocuments(form)
	defer d.close()
	for header, err := range x.h.backend.Headers(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}

		promised--
		if !x.observe(&header.Instance) {
			continue
		}
		if err := d.write(header.DataSet, x.bulkURI(header.Resource)); err != nil {
			return err
		}
		x.out.Instances++
	}

	switch {
	case promised > 0:
		return errIncomplete
	case !x.begun:
		return errNotFound
	}
	return d.end()
}

// version is what tells the instances of a selection from others, together with
// the address that links begin with, and how many they are.
func (x *exchange) version() (string, int, error) {
	sum := sha256.New()
	n := 0
	io.WriteString(sum, x.origin()+"\x00") // a hash never fails
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return "", 0, err
		}
		x.name(i)
		io.WriteString(sum, i.Version+i.SOPInstanceUID)
		n++
	}

	if n == 0 {
		return "", 0, errNotFound
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), n, nil
}

// inlineBytes is the longest binary value that metadata hold inline, textBytes the
// longest text: a viewer needs the contours of a structure and the text of a
// report at once, and they compress well.
const (
	inlineBytes = 1 << 10
	textBytes   = 256 << 10
)

// bulkURI gives each value that is left out of the metadata an address on
// this server (PS3.18 F.2.6).
func (x *exchange) bulkURI(r Resource) func(string, dicom.Element) string {
	base := x.link(r) + "/bulkdata/"
	return func(path string, el dicom.Element) string {
		_, left := el.Bulk()
		if el.VR.Text() && el.ValueLength() <= textBytes {
			return ""
		}
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
