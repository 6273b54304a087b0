package face

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/budget"
	"collimator/internal/disclosure"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// Bounds of a search below the studies that names none, or several: level by level, each of the
// level above is asked about by itself.
const (
	parentsMost = 100
	filledMost  = 50 // matches of a page of which is counted what the system behind does not
)

// errBroad refuses a search for the number of its matches.
var errBroad = fault.New(fault.TooLarge, "face: the system behind the route has more matches than may be asked for; "+
	"narrow the search, by StudyDate for example, or let an administrator raise find_matches of the route")

// Search implements dicomweb.Backend (PS3.18 10.6) by C-FIND, level by level. Pages are of one order,
// for which each time all is asked: the matches of a search are no more than the route lets be asked
// for at once.
func (b *Backend) Search(ctx context.Context, s dicomweb.Search) iter.Seq2[*dicom.DataSet, error] {
	sight, hidden := b.view(s.Restriction)
	if hidden != nil {
		return hidden.Search(ctx, s)
	}

	return func(yield func(*dicom.DataSet, error) bool) {
		q := &search{Backend: b, Search: s, sight: sight, most: b.behind.Matches()}
		page, err := q.page(ctx)
		if err != nil {
			yield(nil, disclosure.Answer(err))
			return
		}
		for _, ds := range page {
			if !yield(ds, nil) {
				return
			}
		}
	}
}

// search is one that runs.
type search struct {
	*Backend
	dicomweb.Search
	sight policy.Sight
	most  int
}

// match is an answer of the system behind at one level, with those of the levels above.
type match struct {
	dicomweb.Resource
	data []*dicom.DataSet // the study first
}

// page is the matches that are asked for, in order.
func (q *search) page(ctx context.Context) ([]*dicom.DataSet, error) {
	matches, err := q.matches(ctx, q.Level)
	if err != nil {
		return nil, err
	}

	slices.SortFunc(matches, compare)
	matches = matches[min(q.Offset, len(matches)):]
	if q.Limit > 0 {
		matches = matches[:min(q.Limit, len(matches))]
	}
	page := make([]*dicom.DataSet, len(matches))
	for i, m := range matches {
		if page[i], err = q.answer(m); err != nil {
			return nil, err
		}
		if len(matches) <= filledMost {
			if err := q.fill(ctx, m, page[i]); err != nil {
				return nil, err
			}
		}
	}
	return page, nil
}

// compare puts the newest study first, and below it what has a number in its order.
func compare(a, b match) int {
	text := func(m match, t tag.Tag) string { return m.data[0].Text(t) }
	order := cmp.Or(
		-strings.Compare(text(a, tag.StudyDate), text(b, tag.StudyDate)),
		-strings.Compare(text(a, tag.StudyTime), text(b, tag.StudyTime)),
		strings.Compare(a.StudyUID, b.StudyUID),
	)
	for i, number := range []tag.Tag{tag.SeriesNumber, tag.InstanceNumber} {
		if order == 0 && len(a.data) > i+1 && len(b.data) > i+1 {
			x, _ := a.data[i+1].Int(number)
			y, _ := b.data[i+1].Int(number)
			order = cmp.Or(cmp.Compare(x, y), strings.Compare(a.SeriesUID, b.SeriesUID))
		}
	}
	return cmp.Or(order, strings.Compare(a.SeriesUID, b.SeriesUID), strings.Compare(a.SOPInstanceUID, b.SOPInstanceUID))
}

// matches asks at a level, for each match of the levels above by itself: not everybody answers relational
// queries (PS3.4 C.4.1.2.2.1).
func (q *search) matches(ctx context.Context, level dicomweb.Level) (list []match, err error) {
	keys, _ := keysAt(q.Keys, level, q.Level)
	if level == dicomweb.StudyLevel {
		studies, ok := q.studies()
		if !ok {
			return nil, nil
		}
		if len(studies) > 0 {
			if err := keys.SetText(tag.StudyInstanceUID, studies...); err != nil {
				return nil, err
			}
		}
		return q.ask(ctx, level, keys, match{}, studies)
	}

	parents, err := q.parents(ctx, level-1)
	if err != nil {
		return nil, err
	}
	if len(parents) > parentsMost {
		return nil, errBroad
	}
	for _, p := range parents {
		own := keys.Clone()
		if err := name(own, p, level); err != nil {
			return nil, err
		}
		found, err := q.ask(ctx, level, own, p, q.Keys.Values(unique[level]))
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
		if len(list) > instancesMost {
			return nil, errBroad
		}
	}
	return list, nil
}

// parents are the matches of a level above that which is searched. One that is named by its UID and
// of which nothing else is asked is not looked for.
func (q *search) parents(ctx context.Context, level dicomweb.Level) ([]match, error) {
	_, asks := keysAt(q.Keys, level, q.Level)
	named := q.Keys.Values(unique[level])
	if asks || len(named) != 1 {
		return q.matches(ctx, level)
	}

	above := []match{{}}
	if level > dicomweb.StudyLevel {
		var err error
		if above, err = q.parents(ctx, level-1); err != nil {
			return nil, err
		}
	} else if !sees(q.sight, named[0]) {
		return nil, nil
	}
	var list []match
	for _, p := range above {
		list = append(list, p.below(level, named[0], dicom.NewDataSet()))
	}
	return list, nil
}

