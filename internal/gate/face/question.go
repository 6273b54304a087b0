package face

import (
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
)

// of reports whether a match has the value that was asked for under a unique key of a level above,
// or leaves it out.
func of(match *dicom.DataSet, t tag.Tag, asked string) bool {
	value := match.Text(t)
	return value == "" || value == asked
}

// levels are the words of C-FIND for the levels of DICOMweb.
var levels = map[dicomweb.Level]string{dicomweb.StudyLevel: "STUDY", dicomweb.SeriesLevel: "SERIES", dicomweb.InstanceLevel: "IMAGE"}

// unique is the unique key of a level.
var unique = map[dicomweb.Level]tag.Tag{
	dicomweb.StudyLevel: tag.StudyInstanceUID, dicomweb.SeriesLevel: tag.SeriesInstanceUID, dicomweb.InstanceLevel: tag.SOPInstanceUID,
}

// studyTags and seriesTags are keys of the study, with those of its patient, and of the series (PS3.4
// C.6.2.1); of others nobody asks above the level that is searched.
var (
	studyTags = []tag.Tag{
		tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.ModalitiesInStudy, tag.SOPClassesInStudy, tag.ReferringPhysicianName,
		tag.StudyDescription, tag.PatientName, tag.PatientID, tag.IssuerOfPatientID, tag.PatientBirthDate, tag.PatientSex, tag.PatientAge,
		tag.OtherPatientIDs, tag.PatientComments, tag.StudyInstanceUID, tag.StudyID, tag.NumberOfStudyRelatedSeries,
		tag.NumberOfStudyRelatedInstances, tag.NameOfPhysiciansReadingStudy, tag.AdmittingDiagnosesDescription, tag.PatientSize, tag.PatientWeight,
	}
	seriesTags = []tag.Tag{
		tag.Modality, tag.SeriesDescription, tag.SeriesInstanceUID, tag.SeriesNumber, tag.NumberOfSeriesRelatedInstances, tag.SeriesDate,
		tag.SeriesTime, tag.BodyPartExamined, tag.Laterality, tag.ProtocolName, tag.PerformedProcedureStepStartDate,
		tag.PerformedProcedureStepStartTime, tag.RequestAttributesSequence, tag.OperatorsName, tag.PerformingPhysicianName,
		tag.InstitutionName, tag.StationName, tag.Manufacturer,
	}
)

// levelOf is the level of a key in a search at a level: that above which it belongs to, or its own.
func levelOf(t tag.Tag, searched dicomweb.Level) dicomweb.Level {
	switch {
	case slices.Contains(studyTags, t):
		return dicomweb.StudyLevel
	case searched > dicomweb.StudyLevel && slices.Contains(seriesTags, t):
		return dicomweb.SeriesLevel
	}
	return searched
}

// ofDICOMweb are keys that no C-FIND knows.
var ofDICOMweb = []tag.Tag{tag.RetrieveURL, tag.AvailableTransferSyntaxUID, tag.SpecificCharacterSet, tag.QueryRetrieveLevel}

// keysAt are the keys of a search that belong to a level, with the unique ones of it and those above.
// asks is whether there are others than these.
func keysAt(keys *dicom.DataSet, level, searched dicomweb.Level) (out *dicom.DataSet, asks bool) {
	out = dicom.NewDataSet()
	if set, ok := keys.Get(tag.SpecificCharacterSet); ok {
		out.Set(set)
	}
	for el := range keys.All() {
		if slices.Contains(ofDICOMweb, el.Tag) || levelOf(el.Tag, searched) != level {
			continue
		}
		if el.Tag != unique[level] {
			asks = true
		}
		out.Set(el)
	}
	for l := dicomweb.StudyLevel; l <= level; l++ {
		if !out.Has(unique[l]) {
			out.Set(dicom.NewElement(unique[l], dicom.UI, nil))
		}
	}
	return out, asks
}

// identifiers are the keys of a level as they are asked with: without a character set where none is
// needed, else in UTF-8 and, where it has the characters, in Latin-1, because many systems compare
// bytes and keep what modalities of their country sent.
func identifiers(keys *dicom.DataSet, level dicomweb.Level) (list []*dicom.DataSet, err error) {
	sets := []string{""}
	if !ascii(keys) {
		sets = []string{"ISO_IR 192", "ISO_IR 100"}
	}

	for i, set := range sets {
		ds := dicom.NewDataSet()
		if set != "" {
			if err := ds.SetCharacterSet(set); err != nil {
				return nil, err
			}
		}
		err := recode(ds, keys)
		if err != nil && i > 0 {
			break // that set has no such characters
		}
		if err == nil {
			err = ds.SetText(tag.QueryRetrieveLevel, levels[level])
		}
		if err != nil {
			return nil, err
		}
		list = append(list, ds)
	}
	return list, nil
}

// ascii reports keys without a character that needs a character set.
func ascii(ds *dicom.DataSet) bool {
	for el := range ds.All() {
		for _, item := range el.Items() {
			if !ascii(item) {
				return false
			}
		}
		if !el.VR.CharacterSet() {
			continue
		}
		for _, c := range el.Bytes() {
			if c >= 0x80 {
				return false
			}
		}
	}
	return true
}

// recode adds the elements of one data set to another, in the character set of that.
func recode(to, from *dicom.DataSet) error {
	for el := range from.All() {
		if err := recodeOne(to, from, el); err != nil {
			return err
		}
	}
	return nil
}

func recodeOne(to, from *dicom.DataSet, el dicom.Element) error {
	switch {
	case el.Tag == tag.SpecificCharacterSet:
		return nil
	case el.Sequence():
		var items []*dicom.DataSet
		for _, item := range el.Items() {
			own := to.NewItem()
			if err := recode(own, item); err != nil {
				return err
			}
			items = append(items, own)
		}
		if len(items) == 0 {
			to.Set(dicom.NewSequence(el.Tag))
			return nil
		}
		to.SetItems(el.Tag, items...)
		return nil
	case el.VR.CharacterSet() && !el.Empty():
		return to.SetText(el.Tag, from.Texts(el.Tag)...)
	}
	to.Set(el)
	return nil
}
