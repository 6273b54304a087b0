package face

import (
	"context"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
)

// fill adds to an answer what was asked for and many systems do not count themselves: the modalities and
// the number of the series of a study, and the number of the instances of a series. The instances
// of a study are left out, because each of its series would have to be asked about.
func (q *search) fill(ctx context.Context, m match, out *dicom.DataSet) error {
	switch q.Level {
	case dicomweb.StudyLevel:
		if !lacks(q.Keys, out, tag.ModalitiesInStudy) && !lacks(q.Keys, out, tag.NumberOfStudyRelatedSeries) {
			return nil
		}
		return q.fillStudy(ctx, m.StudyUID, out)
	case dicomweb.SeriesLevel:
		if !lacks(q.Keys, out, tag.NumberOfSeriesRelatedInstances) {
			return nil
		}
		list, err := q.instancesOf(ctx, m.StudyUID, m.SeriesUID)
		if err != nil {
			return err
		}
		return out.SetInt(tag.NumberOfSeriesRelatedInstances, int64(len(list)))
	}
	return nil
}

// lacks reports an attribute that was asked for, without a value that it would have to match, and has
// none in the answer.
func lacks(keys, out *dicom.DataSet, t tag.Tag) bool {
	asked, ok := keys.Get(t)
	if !ok || !asked.Empty() {
		return false
	}
	el, ok := out.Get(t)
	return !ok || el.Empty()
}

func (q *search) fillStudy(ctx context.Context, study string, out *dicom.DataSet) error {
	var modalities []string
	series := map[string]bool{}
	err := q.eachSeries(ctx, study, tag.Modality, func(one string, ds *dicom.DataSet) {
		series[one] = true
		if m := ds.Text(tag.Modality); m != "" && len(m) <= 16 && !slices.Contains(modalities, m) {
			modalities = append(modalities, m)
		}
	})
	if err != nil {
		return err
	}

	if lacks(q.Keys, out, tag.NumberOfStudyRelatedSeries) {
		if err := out.SetInt(tag.NumberOfStudyRelatedSeries, int64(len(series))); err != nil {
			return err
		}
	}
	if lacks(q.Keys, out, tag.ModalitiesInStudy) && len(modalities) > 0 {
		slices.Sort(modalities)
		return out.SetText(tag.ModalitiesInStudy, modalities...)
	}
	return nil
}
