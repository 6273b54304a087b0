package dicomweb

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/uid"
)

// header finds the header of the instance a request names.
func (x *exchange) header() (*Header, error) {
	for h, err := range x.h.backend.Headers(x.r.Context(), x.selection()) {
		if err != nil {
			return nil, err
		}
		x.name(h.Instance)
		return &h, nil
	}
	return nil, errNotFound
}

// frameOffers are the representations of frames (PS3.18 8.7.3.3): as they are
// stored under their own media type or as octets, and decoded where that is
// possible here.
func frameOffers(ts string, encapsulated bool) []offer {
	both := func(o offer) []offer {
		single := o
		o.multipart = true
		return []offer{o, single}
	}

	native := func(implied bool) []offer {
		return both(offer{mediaType: typeOctets, transferSyntax: uid.ExplicitVRLittleEndian, implied: implied})
	}

	if !encapsulated {
		return native(true)
	}

	out := both(offer{mediaType: frameType(ts), transferSyntax: ts, implied: frameType(ts) != typeOctets})
	if frameType(ts) != typeOctets {
		out = append(out, both(offer{mediaType: typeOctets, transferSyntax: ts})...)
	}
	if pixel.Decodable(ts) {
		out = append(out, native(true)...)
	}
	return out
}

// frames answers with frames as they are stored or decoded (PS3.18 10.4.1.3).
// Only the frames that are asked for are read.
func (x *exchange) frames() error {
	accept, err := x.accept()
	if err != nil {
		return err
	}
	header, err := x.header()
	if err != nil {
		return err
	}

	f, err := pixel.Index(header.DataSet)
	if err != nil {
		return frameError(err, "The object has no pixel data that can be told apart into frames.")
	}
	for _, n := range x.call.Frames {
		if n > f.Len() {
			return problemf(http.StatusNotFound, "The object has %d frames.", f.Len())
		}
	}

	offers := frameOffers(header.TransferSyntaxUID, f.Encapsulated())
	o, ok := negotiate(accept, offers)
	if !ok {
		return notAcceptable(offers, "The frames cannot be given in that form. Ask for transfer-syntax=*, or one of the possible ones.")
	}
	if !o.multipart && len(x.call.Frames) > 1 {
		o.multipart = true
	}

	x.w.Header().Add("Vary", "Accept")
	if x.notModified(etag(header.Version, o.transferSyntax)) {
		return nil
	}
	if !x.observe(&header.Instance) {
		return errNotFound
	}

	x.out.Instances++
	return x.sendFrames(header, f, o)
}

func (x *exchange) sendFrames(header *Header, f *pixel.Frames, o offer) error {
	decode := f.Encapsulated() && o.transferSyntax != header.TransferSyntaxUID
	mediaType := o.mediaType
	if !decode && f.Encapsulated() {
		mediaType = frameType(header.TransferSyntaxUID)
	}
	partType := mediaType + "; transfer-syntax=" + o.transferSyntax

	native := decode || !f.Encapsulated()
	body := x.frameBody(native)
	defer body.Close()
	w := newPartWriter(body)
	for _, n := range x.call.Frames {
		r, length, done, err := x.openFrame(f, n, header.TransferSyntaxUID, decode)
		if err != nil {
			return frameError(err, "The frame cannot be decoded. Ask for transfer-syntax=* to get it as it is stored.")
		}

		if !o.multipart {
			defer done()
			return x.sendOne(body, r, length, partType)
		}

		if !x.begun {
			x.start(http.StatusOK, w.contentType(mediaType))
		}

		err = x.sendFrame(w, partType, x.link(header.Resource)+"/frames/"+number(int64(n)), r, length)
		done()
		if err != nil {
			return err
		}
	}
	if err := w.end(); err != nil {
		return err
	}
	return body.Close()
}

// frameBody is the writer for frames: what is not compressed goes as gzip where the
// service is set so and the client takes it, but for ranges, which count its bytes.
func (x *exchange) frameBody(native bool) io.WriteCloser {
	if !native || !x.h.o.CompressFrames || x.r.Header.Get("Range") != "" {
		return plainBody{x}
	}
	return x.compressed()
}

// sendOne sends one frame alone: compressed, or as bytes of which there are ranges.
func (x *exchange) sendOne(body io.WriteCloser, r io.Reader, length int64, contentType string) error {
	if _, plain := body.(plainBody); plain {
		return x.sendRange(r, length, contentType)
	}

	x.start(http.StatusOK, contentType)
	n, err := copyTo(body, io.LimitReader(r, length))
	if err == nil && n < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	return body.Close()
}

// frameError is the answer to an error of dicom/pixel.
func frameError(err error, detail string) error {
	switch {
	case errors.Is(err, pixel.ErrNoPixelData), errors.Is(err, pixel.ErrNoFrame):
		return &Error{Status: http.StatusNotFound, Code: codeOf(err), Detail: detail, Err: err}
	case errors.Is(err, pixel.ErrNotConvertible), errors.Is(err, pixel.ErrDamaged),
		errors.Is(err, pixel.ErrFrames), errors.Is(err, pixel.ErrNotRenderable):
		return &Error{Status: http.StatusNotAcceptable, Code: codeOf(err), Detail: detail, Err: err}
	}
	if _, ok := errors.AsType[*Error](err); ok || !strings.HasPrefix(err.Error(), "dicom/pixel") {
		return err
	}
	return &Error{Status: http.StatusNotAcceptable, Code: codeOf(err), Detail: detail, Err: err}
}

// bulkElement finds the element at a path of tags and item numbers, as bulkURI
// names it, and the data set in which it stands.
func bulkElement(ds *dicom.DataSet, path []string) (*dicom.DataSet, dicom.Element, bool) {
	for {
		if len(path) == 0 || len(path)%2 == 0 {
			return nil, dicom.Element{}, false
		}

		t, ok := parseAttribute(path[0])
		if !ok {
			return nil, dicom.Element{}, false
		}

		el, ok := ds.Get(t)
		if len(path) == 1 || !ok {
			return ds, el, ok
		}

		n, ok := digits(path[1])
		items := el.Items()
		if !ok || n < 1 || n > int64(len(items)) {
			return nil, dicom.Element{}, false
		}

		ds = items[n-1]
		path = path[2:]
	}
}
