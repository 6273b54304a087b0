package index

import (
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// IndexedKeys lists the keys of a level that a query answers from the index, in
// the order of their tags. Every other attribute of the stored headers is a
// matching key too: candidates are then looked at one by one, within
// Search.Scanned.
func IndexedKeys(l Level) []dicom.Tag {
	keys := map[Level][]dicom.Tag{
		PatientLevel: {tag.PatientName, tag.PatientID, tag.IssuerOfPatientID, tag.PatientBirthDate, tag.PatientSex},
		StudyLevel:   {tag.StudyDate, tag.ReferringPhysicianName, tag.ModalitiesInStudy, tag.SOPClassesInStudy},
	}[l]
	for t, c := range keyColumns {
		if c.level == l {
			keys = append(keys, t)
		}
	}
	slices.Sort(keys)
	return keys
}