// below is a match of the next level.
func (m match) below(level dicomweb.Level, uid string, ds *dicom.DataSet) match {
	switch level {
	case dicomweb.StudyLevel:
		m.StudyUID = uid
	case dicomweb.SeriesLevel:
		m.SeriesUID = uid
	default:
		m.SOPInstanceUID = uid
	}
	m.data = append(slices.Clip(m.data), ds)
	return m
}

// name puts the UIDs of the levels above into keys.
func name(keys *dicom.DataSet, above match, level dicomweb.Level) error {
	if err := keys.SetText(tag.StudyInstanceUID, above.StudyUID); err != nil {
		return err
	}
	if level == dicomweb.InstanceLevel {
		return keys.SetText(tag.SeriesInstanceUID, above.SeriesUID)
	}
	return nil
}

// studies are those that a search is narrowed to: what it names and its caller may see. Without any
// it is narrowed to none; ok is false where it names nothing that may be seen.
func (q *search) studies() (list []string, ok bool) {
	named := q.Keys.Values(tag.StudyInstanceUID)
	if q.sight.Everything {
		return named, true
	}
	list = slices.Clone(q.sight.Studies)
	if len(named) > 0 {
		list = slices.DeleteFunc(list, func(study string) bool { return !slices.Contains(named, study) })
	}
	return list, len(list) > 0
}

// ask asks the system behind at a level. What it answers of others than were asked for, or may be
// seen, is left out.
func (q *search) ask(
	ctx context.Context, level dicomweb.Level, keys *dicom.DataSet, above match, named []string,
) (list []match, err error) {
	if q.Fuzzy {
		if err := beginnings(keys); err != nil {
			return nil, err
		}
	}
	identifiers, err := identifiers(keys, level)
	if err != nil {
		return nil, err
	}

	most := q.most
	if level > dicomweb.StudyLevel { // of one study, or one series
		most = instancesMost
	}
	seen := map[string]bool{}
	for _, identifier := range identifiers {
		came := 0
		for m, err := range q.behind.Find(ctx, identifier) {
			if err != nil {
				return nil, err
			}
			if came++; came > most {
				return nil, errBroad
			}
			ds := m.Identifier
			own := ds.Text(unique[level])
			if seen[own] || !uid.Tolerable(own) || len(named) > 0 && !slices.Contains(named, own) || !within(ds, above) {
				continue
			}
			found := above.below(level, own, ds)
			if !sees(q.sight, found.StudyUID) {
				continue
			}
			seen[own] = true
			if level == dicomweb.StudyLevel {
				q.numbers.learn(own)
			}
			if err := budget.From(ctx).Grow(matchSize(ds)); err != nil {
				return nil, err
			}
			list = append(list, found)
		}
	}
	return list, nil
}

// within reports a match that is of what was asked about.
func within(ds *dicom.DataSet, above match) bool {
	return (above.StudyUID == "" || of(ds, tag.StudyInstanceUID, above.StudyUID)) &&
		(above.SeriesUID == "" || of(ds, tag.SeriesInstanceUID, above.SeriesUID))
}

// matchSize is about what a match takes in memory, in bytes.
func matchSize(ds *dicom.DataSet) int64 {
	n := int64(256)
	for el := range ds.All() {
		n += 96 + int64(el.Length())
	}
	return n
}

// beginnings makes of names without wildcards those that begin so.
func beginnings(keys *dicom.DataSet) error {
	for el := range keys.All() {
		if el.VR != dicom.PN || el.Empty() {
			continue
		}
		values := keys.Texts(el.Tag)
		for i, v := range values {
			if !strings.ContainsAny(v, "*?") {
				values[i] = v + "*"
			}
		}
		if err := keys.SetText(el.Tag, values...); err != nil {
			return err
		}
	}
	return nil
}

// answer is a match with the attributes that were asked for, in UTF-8; those that no answer had are
// there without a value, by which it is said that they were not matched.
func (q *search) answer(m match) (*dicom.DataSet, error) {
	out := dicom.NewDataSet()
	if err := out.SetCharacterSet("ISO_IR 192"); err != nil {
		return nil, err
	}
	for _, ds := range m.data {
		for el := range ds.All() {
			if el.Tag.Group() < 8 || el.Tag == tag.SpecificCharacterSet || el.Tag == tag.RetrieveAETitle || !q.All && !q.Keys.Has(el.Tag) {
				continue
			}
			if err := recodeOne(out, ds, el); err != nil {
				return nil, fault.Wrap(fault.Unavailable, err, "face: an answer of the system behind the route cannot be read")
			}
		}
	}
	for el := range q.Keys.All() {
		if !out.Has(el.Tag) && el.Tag != tag.SpecificCharacterSet {
			out.Set(dicom.NewElement(el.Tag, el.VR, nil))
		}
	}

	for t, value := range map[tag.Tag]string{
		tag.StudyInstanceUID: m.StudyUID, tag.SeriesInstanceUID: m.SeriesUID, tag.SOPInstanceUID: m.SOPInstanceUID,
	} {
		if value == "" {
			continue
		}
		if err := out.SetText(t, value); err != nil {
			return nil, err
		}
	}
	return out, nil
}
