package dicomweb

import (
	"io"
	"net/http"
	"slices"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

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
		ds, el, ok := bulkElement(header.DataSet, path)
		if !ok || el.Sequence() {
			return errNotFound
		}
		return x.oneBulk(accept, newBulkValue(header, ds, el))
	}
}

// bulkValue is a value that metadata left out: it belongs to the element that was
// asked for, at whatever depth, and to the data set around it, which describes
// its frames.
type bulkValue struct {
	header *Header
	el     dicom.Element
	frames *pixel.Frames // of compressed pixel data that can be told apart into frames, else nil
}

func newBulkValue(header *Header, ds *dicom.DataSet, el dicom.Element) *bulkValue {
	v := &bulkValue{header: header, el: el}
	if !el.Encapsulated() || el.Tag != tag.PixelData || video(header.TransferSyntaxUID) {
		return v
	}
	if f, err := pixel.Index(ds); err == nil && f.Len() > 0 {
		v.frames = f
	}
	return v
}

// stream reports a value in fragments that goes out as one stream: a video, or
// frames that cannot be told apart.
func (v *bulkValue) stream() bool { return v.el.Encapsulated() && v.frames == nil }

// offers are the representations of the value.
func (v *bulkValue) offers() []offer {
	ts := v.header.TransferSyntaxUID
	switch {
	case v.frames != nil:
		return frameOffers(ts, true)
	case v.stream():
		return streamOffers(ts)
	}

	out := bothForms(offer{mediaType: typeOctets, transferSyntax: uid.ExplicitVRLittleEndian, implied: true})
	if v.el.Tag == tag.EncapsulatedDocument {
		if t := documentType(v.header.DataSet); t != typeOctets {
			out = append(out, bothForms(offer{mediaType: t})...)
		}
	}
	return out
}

// bothForms is an offer as a single part and as one of several.
func bothForms(o offer) []offer {
	several := o
	several.multipart = true
	return []offer{o, several}
}

// streamOffers are the representations of a value in fragments that is no
// frames: a video under its own media type (PS3.18 8.7.3.3), and octets, which
// mean the stored form where there is no other.
func streamOffers(ts string) []offer {
	octets := bothForms(offer{mediaType: typeOctets, transferSyntax: ts, implied: true})
	if video(ts) {
		return append(bothForms(offer{mediaType: frameType(ts), transferSyntax: ts, implied: true}), octets...)
	}
	return octets
}

// oneBulk sends one value: octets or a video, also by ranges, or the frames of
// compressed pixel data.
func (x *exchange) oneBulk(accept []mediaRange, v *bulkValue) error {
	offers := v.offers()
	o, ok := negotiate(accept, offers)
	if !ok {
		return notAcceptable(offers, "The value cannot be given in that form. Ask for one of the possible ones.")
	}

	x.w.Header().Add("Vary", "Accept")
	if x.notModified(etag(v.header.Version, o.transferSyntax, o.mediaType, strconv.FormatBool(o.multipart))) {
		return nil
	}
	if !x.observe(&v.header.Instance) {
		return errNotFound
	}

	x.out.Instances++
	if v.frames != nil {
		for n := range v.frames.Len() {
			x.call.Frames = append(x.call.Frames, n+1)
		}
		o.multipart = o.multipart || v.frames.Len() > 1
		return x.sendFrames(v.header, v.frames, o)
	}

	r, size, err := v.open()
	if err != nil {
		return err
	}
	if v.el.Tag == tag.EncapsulatedDocument {
		x.w.Header().Set("Content-Disposition", "attachment")
	}
	contentType := o.mediaType
	if v.stream() {
		contentType += "; transfer-syntax=" + o.transferSyntax
	}
	if !o.multipart {
		return x.sendRange(r, size, contentType)
	}

	w := newPartWriter(x)
	x.start(http.StatusOK, w.contentType(o.mediaType))
	if err := w.begin(contentType, x.r.URL.EscapedPath(), size); err != nil {
		return err
	}
	if err := x.copyPart(r, size); err != nil {
		return err
	}
	return w.end()
}

