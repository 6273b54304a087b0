package dicomweb

import (
	"encoding/json"
	"io"
	"net/http"

	"collimator/dicom/report"
	"collimator/dicom/tag"
	"collimator/dicom/waveform"
)

// Media types of what is no picture (PS3.18 8.7.4): a report as a page, or as its lines for a page that shows them in a
// way of its own; curves as a drawing.
const (
	typeHTML  = "text/html"
	typeSVG   = "image/svg+xml"
	TypeLines = "application/vnd.collimator.report+json" // a report.Report
)

// writtenVersion is part of the entity tags of reports and drawings: another number when the same object comes out
// in another way.
const writtenVersion = "w1"

// written answers with the rendered form of an object that is text or curves, where the client takes one; false where
// the object is neither, or the client likes another form better.
func (x *exchange) written(accept []mediaRange, header *Header) (done bool, err error) {
	ds := header.DataSet
	curves := waveform.Has(ds) && !ds.Has(tag.PixelData)
	if x.call.Part != RenderedPart || len(x.call.Frames) > 0 || !curves && !report.Has(ds) {
		return false, nil
	}

	offers := []offer{{mediaType: typeHTML}, {mediaType: TypeLines}}
	if curves {
		offers = []offer{{mediaType: typeSVG}}
	}
	document := ds.Has(tag.EncapsulatedDocument)
	if document { // as what it is, first
		offers = append([]offer{{mediaType: documentType(ds)}}, offers...)
	}
	o, ok := negotiate(accept, offers)
	switch {
	case !ok:
		const detail = "The object is no picture. It is rendered as text or as a drawing of its curves."
		return true, notAcceptable(offers, detail).coded(CodeNoPicture)
	case document && o == offers[0]:
		return false, nil
	}
	return true, x.sendWritten(header, o.mediaType)
}

// sendWritten sends a report or a drawing. All of it is there before the first byte leaves.
func (x *exchange) sendWritten(header *Header, mediaType string) error {
	if x.notModified(etag(header.Version, writtenVersion, mediaType)) {
		return nil
	}
	_, done, err := x.call.memory(x.r.Context(), writtenCost(header))
	if err != nil {
		return err
	}
	defer done()

	write, err := x.writer(header, mediaType)
	if err != nil {
		const detail = "The object cannot be rendered here. Retrieve the instance."
		return &Error{Status: http.StatusNotAcceptable, Code: CodeUnusual, Detail: detail, Err: err}
	}
	if !x.observe(&header.Instance) {
		return errNotFound
	}
	x.out.Instances++

	body := x.compressed()
	if mediaType == typeHTML {
		mediaType += "; charset=utf-8"
	}
	x.start(http.StatusOK, mediaType)
	if err := write(body); err != nil {
		return err
	}
	return body.Close()
}

// writer reads an object and gives what writes it.
func (x *exchange) writer(header *Header, mediaType string) (func(io.Writer) error, error) {
	if mediaType == typeSVG {
		groups, err := waveform.Read(header.DataSet, waveform.Limits{})
		return func(w io.Writer) error { return waveform.WriteSVG(w, groups) }, err
	}

	r, err := report.Of(header.DataSet, report.Limits{})
	if mediaType == typeHTML {
		return func(w io.Writer) error { return r.WriteHTML(w) }, err
	}
	return func(w io.Writer) error { return json.NewEncoder(w).Encode(r) }, err
}

// writtenCost is the bytes that rendering text or curves holds.
func writtenCost(header *Header) int64 {
	const text = 16 << 20 // lines within their limits, and the document they come from
	if waveform.Has(header.DataSet) {
		return waveform.Cost(header.DataSet, waveform.Limits{}) + 1<<20
	}
	return text
}
