package dicomweb

import (
	"collimator/dicom"
	"collimator/dicom/tag"
)

// moreMatches is the warning where an answer is not complete (PS3.18 8.3.4.4).
const moreMatches = `299 dicomweb "There are additional results that can be requested"`

// search answers a search (PS3.18 10.6). Matches are written as they are
// found; the first page is held back until it is known whether there is more.
func (x *exchange) search() error {
	form, err := x.acceptDocuments(false)
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

	if x.call.Answering != nil {
		if err := x.call.Answering(len(page)); err != nil {
			return err
		}
	}

	h := x.w.Header()
	if more {
		h.Add("Warning", moreMatches)
	}
	if s := unmatched.warning(); s != "" {
		h.Add("Warning", s)
	}

	d := x.newDocuments(form)
	defer d.close()
	for _, ds := range page {
		x.finishMatch(ds)
		if err := d.write(ds, nil); err != nil {
			return err
		}
		x.out.Matches++
	}
	return d.end()
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
		ds.Set(dicom.NewElement(tag.RetrieveURL, dicom.UR, []byte(x.link(r))))
	}
}
