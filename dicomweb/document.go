package dicomweb

import (
	"bufio"
	"io"
	"net/http"

	"collimator/dicom"
)

// typeXML is the Native DICOM Model (PS3.19 A.1).
const typeXML = "application/dicom+xml"

// documentOffers are the representations of data sets without bulk data, the
// default first: JSON in one text, or XML with a part for each data set. single
// says that there is one data set by the nature of the request; then it may come
// as XML by itself (PS3.18 10.4.4).
func documentOffers(single bool) []offer {
	out := []offer{{mediaType: typeJSON}, {mediaType: "application/json"}, {mediaType: typeXML, multipart: true}}
	if single {
		out = append(out, offer{mediaType: typeXML})
	}
	return out
}

// acceptDocuments negotiates the representation of data sets.
func (x *exchange) acceptDocuments(single bool) (offer, error) {
	accept, err := x.accept()
	if err != nil {
		return offer{}, err
	}
	offers := documentOffers(single)
	o, ok := negotiate(accept, offers)
	if !ok {
		return offer{}, notAcceptable(offers, "Attributes come as DICOM JSON, or as XML with a part for each data set.")
	}
	return o, nil
}

// documents writes data sets, one after the other, as an answer. The first one
// begins the answer.
type documents struct {
	x     *exchange
	form  offer
	body  io.WriteCloser
	w     *bufio.Writer
	parts *partWriter
	count int
}

// newDocuments prepares an answer of data sets in a form. Close it.
func (x *exchange) newDocuments(form offer) *documents {
	x.w.Header().Add("Vary", "Accept")
	d := &documents{x: x, form: form, body: x.compressed()}
	d.w = bufio.NewWriterSize(d.body, 32<<10)
	d.parts = newPartWriter(d.w)
	return d
}

// begin writes the header of the answer.
func (d *documents) begin() {
	contentType := d.form.mediaType
	if d.form.multipart {
		contentType = d.parts.contentType(typeXML)
	}
	d.x.start(http.StatusOK, contentType)
}

// write adds a data set; uri is asked where its large values are.
func (d *documents) write(ds *dicom.DataSet, uri func(string, dicom.Element) string) error {
	if !d.x.begun {
		d.begin()
	}
	d.count++
	if d.form.mediaType != typeXML {
		separator := byte(',')
		if d.count == 1 {
			separator = '['
		}
		d.w.WriteByte(separator) // an error comes again with Flush
		return dicom.WriteJSON(d.w, ds, dicom.JSONOptions{BulkDataURI: uri})
	}

	if d.form.multipart {
		if err := d.parts.begin(typeXML, "", -1); err != nil {
			return err
		}
	}
	return dicom.WriteXML(d.w, ds, dicom.XMLOptions{BulkDataURI: uri})
}

// end completes the answer. Where no data set was written, JSON becomes an empty
// list, and XML an answer of 204 without a body: a body of several parts needs one
// at least (RFC 2046 5.1.1).
func (d *documents) end() error {
	switch {
	case d.form.mediaType == typeXML && d.count == 0:
		d.x.w.Header().Del("Content-Encoding")
		d.x.start(http.StatusNoContent, "")
		return nil
	case d.form.mediaType != typeXML && d.count == 0:
		d.begin()
		d.w.WriteString("[]")
	case d.form.mediaType != typeXML:
		d.w.WriteByte(']')
	case d.form.multipart:
		if err := d.parts.end(); err != nil {
			return err
		}
	}

	if err := d.w.Flush(); err != nil {
		return err
	}
	return d.body.Close()
}

// close gives back what the answer used, when it was not completed. Nothing that
// is still in the buffer goes out: it would end the body as if it were whole.
func (d *documents) close() {
	if g, ok := d.body.(*gzipBody); ok {
		g.abandon()
	}
}
