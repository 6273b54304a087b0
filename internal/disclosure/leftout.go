package disclosure

import (
	"context"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
)

// verdictsMost is of how many objects it is remembered whether they are refused.
const verdictsMost = 1 << 16

// nameInstance adds the UIDs by which an instance is found to keys, and says which.
func nameInstance(keys *dicom.DataSet) (added []dicom.Tag) {
	for _, t := range []dicom.Tag{tag.SeriesInstanceUID, tag.SOPInstanceUID} {
		if !keys.Has(t) {
			keys.Set(dicom.NewElement(t, 0, nil))
			added = append(added, t)
		}
	}
	return added
}

// shown reports that an instance that was found is handed out without its identity.
func (w *Hidden) shown(ctx context.Context, real *dicom.DataSet) (bool, error) {
	one := dicomweb.Selection{Restriction: w.sight, Resource: dicomweb.Resource{
		StudyUID: real.Text(tag.StudyInstanceUID), SeriesUID: real.Text(tag.SeriesInstanceUID),
		SOPInstanceUID: real.Text(tag.SOPInstanceUID),
	}}
	for i, err := range w.of.Instances(ctx, one) {
		if err != nil {
			return false, err
		}
		refused, known := w.project.verdict(i.Version)
		if known {
			return !refused, nil
		}

		if refused, err = w.refused(ctx, one); err != nil {
			return false, err
		}
		w.project.judged(i.Version, refused)
		return !refused, nil
	}
	return false, nil
}

// refused looks at an object. One that is no longer there is not handed out.
func (w *Hidden) refused(ctx context.Context, one dicomweb.Selection) (bool, error) {
	for h, err := range w.of.Headers(ctx, one) {
		if err != nil {
			return false, err
		}
		return w.project.deid.Refused(h.DataSet), nil
	}
	return true, nil
}

// verdict is whether an object is refused, if that is remembered.
func (p *project) verdict(digest string) (refused, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refused, known = p.verdicts[digest]
	return refused, known
}

// judged remembers whether an object is refused, by its content.
func (p *project) judged(digest string, refused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.verdicts) >= verdictsMost {
		clear(p.verdicts)
	}
	p.verdicts[digest] = refused
}