// open reads the value from its start, and how long it is.
func (v *bulkValue) open() (io.Reader, int64, error) {
	if !v.stream() {
		r, err := v.el.Open()
		return r, v.el.ValueLength(), err
	}
	r := newFragmentReader(v.el)
	return r, r.size, nil
}

// allBulk sends each value of a selection that metadata leave out, as parts
// with the address under which metadata name it.
func (x *exchange) allBulk(accept []mediaRange) error {
	octets := offer{mediaType: typeOctets, multipart: true, transferSyntax: uid.ExplicitVRLittleEndian, implied: true}
	if _, ok := negotiate(accept, []offer{octets}); !ok {
		return notAcceptable([]offer{octets}, "Several values come as multipart of octets.")
	}
	promised, err := x.promised()
	if err != nil {
		return err
	}

	w := newPartWriter(x)
	for header, err := range x.h.backend.Headers(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}
		promised--
		if !x.observe(&header.Instance) {
			continue
		}
		x.out.Instances++
		if err := x.eachBulk(w, accept, &header, header.DataSet, x.link(header.Resource)+"/bulkdata/"); err != nil {
			return err
		}
	}
	switch {
	case promised > 0:
		return errIncomplete
	case !x.begun:
		return errNotFound
	}
	return w.end()
}

// eachBulk sends the values of a data set and its items.
func (x *exchange) eachBulk(w *partWriter, accept []mediaRange, header *Header, ds *dicom.DataSet, path string) error {
	uri := x.bulkURI(header.Resource)
	for el := range ds.All() {
		for i, item := range el.Items() {
			if err := x.eachBulk(w, accept, header, item, path+el.Tag.Hex()+"/"+strconv.Itoa(i+1)+"/"); err != nil {
				return err
			}
		}

		if el.Sequence() || uri("", el) == "" {
			continue
		}
		if err := x.bulkParts(w, accept, newBulkValue(header, ds, el), path+el.Tag.Hex()); err != nil {
			return err
		}
	}
	return nil
}

// bulkParts sends one value as a part, of compressed pixel data each frame. They
// are decoded where the client takes octets only and that is possible; else they
// go out as they are stored, and the part says so.
func (x *exchange) bulkParts(w *partWriter, accept []mediaRange, v *bulkValue, location string) error {
	if !x.begun {
		x.start(http.StatusOK, w.contentType(typeOctets))
	}
	if v.frames == nil {
		r, size, err := v.open()
		if err != nil {
			return err
		}
		contentType := typeOctets
		if v.stream() {
			contentType = streamOffers(v.header.TransferSyntaxUID)[0].mediaType + "; transfer-syntax=" + v.header.TransferSyntaxUID
		}
		if err := w.begin(contentType, location, size); err != nil {
			return err
		}
		return x.copyPart(r, size)
	}

	stored := v.header.TransferSyntaxUID
	o, ok := negotiate(accept, severalOnly(frameOffers(stored, true)))
	if !ok {
		o = offer{mediaType: frameType(stored), transferSyntax: stored}
	}
	decode := o.transferSyntax != stored
	if !decode {
		o.mediaType = frameType(stored)
	}
	for n := range v.frames.Len() {
		r, length, done, err := x.openFrame(v.frames, n+1, stored, decode)
		if err != nil {
			return frameError(err, "A frame cannot be decoded. Ask for transfer-syntax=* to get it as it is stored.")
		}
		err = x.sendFrame(w, o.mediaType+"; transfer-syntax="+o.transferSyntax, location, r, length)
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

// severalOnly leaves out the offers of a single part.
func severalOnly(offers []offer) []offer {
	return slices.DeleteFunc(offers, func(o offer) bool { return !o.multipart })
}
