package dicomweb

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// renderedAll answers with every picture of a study or series, a part for each
// frame. A single picture cannot be asked for: a study is several results, also
// where it has one image (PS3.18 10.4.4). Objects without a picture, such as
// reports, are left out; documents come where the client takes them.
func (x *exchange) renderedAll(accept []mediaRange, o renderOptions) error {
	offers := severalOnly(imageOffers())
	form, ok := negotiate(accept, offers)
	if !ok {
		return notAcceptable(offers, "A study or series is several pictures: ask for several parts, or for its thumbnail.")
	}
	version, promised, status, err := x.pictures()
	if err != nil {
		return err
	}
	x.w.Header().Add("Vary", "Accept")
	if x.notModified(etag(version, "r2", form.mediaType)) {
		return nil
	}

	w := newPartWriter(x)
	left := leftOut{status: status}
	for header, err := range x.h.backend.Headers(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}
		promised--
		if err := x.renderedPart(w, accept, &header, o, form.mediaType, &left); err != nil {
			return err
		}
	}
	switch {
	case promised > 0:
		return errIncomplete
	case !x.begun && left.problem != nil:
		return left.problem
	case !x.begun:
		return errNothingToShow
	}
	return w.end()
}

// pictures looks at the index for the version of a selection and what it holds:
// the status is 206 where pixel data are in a form that cannot be decoded here
// (PS3.18 10.4.3).
func (x *exchange) pictures() (version string, promised, status int, err error) {
	sum := sha256.New()
	status = http.StatusOK
	io.WriteString(sum, x.origin()+"\x00") // a hash never fails
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return "", 0, 0, err
		}

		x.name(i)
		io.WriteString(sum, i.Version+i.SOPInstanceUID)
		promised++
		if !renderable(i.TransferSyntaxUID) {
			status = http.StatusPartialContent
		}
	}

	if promised == 0 {
		return "", 0, 0, errNotFound
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), promised, status, nil
}

// renderedPart sends what one instance has to show, if anything.
func (x *exchange) renderedPart(
	w *partWriter, accept []mediaRange, header *Header, o renderOptions, mediaType string, left *leftOut,
) error {
	ds := header.DataSet
	document := ds.Has(tag.EncapsulatedDocument)
	if document {
		_, ok := negotiate(accept, []offer{{mediaType: documentType(ds), multipart: true}})
		if !ok {
			return nil
		}
	} else if !hasPicture(ds) || !renderable(header.TransferSyntaxUID) {
		return nil
	}
	if !x.observe(&header.Instance) {
		return nil
	}

	x.out.Instances++
	if !document {
		return x.imageParts(w, header, everyFrame(ds), o, mediaType, left)
	}
	if !x.begun {
		x.start(left.status, w.contentType(documentType(ds)))
	}
	if err := x.nameLeftOut(w, left); err != nil {
		return err
	}
	el, _ := ds.Get(tag.EncapsulatedDocument)
	r, err := el.Open()
	if err != nil {
		return err
	}
	size := documentSize(ds, el)
	if err := w.begin(documentType(ds), x.link(header.Resource)+"/rendered", size); err != nil {
		return err
	}
	return x.copyPart(io.LimitReader(r, size), size)
}

// hasPicture reports pixel data of any kind.
func hasPicture(ds *dicom.DataSet) bool {
	return ds.Has(tag.PixelData) || ds.Has(tag.FloatPixelData) || ds.Has(tag.DoubleFloatPixelData)
}

// documentSize is the bytes of an encapsulated document without its padding.
func documentSize(ds *dicom.DataSet, el dicom.Element) int64 {
	size := el.ValueLength()
	if n, ok := ds.Int(tag.EncapsulatedDocumentLength); ok && n > 0 && n < size {
		return n
	}
	return size
}
