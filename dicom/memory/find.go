package memory

import (
	"slices"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Level is a level of the information models of query and retrieve (PS3.4 C.6).
type Level uint8

// The levels, from the top.
const (
	PatientLevel Level = iota + 1
	StudyLevel
	SeriesLevel
	ImageLevel
)

// ParseLevel reads a value of Query/Retrieve Level (0008,0052).
func ParseLevel(s string) (Level, bool) {
	switch s {
	case "PATIENT":
		return PatientLevel, true
	case "STUDY":
		return StudyLevel, true
	case "SERIES":
		return SeriesLevel, true
	case "IMAGE":
		return ImageLevel, true
	}
	return 0, false
}

// String is the value of Query/Retrieve Level.
func (l Level) String() string {
	return [...]string{"", "PATIENT", "STUDY", "SERIES", "IMAGE"}[min(l, ImageLevel)]
}

// id is by what the entities of a level are told apart.
func (l Level) id(i *Instance) string {
	switch l {
	case PatientLevel:
		return i.PatientID
	case StudyLevel:
		return i.StudyInstanceUID
	case SeriesLevel:
		return i.SeriesInstanceUID
	}
	return i.SOPInstanceUID
}

// Find gives the entities of a level that meet every key, in the order in which
// they came: each key with its value (PS3.4 C.4.1.1.3), without one where it is not
// known. Of what has several instances the attributes of the first count, and the
// numbers of related series and instances and the modalities are made. Instances
// for which visible is false are not there; nil sees all.
func (a *Archive) Find(level Level, keys *dicom.DataSet, visible func(*Instance) bool) []*dicom.DataSet {
	var out []*dicom.DataSet
	for _, e := range a.entities(level, visible) {
		if matchesAll(keys, e.get) {
			out = append(out, e.answer(level, keys))
		}
	}
	return out
}

// Select gives the instances that meet every key, in the order in which they came.
// Keys that an instance does not have itself are not met; see Find for visible.
func (a *Archive) Select(keys *dicom.DataSet, visible func(*Instance) bool) []*Instance {
	var out []*Instance
	for _, i := range a.All() {
		if (visible == nil || visible(i)) && matchesAll(keys, i.DataSet.Get) {
			out = append(out, i)
		}
	}
	return out
}

// entity is a patient, study, series or instance: its instances, at least one.
type entity struct{ of []*Instance }

func (a *Archive) entities(level Level, visible func(*Instance) bool) []*entity {
	var out []*entity
	known := map[string]*entity{}
	for _, i := range a.All() {
		if visible != nil && !visible(i) {
			continue
		}

		e, ok := known[level.id(i)]
		if !ok {
			e = &entity{}
			known[level.id(i)] = e
			out = append(out, e)
		}
		e.of = append(e.of, i)
	}
	return out
}

// get is an attribute of the entity: one that is made, or that of its first instance.
func (e *entity) get(t dicom.Tag) (dicom.Element, bool) {
	switch t {
	case tag.NumberOfPatientRelatedStudies:
		return e.count(t, StudyLevel), true
	case tag.NumberOfPatientRelatedSeries, tag.NumberOfStudyRelatedSeries:
		return e.count(t, SeriesLevel), true
	case tag.NumberOfPatientRelatedInstances, tag.NumberOfStudyRelatedInstances, tag.NumberOfSeriesRelatedInstances:
		return e.count(t, ImageLevel), true
	case tag.ModalitiesInStudy:
		return e.distinct(t, tag.Modality), true
	case tag.SOPClassesInStudy:
		return e.distinct(t, tag.SOPClassUID), true
	case tag.InstanceAvailability:
		return dicom.NewElement(t, dicom.CS, []byte("ONLINE")), true
	}
	return e.of[0].DataSet.Get(t)
}

func (e *entity) count(t dicom.Tag, level Level) dicom.Element {
	ids := map[string]bool{}
	for _, i := range e.of {
		ids[level.id(i)] = true
	}
	return dicom.NewElement(t, dicom.IS, []byte(strconv.Itoa(len(ids))))
}

// distinct is the values that an attribute has in the instances, each once.
func (e *entity) distinct(t, of dicom.Tag) dicom.Element {
	var values []byte
	var seen []string
	for _, i := range e.of {
		v := i.DataSet.Text(of)
		if v == "" || slices.Contains(seen, v) {
			continue
		}

		seen = append(seen, v)
		if len(values) > 0 {
			values = append(values, '\\')
		}
		values = append(values, v...)
	}
	return dicom.NewElement(t, dicom.VRFor(t), values)
}

// answer is the keys with their values, in the character set of the first instance.
func (e *entity) answer(level Level, keys *dicom.DataSet) *dicom.DataSet {
	out := dicom.NewDataSet()
	if el, ok := e.of[0].DataSet.Get(tag.SpecificCharacterSet); ok {
		out.Set(el) // before any text, which is written in it
	}
	out.Set(dicom.NewElement(tag.QueryRetrieveLevel, dicom.CS, []byte(level.String())))

	for key := range keys.All() {
		if instruction(key.Tag) {
			continue
		}
		el, ok := e.get(key.Tag)
		switch {
		case ok:
			out.Set(el)
		case key.Sequence():
			out.SetItems(key.Tag)
		default:
			out.Set(dicom.NewElement(key.Tag, key.VR, nil))
		}
	}
	return out
}
