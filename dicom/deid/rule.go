package deid

import (
	"sort"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// action is an entry of Table E.1-1 (PS3.15 E.1).
type action uint8

const (
	actK  action = iota // keep; a sequence is cleaned inside
	actD                // replace with a dummy value
	actZ                // replace with a value of zero length
	actX                // remove
	actC                // clean
	actU                // replace with another UID, consistently
	actZD               // the choices, by the type of the attribute
	actXZ
	actXD
	actXZD
	actXZU
)

// option is a set of columns of the table.
type option uint16

const (
	safePrivate option = 1 << iota
	retainUIDs
	retainDevice
	retainInstitution
	retainCharacteristics
	fullDates
	modifiedDates
	cleanDescriptors
	cleanStructured
	cleanGraphics
)

// rule is a row of Table E.1-1: what the basic profile does, which options keep
// the attribute and which clean it.
type rule struct {
	tag, mask   dicom.Tag
	basic       action
	keep, clean option
}

// lookup finds the row of Table E.1-1 for t: its own one before that of a pattern.
func lookup(t dicom.Tag) (rule, bool) {
	i := sort.Search(len(rules), func(i int) bool { return rules[i].tag >= t })
	if i < len(rules) && rules[i].tag == t {
		return rules[i], true
	}
	for _, r := range patterns {
		if t&r.mask == r.tag {
			return r, true
		}
	}
	return rule{}, false
}

// decide is the action for t with the options in force, and the basic one to
// fall back on. A column that keeps stands above one that cleans, but for
// dates: all those of a patient move by the same days, so that one which stays
// where it was would give away all the others.
func (s *session) decide(t dicom.Tag) (act, basic action) {
	r, ok := lookup(t)
	if !ok {
		act = s.unlisted(t)
		return act, act
	}
	basic = s.resolve(t, r.basic)

	switch {
	case r.clean&s.options&modifiedDates != 0:
		return actC, basic
	case r.keep&s.options != 0:
		return actK, basic
	case r.clean&s.options != 0:
		return actC, basic
	}
	return basic, basic
}

// resolve chooses by the type of the attribute (PS3.15 E.1): where it is known
// to be optional it is removed; else a dummy value or an empty one stands, as
// the choice allows, which is right for every type.
func (s *session) resolve(t dicom.Tag, a action) action {
	optional := plainClasses[s.class] && type3[t]
	switch a {
	case actZD:
		return actD
	case actXD, actXZD:
		if optional {
			return actX
		}
		return actD
	case actXZ:
		if optional || neverEmpty[t] {
			return actX
		}
		return actZ
	case actXZU:
		return actU
	}
	return a
}

// plainClasses are the images of one frame or modality in whose modules type3
// is optional.
var plainClasses = map[string]bool{
	uid.ComputedRadiographyImageStorage: true, uid.CTImageStorage: true, uid.MRImageStorage: true,
	uid.UltrasoundImageStorage: true, uid.SecondaryCaptureImageStorage: true,
}

// neverEmpty are sequences with an action that may empty or remove them, in
// which PS3.3 wants one item or more wherever they are present (C.7.2.1).
var neverEmpty = map[dicom.Tag]bool{tag.ReferencedStudySequence: true}

// type3 are attributes of type 3 in the objects of plainClasses (PS3.3 C.7,
// C.12).
var type3 = map[dicom.Tag]bool{
	tag.InstanceCreationDate: true, tag.InstanceCreationTime: true, tag.SeriesDate: true, tag.SeriesTime: true,
	tag.OperatorsName: true, tag.OperatorIdentificationSequence: true, tag.ProtocolName: true, tag.StationName: true,
	tag.InstitutionName: true, tag.DateOfLastDetectorCalibration: true, tag.TimeOfLastDetectorCalibration: true,
}

// unlisted is the action for what the table leaves out. It keeps an attribute,
// but for names, dates and UIDs, which are treated like those of the table,
// and for what is not in the dictionary.
func (s *session) unlisted(t dicom.Tag) action {
	e, known := tag.Lookup(t)
	group := t.Group()

	switch {
	case !known || t.GroupLength() || group <= 2 || group&0xFF00 == 0x6000:
		return actX
	case e.VR == "PN":
		return actD
	case e.VR == "DA" || e.VR == "DT" || e.VR == "TM":
		switch s.profile.Dates {
		case KeepDates:
			return actK
		case ShiftDates:
			return actC
		}
		return actD
	case e.VR == "UI": // of a class too: its value need not be the UID of a class
		if s.profile.RetainUIDs {
			return actK
		}
		return actU
	case e.VR == "UR" && t != tag.URNCodeValue && t != tag.CodingSchemeURL:
		return actX
	}
	return actK
}
