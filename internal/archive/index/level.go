package index

import (
	"bufio"
	"bytes"
	"slices"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Level is a level of the information models of PS3.4 C.6.
type Level uint8

// The levels, from the top.
const (
	PatientLevel Level = iota + 1
	StudyLevel
	SeriesLevel
	ImageLevel
)

// String is the value of Query/Retrieve Level (0008,0052) (PS3.4 C.6.1.1).
func (l Level) String() string {
	switch l {
	case PatientLevel:
		return "PATIENT"
	case StudyLevel:
		return "STUDY"
	case SeriesLevel:
		return "SERIES"
	case ImageLevel:
		return "IMAGE"
	}

	return "none"
}

// ParseLevel reads a value of Query/Retrieve Level; zero for any other.
func ParseLevel(s string) Level {
	for l := PatientLevel; l <= ImageLevel; l++ {
		if s == l.String() {
			return l
		}
	}

	return 0
}

// patientTags, studyTags and seriesTags are the attributes that belong to the
// entity rather than to the instance: the modules of PS3.3 C.2.2, C.7.1, C.7.2
// and C.7.3 and the keys of PS3.4 C.6. All else belongs to the instance.
var patientTags = sorted(
	tag.PatientName, tag.PatientID, tag.IssuerOfPatientID, tag.TypeOfPatientID, tag.IssuerOfPatientIDQualifiersSequence,
	tag.PatientBirthDate, tag.PatientBirthTime, tag.PatientSex, tag.OtherPatientIDsSequence, tag.OtherPatientNames,
	tag.PatientBirthName, tag.PatientMotherBirthName, tag.EthnicGroup, tag.PatientComments, tag.PatientSpeciesDescription,
	tag.PatientSpeciesCodeSequence, tag.PatientBreedDescription, tag.ResponsiblePerson, tag.ResponsibleOrganization,
	tag.PatientIdentityRemoved, tag.DeidentificationMethod, tag.QualityControlSubject,
)

var studyTags = sorted(
	tag.StudyInstanceUID, tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.IssuerOfAccessionNumberSequence, tag.StudyID,
	tag.StudyDescription, tag.ReferringPhysicianName, tag.ReferringPhysicianIdentificationSequence, tag.ConsultingPhysicianName,
	tag.PhysiciansOfRecord, tag.NameOfPhysiciansReadingStudy, tag.RequestingService, tag.ProcedureCodeSequence,
	tag.ReasonForPerformedProcedureCodeSequence, tag.ReferencedStudySequence, tag.AdmissionID, tag.AdmittingDiagnosesDescription,
	tag.PatientAge, tag.PatientSize, tag.PatientWeight, tag.Occupation, tag.AdditionalPatientHistory, tag.PatientState,
	tag.MedicalAlerts, tag.Allergies, tag.TimezoneOffsetFromUTC, tag.PregnancyStatus, tag.ServiceEpisodeID, tag.RequestingPhysician,
)

var seriesTags = sorted(
	tag.SeriesInstanceUID, tag.Modality, tag.SeriesNumber, tag.Laterality, tag.SeriesDate, tag.SeriesTime, tag.SeriesDescription,
	tag.SeriesDescriptionCodeSequence, tag.PerformingPhysicianName, tag.OperatorsName, tag.ProtocolName, tag.BodyPartExamined,
	tag.PatientPosition, tag.ReferencedPerformedProcedureStepSequence, tag.RequestAttributesSequence, tag.PerformedProcedureStepID,
	tag.PerformedProcedureStepStartDate, tag.PerformedProcedureStepStartTime, tag.PerformedProcedureStepEndDate,
	tag.PerformedProcedureStepEndTime, tag.PerformedProcedureStepDescription, tag.PerformedProtocolCodeSequence,
	tag.CommentsOnThePerformedProcedureStep, tag.Manufacturer, tag.ManufacturerModelName, tag.DeviceSerialNumber, tag.SoftwareVersions,
	tag.InstitutionName, tag.InstitutionAddress, tag.InstitutionalDepartmentName, tag.StationName, tag.AnatomicRegionSequence,
	tag.ClinicalTrialSeriesID, tag.TimezoneOffsetFromUTC, tag.FrameOfReferenceUID, tag.PositionReferenceIndicator, tag.PresentationIntentType,
)

func sorted(tags ...dicom.Tag) []dicom.Tag {
	slices.Sort(tags)
	return slices.Compact(tags)
}

// LevelOf is the level an attribute belongs to.
func LevelOf(t dicom.Tag) Level {
	for i, tags := range [][]dicom.Tag{patientTags, studyTags, seriesTags} {
		if _, ok := slices.BinarySearch(tags, t); ok {
			return PatientLevel + Level(i)
		}
	}
	return ImageLevel
}

// subset encodes the attributes of a level in the character set in which they
// came, so that nothing is lost to a damaged one. A character set that was
// assumed is declared.
func subset(ds *dicom.DataSet, tags ...[]dicom.Tag) (encoded []byte, present int, err error) {
	out := dicom.NewDataSet()
	if el, ok := ds.Get(tag.SpecificCharacterSet); ok && el.Length() > 0 {
		out.Set(el)
	} else if terms := ds.CharacterSet(); len(terms) > 0 {
		if err := out.SetText(tag.SpecificCharacterSet, terms...); err != nil {
			return nil, 0, err
		}
	}

	for _, list := range tags {
		for _, t := range list {
			el, ok := ds.Get(t)
			if !ok {
				continue
			}
			if _, isBulk := el.Bulk(); isBulk {
				continue
			}
			out.Set(el)
			if !empty(el) {
				present++
			}
		}
	}

	buf := bytes.NewBuffer([]byte{}) // empty is a value, nil would be NULL
	err = dicom.Encode(buf, out, uid.ExplicitVRLittleEndian)

	return buf.Bytes(), present, err
}

// empty reports an element without a value, or with one of padding alone.
func empty(el dicom.Element) bool {
	if el.Sequence() {
		return len(el.Items()) == 0
	}

	return el.Empty() || el.VR.Text() && len(bytes.Trim(el.Bytes(), " \x00")) == 0
}

// Decode reads the stored attributes of a level.
func Decode(b []byte) (*dicom.DataSet, error) {
	br := readers.Get().(*bufio.Reader)
	defer readers.Put(br)
	br.Reset(bytes.NewReader(b))

	return dicom.Decode(br, dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
}

// readers are buffers of the size of a level's attributes.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
