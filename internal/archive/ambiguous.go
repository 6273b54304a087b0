package archive

import (
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/fault"
)

// Errors about data sets that another reader of the same bytes would take for
// something else. What is stored has to mean one thing to everybody.
var (
	errForeignGroup = fault.New(fault.Invalid, "archive: the data set holds elements of a command set or of file meta information")
	errTwice        = fault.New(fault.Invalid, "archive: an element by which the instance is filed stands twice with different values")
)

// identifying are the elements by which an instance is filed.
var identifying = [...]dicom.Tag{
	tag.SpecificCharacterSet, tag.SOPClassUID, tag.SOPInstanceUID, tag.PatientName, tag.PatientID, tag.IssuerOfPatientID,
	tag.StudyInstanceUID, tag.SeriesInstanceUID,
}

// unambiguous refuses elements of groups 0000 and 0002, which have their place
// in commands (PS3.7 6.3) and in front of a file's data set (PS3.10 7.1): a
// reader of the stored file would take them for its meta information, with
// another transfer syntax even. It refuses a second value for an identifying
// element, because PS3.5 7.1 allows none and readers differ in which one they take.
func unambiguous(ds *dicom.DataSet) error {
	var seen [len(identifying)]dicom.Element
	for el := range ds.All() {
		if group := uint32(el.Tag) >> 16; group == 0 || group == 2 {
			return errForeignGroup
		}

		i := slices.Index(identifying[:], el.Tag)
		if i < 0 {
			continue
		}
		if seen[i].Tag == el.Tag && !seen[i].Equal(el) {
			return errTwice
		}

		seen[i] = el
	}
	return nil
}
