package index

import (
	"collimator/dicom"
	"collimator/dicom/tag"
)

// column is where an attribute stands.
type column struct {
	of    expression
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
	patient := inStudy
	if p.Level == PatientLevel && p.Scope.everything {
		patient = patients
	}

	switch t {
	case tag.PatientID:
		return column{expression{table: patient, column: "patient_id"}, PatientLevel, textColumn}, true
	case tag.IssuerOfPatientID:
		return column{expression{table: patient, column: "issuer"}, PatientLevel, textColumn}, true
	case tag.PatientBirthDate:
		return column{expression{table: patient, column: "birth_date"}, PatientLevel, dateColumn}, true
	case tag.PatientSex:
		return column{expression{table: patient, column: "sex"}, PatientLevel, textColumn}, true
	case tag.StudyDate:
		return column{p.date, StudyLevel, dateColumn}, true
	}

	c, ok := keyColumns[t]
	for i, count := range patientCounts {
		if c.of == count {
			c.of = p.counts[i]
		}
	}

	return c, ok
}

// patientCounts are the columns that count what all there is of a patient.
var patientCounts = [3]expression{
	{table: patients, column: "studies"}, {table: patients, column: "series"}, {table: patients, column: "instances"},
}

// keyColumns are the columns of the attributes that stand in one place at every
// level of query.
var keyColumns = map[dicom.Tag]column{
	tag.NumberOfPatientRelatedStudies:   {patientCounts[0], PatientLevel, intColumn},
	tag.NumberOfPatientRelatedSeries:    {patientCounts[1], PatientLevel, intColumn},
	tag.NumberOfPatientRelatedInstances: {patientCounts[2], PatientLevel, intColumn},

	tag.StudyInstanceUID:              {expression{table: inStudy, column: "uid"}, StudyLevel, uidColumn},
	tag.StudyTime:                     {expression{table: inStudy, column: "study_time"}, StudyLevel, timeColumn},
	tag.AccessionNumber:               {expression{table: inStudy, column: "accession"}, StudyLevel, textColumn},
	tag.StudyID:                       {expression{table: inStudy, column: "study_id"}, StudyLevel, textColumn},
	tag.StudyDescription:              {expression{table: inStudy, column: "description"}, StudyLevel, textColumn},
	tag.NumberOfStudyRelatedSeries:    {expression{table: inStudy, column: "series"}, StudyLevel, intColumn},
	tag.NumberOfStudyRelatedInstances: {expression{table: inStudy, column: "instances"}, StudyLevel, intColumn},

	tag.SeriesInstanceUID:               {expression{table: inSeries, column: "uid"}, SeriesLevel, uidColumn},
	tag.Modality:                        {expression{table: inSeries, column: "modality"}, SeriesLevel, textColumn},
	tag.SeriesNumber:                    {expression{table: inSeries, column: "number"}, SeriesLevel, intColumn},
	tag.SeriesDescription:               {expression{table: inSeries, column: "description"}, SeriesLevel, textColumn},
	tag.BodyPartExamined:                {expression{table: inSeries, column: "body_part"}, SeriesLevel, textColumn},
	tag.PerformedProcedureStepStartDate: {expression{table: inSeries, column: "start_date"}, SeriesLevel, dateColumn},
	tag.PerformedProcedureStepStartTime: {expression{table: inSeries, column: "start_time"}, SeriesLevel, timeColumn},
	tag.NumberOfSeriesRelatedInstances:  {expression{table: inSeries, column: "instances"}, SeriesLevel, intColumn},

	tag.SOPInstanceUID: {expression{table: instances, column: "uid"}, ImageLevel, uidColumn},
	tag.SOPClassUID:    {expression{table: instances, column: "sop_class"}, ImageLevel, uidColumn},
	tag.InstanceNumber: {expression{table: instances, column: "number"}, ImageLevel, intColumn},
}
