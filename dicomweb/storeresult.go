package dicomweb

import (
	"context"
	"errors"
	"net/http"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Failure reasons (0008,1197), which are statuses of C-STORE (PS3.18 10.5.3.2,
// PS3.4 B.2.3, PS3.7 C).
const (
	reasonProcessing       = 0x0110
	reasonNotAuthorised    = 0x0124
	reasonNoResources      = 0xA700
	reasonStudyMismatch    = 0xA900
	reasonCannotUnderstand = 0xC000
)

// failureReason is the reason for an error of the backend or an interceptor. A700
// says that the same may be taken later, and clients repeat it: what is beyond a
// limit has another.
func failureReason(err error) uint16 {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return reasonNoResources
	case !ok:
		return reasonProcessing
	case e.FailureReason != 0:
		return e.FailureReason
	}

	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return reasonNotAuthorised
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInsufficientStorage:
		return reasonNoResources
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return reasonCannotUnderstand
	}
	return reasonProcessing
}

// storeResult collects what became of the instances of a request. What it keeps
// is bounded by the parts a request may have.
type storeResult struct {
	link                func(Resource) string
	ds                  *dicom.DataSet
	references, failed  []*dicom.DataSet
	others              []*dicom.DataSet
	good, bad, warnings int
	causes              map[int]int // how often instances were refused, by status
	study               string      // of all instances; "" for several
	err                 error
}

func newStoreResult(link func(Resource) string) *storeResult {
	return &storeResult{link: link, ds: dicom.NewDataSet(), causes: map[int]int{}}
}

// item makes an item of a few values.
func (r *storeResult) item(set func(*dicom.DataSet) error) *dicom.DataSet {
	item := r.ds.NewItem()
	if err := set(item); err != nil {
		r.err = err
	}
	return item
}

func (r *storeResult) stored(s Stored) {
	if r.good == 0 {
		r.study = s.StudyUID
	} else if r.study != s.StudyUID {
		r.study = ""
	}

	r.good++
	r.references = append(r.references, r.item(func(item *dicom.DataSet) error {
		if s.Warning != 0 {
			r.warnings++
			if err := item.SetInt(tag.WarningReason, int64(s.Warning)); err != nil {
				return err
			}
		}
		item.Set(dicom.NewElement(tag.RetrieveURL, dicom.UR, []byte(r.link(s.Resource))))
		return errors.Join(
			item.SetText(tag.ReferencedSOPClassUID, s.SOPClassUID),
			item.SetText(tag.ReferencedSOPInstanceUID, s.SOPInstanceUID),
		)
	}))
}

// refused is an instance that was not stored; one nobody can name is listed
// among the other failures.
func (r *storeResult) refused(in Incoming, reason uint16) {
	if in.SOPInstanceUID == "" || in.SOPClassUID == "" {
		r.other(reason)
		return
	}
	r.bad++
	r.failed = append(r.failed, r.item(func(item *dicom.DataSet) error {
		return errors.Join(item.SetInt(tag.FailureReason, int64(reason)),
			item.SetText(tag.ReferencedSOPClassUID, in.SOPClassUID), item.SetText(tag.ReferencedSOPInstanceUID, in.SOPInstanceUID))
	}))
}

// why counts the reason of a refusal.
func (r *storeResult) why(err error) {
	if e, ok := errors.AsType[*Error](err); ok {
		r.causes[e.Status]++
	}
}

// refusal is the status where nothing was stored: 503 and 413 where that is why
// none was, else 409 (PS3.18 10.5.3.1).
func (r *storeResult) refusal() int {
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusRequestEntityTooLarge} {
		if r.causes[status] == r.bad {
			return status
		}
	}
	return http.StatusConflict
}

func (r *storeResult) other(reason uint16) {
	r.bad++
	r.others = append(r.others, r.item(func(item *dicom.DataSet) error { return item.SetInt(tag.FailureReason, int64(reason)) }))
}

// dataSet is the answer (PS3.18 10.5.3.2). The URL of the study is there where
// it is one.
func (r *storeResult) dataSet(study string) (*dicom.DataSet, error) {
	if study == "" {
		study = r.study
	}
	if study != "" {
		r.ds.Set(dicom.NewElement(tag.RetrieveURL, dicom.UR, []byte(r.link(Resource{StudyUID: study}))))
	}

	for _, s := range []struct {
		t     dicom.Tag
		items []*dicom.DataSet
	}{{tag.FailedSOPSequence, r.failed}, {tag.ReferencedSOPSequence, r.references}, {tag.OtherFailuresSequence, r.others}} {
		if len(s.items) > 0 {
			r.ds.SetItems(s.t, s.items...)
		}
	}
	return r.ds, r.err
}
