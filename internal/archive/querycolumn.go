package archive

import (
	"collimator/dicom"
	"collimator/dicom/tag"
)

// column is where an attribute stands.
type column struct {
	name  string
	level Level
	kind  columnKind
}

type columnKind uint8

const (
	uidColumn columnKind = iota + 1
	textColumn
	dateColumn
	timeColumn
	intColumn
)

// columnOf finds the column of an attribute at a level of query.
func (p *plan) columnOf(t dicom.Tag) (column, bool) {
	patient := "st."
	if p.Level == PatientLevel && p.Scope.everything {
		patient = "p."
	}
	switch t {
	case tag.PatientID:
		return column{patient + "patient_id", PatientLevel, textColumn}, true
	case tag.IssuerOfPatientID:
		return column{patient + "issuer", PatientLevel, textColumn}, true
	case tag.PatientBirthDate:
		return column{patient + "birth_date", PatientLevel, dateColumn}, true
	case tag.PatientSex:
		return column{patient + "sex", PatientLevel, textColumn}, true
	case tag.StudyDate:
		return column{p.date, StudyLevel, dateColumn}, true
	}
	c, ok := columns[t]
	for i, name := range patientCounts {
		if c.name == name {
			c.name = p.counts[i]
		}
	}
	return c, ok
}

// patientCounts are the columns that count what all there is of a patient.
var patientCounts = [3]string{"p.studies", "p.series", "p.instances"}

var columns = map[dicom.Tag]column{
	tag.NumberOfPatientRelatedStudies:   {patientCounts[0], PatientLevel, intColumn},
	tag.NumberOfPatientRelatedSeries:    {patientCounts[1], PatientLevel, intColumn},
	tag.NumberOfPatientRelatedInstances: {patientCounts[2], PatientLevel, intColumn},

	tag.StudyInstanceUID:              {"st.uid", StudyLevel, uidColumn},
	tag.StudyTime:                     {"st.study_time", StudyLevel, timeColumn},
	tag.AccessionNumber:               {"st.accession", StudyLevel, textColumn},
	tag.StudyID:                       {"st.study_id", StudyLevel, textColumn},
	tag.StudyDescription:              {"st.description", StudyLevel, textColumn},
	tag.NumberOfStudyRelatedSeries:    {"st.series", StudyLevel, intColumn},
	tag.NumberOfStudyRelatedInstances: {"st.instances", StudyLevel, intColumn},

	tag.SeriesInstanceUID:               {"se.uid", SeriesLevel, uidColumn},
	tag.Modality:                        {"se.modality", SeriesLevel, textColumn},
	tag.SeriesNumber:                    {"se.number", SeriesLevel, intColumn},
	tag.SeriesDescription:               {"se.description", SeriesLevel, textColumn},
	tag.BodyPartExamined:                {"se.body_part", SeriesLevel, textColumn},
	tag.PerformedProcedureStepStartDate: {"se.start_date", SeriesLevel, dateColumn},
	tag.PerformedProcedureStepStartTime: {"se.start_time", SeriesLevel, timeColumn},
	tag.NumberOfSeriesRelatedInstances:  {"se.instances", SeriesLevel, intColumn},

	tag.SOPInstanceUID: {"i.uid", ImageLevel, uidColumn},
	tag.SOPClassUID:    {"i.sop_class", ImageLevel, uidColumn},
	tag.InstanceNumber: {"i.number", ImageLevel, intColumn},
}
