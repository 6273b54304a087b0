package dicomweb

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// openFrame reads a frame as it is stored or decoded.
func openFrame(f *pixel.Frames, n int, ts string, decode bool) (io.Reader, int64, error) {
	if !decode {
		r, err := f.Open(n)
		return r, f.Length(n), err
	}
	b, _, err := f.Decode(n, ts)
	return bytes.NewReader(b), int64(len(b)), err
}

// bulkData answers with one value that metadata left out, or with all of a
// selection (PS3.18 10.4.1.5).
func bulkData(path []string) action {
	return func(x *exchange) error {
		accept, err := x.accept()
		if err != nil {
			return err
		}
		if len(path) == 0 {
			return x.allBulk(accept)
		}
		header, err := x.header()
		if err != nil {
			return err
		}
		el, ok := bulkElement(header.DataSet, path)
		if !ok {
			return errNotFound
		}
		return x.oneBulk(accept, header, el)
	}
}

// oneBulk sends one value: octets, also by ranges, or the frames of an
// encapsulated one.
func (x *exchange) oneBulk(accept []mediaRange, header *Header, el dicom.Element) error {
	if el.Sequence() {
		return errNotFound
	}
	native := offer{mediaType: typeOctets, transferSyntax: uid.ExplicitVRLittleEndian, implied: true}
	offers := []offer{native, {mediaType: typeOctets, transferSyntax: native.transferSyntax, implied: true, multipart: true}}
	if el.Tag == tag.EncapsulatedDocument {
		if t := documentType(header.DataSet); t != typeOctets {
			offers = append(offers, offer{mediaType: t}, offer{mediaType: t, multipart: true})
		}
	}
	if el.Encapsulated() {
		offers = frameOffers(header.TransferSyntaxUID, true)
	}
	o, ok := negotiate(accept, offers)
	if !ok {
		return notAcceptable(offers, "The value cannot be given in that form. Ask for one of the possible ones.")
	}
	x.w.Header().Add("Vary", "Accept")
	if x.notModified(etag(header.Version, o.transferSyntax, strconv.FormatBool(o.multipart))) {
		return nil
	}
	if !x.observe(&header.Instance) {
		return errNotFound
	}
	x.out.Instances++
	if el.Encapsulated() {
		return x.encapsulatedBulk(header, o)
	}
	r, err := el.Open()
	if err != nil {
		return err
	}
	if !o.multipart {
		return x.sendRange(r, el.ValueLength(), o.mediaType)
	}
	w := newPartWriter(x)
	x.start(http.StatusOK, w.contentType(o.mediaType))
	if err := w.begin(o.mediaType, x.r.URL.EscapedPath(), el.ValueLength()); err != nil {
		return err
	}
	if _, err := copyTo(x, r); err != nil {
		return err
	}
	return w.end()
}

// encapsulatedBulk sends encapsulated pixel data frame by frame.
func (x *exchange) encapsulatedBulk(header *Header, o offer) error {
	f, err := pixel.Index(header.DataSet)
	if err != nil {
		return frameError(err, "The pixel data cannot be told apart into frames.")
	}
	for n := range f.Len() {
		x.call.Frames = append(x.call.Frames, n+1)
	}
	o.multipart = o.multipart || f.Len() > 1
	return x.sendFrames(header, f, o)
}

// allBulk sends each value of a selection that metadata leave out, as parts
// with the address under which metadata name it.
func (x *exchange) allBulk(accept []mediaRange) error {
	octets := offer{mediaType: typeOctets, multipart: true, transferSyntax: uid.ExplicitVRLittleEndian, implied: true}
	if _, ok := negotiate(accept, []offer{octets}); !ok {
		return notAcceptable([]offer{octets}, "Several values come as multipart of octets.")
	}
	w := newPartWriter(x)
	for header, err := range x.h.backend.Headers(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}
		if !x.observe(&header.Instance) {
			continue
		}
		x.out.Instances++
		if err := x.eachBulk(w, &header, header.DataSet, x.h.link(header.Resource)+"/bulkdata/"); err != nil {
			return err
		}
	}
	if !x.begun {
		return errNotFound
	}
	return w.end()
}

// eachBulk sends the values of a data set and its items.
func (x *exchange) eachBulk(w *partWriter, header *Header, ds *dicom.DataSet, path string) error {
	uri := x.h.bulkURI(header.Resource)
	for el := range ds.All() {
		for i, item := range el.Items() {
			if err := x.eachBulk(w, header, item, path+el.Tag.Hex()+"/"+strconv.Itoa(i+1)+"/"); err != nil {
				return err
			}
		}
		if _, left := el.Bulk(); el.Sequence() || !left && !el.Encapsulated() && (el.VR.Text() || uri("", el) == "") {
			continue
		}
		if err := x.bulkPart(w, header, el, path+el.Tag.Hex()); err != nil {
			return err
		}
	}
	return nil
}

// bulkPart sends one value as a part; of an encapsulated one each frame.
func (x *exchange) bulkPart(w *partWriter, header *Header, el dicom.Element, location string) error {
	if !x.begun {
		x.start(http.StatusOK, w.contentType(typeOctets))
	}
	if !el.Encapsulated() {
		r, err := el.Open()
		if err == nil {
			err = w.begin(typeOctets, location, el.ValueLength())
		}
		if err == nil {
			_, err = copyTo(x, r)
		}
		return err
	}
	f, err := pixel.Index(header.DataSet)
	if err != nil || el.Tag != tag.PixelData {
		return nil // an icon's, or frames nobody can tell apart
	}
	for n := range f.Len() {
		r, err := f.Open(n + 1)
		if err == nil {
			err = w.begin(frameType(header.TransferSyntaxUID)+"; transfer-syntax="+header.TransferSyntaxUID, location, f.Length(n+1))
		}
		if err == nil {
			_, err = copyTo(x, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
