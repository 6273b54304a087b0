package index

import (
	"context"
	"slices"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// answeredByColumn reports attributes an answer needs no stored attributes for.
func answeredByColumn(t dicom.Tag) bool {
	_, ok := (&row{}).computed(t, ImageLevel)
	return ok || control(t)
}

// computed is the values of attributes that come from columns.
func (r *row) computed(t dicom.Tag, level Level) ([]string, bool) {
	n := func(v int64) []string { return []string{strconv.FormatInt(v, 10)} }

	var out []string
	from := StudyLevel
	switch t {
	case tag.NumberOfPatientRelatedStudies:
		from = PatientLevel
		out = n(r.patient.studies)
	case tag.NumberOfPatientRelatedSeries:
		from = PatientLevel
		out = n(r.patient.series)
	case tag.NumberOfPatientRelatedInstances:
		from = PatientLevel
		out = n(r.patient.instances)
	case tag.StudyInstanceUID:
		out = []string{r.study.uid}
	case tag.ModalitiesInStudy:
		out = SplitValues(r.study.modalities)
	case tag.SOPClassesInStudy:
		out = SplitValues(r.study.sopClasses)
	case tag.NumberOfStudyRelatedSeries:
		out = n(r.study.series)
	case tag.NumberOfStudyRelatedInstances:
		out = n(r.study.instances)
	case tag.SeriesInstanceUID:
		from = SeriesLevel
		out = []string{r.series.uid}
	case tag.NumberOfSeriesRelatedInstances:
		from = SeriesLevel
		out = n(r.series.instances)
	case tag.SOPInstanceUID:
		from = ImageLevel
		out = []string{r.instance.SOPInstanceUID}
	case tag.SOPClassUID:
		from = ImageLevel
		out = []string{r.instance.SOPClassUID}
	case tag.AvailableTransferSyntaxUID:
		from = ImageLevel
		out = []string{r.instance.TransferSyntaxUID}
	default:
		return nil, false
	}

	if from > level {
		return nil, true
	}
	return out, true
}

// attributes is what is stored of a row: one data set, or at the level of
// series those of the study and of the series.
func (s *Search) attributes(ctx context.Context, p *plan, r *row) (sets []*dicom.DataSet, err error) {
	if p.Level == ImageLevel {
		if !p.need && len(p.post) == 0 && !p.AllAttributes {
			return nil, nil
		}
		ds, err := s.Header(ctx, r.instance, r.instanceData, r.assumed)
		return []*dicom.DataSet{ds}, err
	}

	for _, data := range [][]byte{r.patientData, r.study.data, r.series.data} {
		if data == nil {
			continue
		}
		ds, err := Decode(data)
		if err != nil {
			return nil, damaged(err)
		}
		if p.Level == PatientLevel && !p.Scope.everything {
			ds = patientPart(ds)
		}
		sets = append(sets, ds)
	}
	return sets, nil
}

// patientPart is what a study says of its patient.
func patientPart(study *dicom.DataSet) *dicom.DataSet {
	out := dicom.NewDataSet()
	for el := range study.All() {
		if control(el.Tag) || LevelOf(el.Tag) == PatientLevel {
			out.Set(el)
		}
	}
	return out
}

// lookup finds an attribute in the set it is stored in.
func lookup(sets []*dicom.DataSet, t dicom.Tag) (dicom.Element, *dicom.DataSet) {
	for _, ds := range sets {
		if el, ok := ds.Get(t); ok {
			return el, ds
		}
	}
	return dicom.Element{}, nil
}

// answer matches what no column could, and makes the identifier of the
// response (PS3.4 C.4.1.1.3.2).
func (s *Search) answer(ctx context.Context, p *plan, r *row) (*dicom.DataSet, bool, error) {
	sets, err := s.attributes(ctx, p, r)
	if err != nil {
		return nil, false, err
	}

	for _, key := range p.post {
		_, ds := lookup(sets, key.Tag)
		if ds == nil || !Matches(key, ds, p.Fuzzy) {
			return nil, false, nil
		}
	}

	terms := characterSets(p, sets)
	for i, term := range terms {
		b := &answerBuilder{p: p, r: r, sets: sets, terms: term, strict: i < len(terms)-1, ae: s.RetrieveAETitle}
		ds, ok, err := b.build()
		if err != nil {
			return nil, false, err
		}
		if ok {
			return ds, true, nil
		}
	}
	return nil, false, nil
}

// characterSets is the character sets to try for an answer, in order: none
// while all is ASCII; then the one the question was written in, which the peer
// can show, then the one the object came in, which the peers of that site know;
// and UTF-8, which holds everything, when these cannot hold the answer.
func characterSets(p *plan, sets []*dicom.DataSet) [][]string {
	out := [][]string{nil}
	for _, ds := range append([]*dicom.DataSet{p.Keys}, sets...) {
		if terms := ds.Texts(tag.SpecificCharacterSet); len(terms) > 0 {
			out = append(out, terms)
		}
	}
	return append(out, []string{"ISO_IR 192"})
}

// answerBuilder makes an identifier in one character set.
type answerBuilder struct {
	p      *plan
	r      *row
	sets   []*dicom.DataSet
	terms  []string
	strict bool // give up where a text cannot be written
	ae     string
	failed bool
}

func (b *answerBuilder) build() (*dicom.DataSet, bool, error) {
	out := dicom.NewDataSet()
	if err := b.setCharacterSet(out); err != nil {
		return nil, false, nil // terms nobody knows
	}

	if err := out.SetText(tag.QueryRetrieveLevel, b.p.Level.String()); err != nil {
		return nil, false, err
	}

	if b.ae != "" {
		if err := out.SetText(tag.RetrieveAETitle, b.ae); err != nil {
			return nil, false, err
		}
	}

	for key := range b.p.Keys.All() {
		if err := b.add(out, key); err != nil {
			return nil, false, err
		}
	}

	if b.p.AllAttributes {
		for _, ds := range b.sets {
			for el := range ds.All() {
				if _, isBulk := el.Bulk(); !isBulk && !control(el.Tag) && !out.Has(el.Tag) {
					b.copy(out, el, nil)
				}
			}
		}
	}
	return out, !b.failed, nil
}

func (b *answerBuilder) setCharacterSet(ds *dicom.DataSet) error {
	if len(b.terms) == 0 {
		return nil
	}
	return ds.SetText(tag.SpecificCharacterSet, b.terms...)
}

// add returns one attribute that was asked for: with its value, or empty.
func (b *answerBuilder) add(out *dicom.DataSet, key dicom.Element) error {
	t := key.Tag
	if t == tag.InstanceAvailability {
		return out.SetText(t, "ONLINE")
	}

	if control(t) {
		return nil
	}

	if v, ok := b.r.computed(t, b.p.Level); ok {
		return out.SetText(t, v...)
	}

	el, ds := lookup(b.sets, t)
	if _, isBulk := el.Bulk(); ds == nil || isBulk {
		if key.Sequence() {
			out.SetItems(t)
		} else {
			out.Set(dicom.NewElement(t, keyVR(key), nil))
		}
		return nil
	}
	b.copy(out, el, firstItem(key))
	return nil
}

func firstItem(key dicom.Element) *dicom.DataSet {
	if items := key.Items(); len(items) > 0 && items[0].Len() > 0 {
		return items[0]
	}
	return nil
}

// copy puts a stored element into an answer, in the answer's character set. Of
// the items of a sequence only what want names is returned, or all.
func (b *answerBuilder) copy(out *dicom.DataSet, el dicom.Element, want *dicom.DataSet) {
	switch {
	case el.Sequence():
		var items []*dicom.DataSet
		for _, stored := range el.Items() {
			items = append(items, b.copyItem(stored, want))
		}
		out.SetItems(el.Tag, items...)
	case !el.VR.CharacterSet() || plainASCII(el.Bytes()):
		out.Set(dicom.NewElement(el.Tag, el.VR, el.Bytes()))
	case b.terms == nil:
		b.failed = true
	default:
		out.Set(dicom.NewElement(el.Tag, el.VR, nil))
		if err := out.SetText(el.Tag, el.Texts()...); err != nil {
			b.failed = b.failed || b.strict
		}
	}
}

// copyItem writes an item in the character set of the answer, which it
// inherits once it stands there (PS3.5 6.1.2.2).
func (b *answerBuilder) copyItem(stored, want *dicom.DataSet) *dicom.DataSet {
	item := dicom.NewDataSet()
	if err := b.setCharacterSet(item); err != nil {
		b.failed = true
		return item
	}

	for el := range stored.All() {
		if _, isBulk := el.Bulk(); isBulk || el.Tag == tag.SpecificCharacterSet {
			continue
		}
		if want == nil {
			b.copy(item, el, nil)
			continue
		}
		if key, ok := want.Get(el.Tag); ok {
			b.copy(item, el, firstItem(key))
		}
	}

	if want != nil {
		for key := range want.All() {
			if !item.Has(key.Tag) && key.Tag != tag.SpecificCharacterSet {
				item.Set(dicom.NewElement(key.Tag, keyVR(key), nil))
			}
		}
	}

	item.Delete(tag.SpecificCharacterSet)
	return item
}

// plainASCII reports bytes that mean the same in every character set of
// PS3.3 C.12.1.1.2: no escape sequence and nothing above 7 bits.
func plainASCII(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 || c == 0x1B })
}
