package dicomweb

import (
	"bufio"
	"net/http"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// jsonOffers are the representations of metadata. XML (PS3.19 A.1) is none.
var jsonOffers = []offer{{mediaType: typeJSON}, {mediaType: "application/json"}}

// acceptJSON negotiates metadata.
func (x *exchange) acceptJSON() (string, error) {
	accept, err := x.accept()
	if err != nil {
		return "", err
	}
	o, ok := negotiate(accept, jsonOffers)
	if !ok {
		return "", notAcceptable(jsonOffers, "Metadata come as DICOM JSON only. Ask for application/dicom+json.")
	}
	return o.mediaType, nil
}

// moreMatches is the warning where an answer is not complete (PS3.18 8.3.4.4).
const moreMatches = `299 dicomweb "There are additional results that can be requested"`

// search answers a search (PS3.18 10.6). Matches are written as they are
// found; the first page is held back until it is known whether there is more.
func (x *exchange) search() error {
	mediaType, err := x.acceptJSON()
	if err != nil {
		return err
	}
	q := *x.call.Query
	q.Restriction = x.call.Restriction
	unmatched := newUnmatched(q.Keys)
	var page []*dicom.DataSet
	more := false
	if limit := q.Limit; limit > 0 {
		q.Limit++
		for ds, err := range x.h.backend.Search(x.r.Context(), q) {
			if err != nil {
				return err
			}
			if len(page) == limit {
				more = true
				break
			}
			if x.call.Observe == nil || x.call.Observe(Observation{Match: ds}) {
				unmatched.look(ds)
				page = append(page, ds)
			}
		}
	}
	h := x.w.Header()
	if more {
		h.Add("Warning", moreMatches)
	}
	if s := unmatched.warning(); s != "" {
		h.Add("Warning", s)
	}
	h.Add("Vary", "Accept")
	body := x.compressed()
	defer body.Close()
	x.start(http.StatusOK, mediaType)
	w := bufio.NewWriterSize(body, 32<<10)
	w.WriteByte('[')
	for i, ds := range page {
		if i > 0 {
			w.WriteByte(',')
		}
		x.finishMatch(ds)
		if err := dicom.WriteJSON(w, ds, dicom.JSONOptions{}); err != nil {
			return err
		}
		x.out.Matches++
	}
	w.WriteByte(']')
	if err := w.Flush(); err != nil {
		return err
	}
	return body.Close()
}

// finishMatch makes an answer of C-FIND one of QIDO-RS: where it can be
// retrieved, no level, and never modalities without a value, of which viewers
// make one that is empty.
func (x *exchange) finishMatch(ds *dicom.DataSet) {
	ds.Delete(tag.QueryRetrieveLevel)
	for _, t := range []dicom.Tag{tag.ModalitiesInStudy, tag.SOPClassesInStudy, tag.TimezoneOffsetFromUTC} {
		if el, ok := ds.Get(t); ok && el.Empty() {
			ds.Delete(t)
		}
	}
	r := Resource{StudyUID: ds.Text(tag.StudyInstanceUID)}
	if x.call.Level >= SeriesLevel {
		r.SeriesUID = ds.Text(tag.SeriesInstanceUID)
	}
	if x.call.Level == InstanceLevel {
		r.SOPInstanceUID = ds.Text(tag.SOPInstanceUID)
	}
	if r.StudyUID != "" && r.Level() == x.call.Level {
		ds.Set(dicom.NewElement(tag.RetrieveURL, dicom.UR, []byte(x.h.link(r))))
	}
}
