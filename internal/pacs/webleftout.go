package pacs

import (
	"context"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/archive"
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
func (w *Web) shown(ctx context.Context, p *project, real *dicom.DataSet, scope archive.Scope) (bool, error) {
	rq := archive.RetrieveQuery{Scope: scope, StudyUIDs: []string{real.Text(tag.StudyInstanceUID)},
		SeriesUIDs: []string{real.Text(tag.SeriesInstanceUID)}, SOPInstanceUIDs: []string{real.Text(tag.SOPInstanceUID)}}
	for ref, err := range w.Archive.Retrieve(ctx, rq) {
		if err != nil {
			return false, err
		}
		refused, known := p.verdict(ref.Digest)
		if known {
			return !refused, nil
		}

		if refused, err = w.refused(ctx, p, rq); err != nil {
			return false, err
		}
		p.judged(ref.Digest, refused)
		return !refused, nil
	}
	return false, nil
}

// refused looks at an object. One that is no longer there is not handed out.
func (w *Web) refused(ctx context.Context, p *project, one archive.RetrieveQuery) (bool, error) {
	for h, err := range w.Archive.Headers(ctx, one) {
		if err != nil {
			return false, err
		}
		return p.deid.Refused(h.DataSet), nil
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
