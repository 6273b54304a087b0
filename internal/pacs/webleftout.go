package pacs

import (
	"context"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/archive"
)

// Bounds of finding out whether something of a study or series is handed out.
const (
	// looksMost is how many headers are looked at. A study or series of which that
	// many are left out is listed: nothing of an object stands in that.
	looksMost = 64
	// verdictsMost is of how many objects it is remembered.
	verdictsMost = 1 << 16
)

// named adds the UIDs of a level and of those above it to keys, and says which.
func named(keys *dicom.DataSet, level archive.Level) (added []dicom.Tag) {
	for t, from := range map[dicom.Tag]archive.Level{tag.SeriesInstanceUID: archive.SeriesLevel, tag.SOPInstanceUID: archive.ImageLevel} {
		if level >= from && !keys.Has(t) {
			keys.Set(dicom.NewElement(t, 0, nil))
			added = append(added, t)
		}
	}
	return added
}

// foundAt is what a match stands for.
func foundAt(real *dicom.DataSet, q archive.Query) archive.RetrieveQuery {
	rq := archive.RetrieveQuery{Scope: q.Scope, StudyUIDs: []string{real.Text(tag.StudyInstanceUID)}}
	if q.Level >= archive.SeriesLevel {
		rq.SeriesUIDs = []string{real.Text(tag.SeriesInstanceUID)}
	}
	if q.Level == archive.ImageLevel {
		rq.SOPInstanceUIDs = []string{real.Text(tag.SOPInstanceUID)}
	}
	return rq
}

// shown reports that something of a selection is handed out without its identity.
// A selection of one object is always looked at.
func (w *Web) shown(ctx context.Context, p *project, rq archive.RetrieveQuery) (bool, error) {
	looked := 0
	for ref, err := range w.Archive.Retrieve(ctx, rq) {
		if err != nil {
			return false, err
		}
		refused, known := p.verdict(ref.Digest)
		if !known {
			if refused, err = w.refused(ctx, p, ref, rq.Scope); err != nil {
				return false, err
			}
			p.judged(ref.Digest, refused)
		}
		if looked++; !refused || looked > looksMost {
			return true, nil
		}
	}
	return false, nil
}

// refused looks at an object. One that is no longer there is not handed out.
func (w *Web) refused(ctx context.Context, p *project, ref archive.InstanceRef, scope archive.Scope) (bool, error) {
	one := archive.RetrieveQuery{Scope: scope, StudyUIDs: []string{ref.StudyUID}, SeriesUIDs: []string{ref.SeriesUID}, SOPInstanceUIDs: []string{ref.SOPInstanceUID}}
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
