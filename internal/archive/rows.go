package archive

import (
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// entityRows is what a data set says about the rows of all four levels.
type entityRows struct {
	patient                            patientRow
	study                              studyRow
	series                             seriesRow
	number                             int64 // of the instance
	patientData, studyData, seriesData []byte
}

type patientRow struct {
	identity, id, issuer, birthDate, sex string
	names                                []string
	words                                []string
}

type studyRow struct {
	date, time, accession, id, description string
	referring                              []string
}

type seriesRow struct {
	modality, description, bodyPart, startDate, startTime string
	number                                                int64
}

// makeRows reads a data set that is filed under a study.
func makeRows(ds *dicom.DataSet, study string) (r entityRows, err error) {
	name := ds.Text(tag.PatientName)
	r.patient = patientRow{
		id:        ds.Text(tag.PatientID),
		issuer:    ds.Text(tag.IssuerOfPatientID),
		birthDate: normalDate(ds.Text(tag.PatientBirthDate)),
		sex:       ds.Text(tag.PatientSex),
		names:     nameGroups(name),
		words:     nameWords(name),
	}
	r.patient.identity = identity(r.patient, study)
	r.study = studyRow{
		date:        normalDate(ds.Text(tag.StudyDate)),
		time:        normalTime(ds.Text(tag.StudyTime)),
		accession:   ds.Text(tag.AccessionNumber),
		id:          ds.Text(tag.StudyID),
		description: ds.Text(tag.StudyDescription),
		referring:   nameGroups(ds.Text(tag.ReferringPhysicianName)),
	}
	r.series = seriesRow{
		modality:    ds.Text(tag.Modality),
		description: ds.Text(tag.SeriesDescription),
		bodyPart:    ds.Text(tag.BodyPartExamined),
		startDate:   normalDate(ds.Text(tag.PerformedProcedureStepStartDate)),
		startTime:   normalTime(ds.Text(tag.PerformedProcedureStepStartTime)),
	}
	r.series.number, _ = ds.Int(tag.SeriesNumber)
	r.number, _ = ds.Int(tag.InstanceNumber)
	if r.patientData, err = subset(ds, patientTags); err != nil {
		return r, err
	}
	if r.studyData, err = subset(ds, patientTags, studyTags); err != nil {
		return r, err
	}
	r.seriesData, err = subset(ds, seriesTags)
	return r, err
}

// identity is what makes two patients the same: ID and issuer. A patient
// without an ID is nobody else's. The backslash cannot stand in an ID.
func identity(p patientRow, study string) string {
	if p.id == "" {
		return `\study\` + study
	}
	return p.issuer + `\` + p.id
}

// normalDate is a DA as YYYYMMDD, also of the old form with dots (PS3.5 6.2);
// empty for what is no date.
func normalDate(s string) string {
	if len(s) == 10 && s[4] == '.' && s[7] == '.' {
		s = s[:4] + s[5:7] + s[8:]
	}
	if len(s) != 8 || !digits(s) {
		return ""
	}
	return s
}

// normalTime is a TM as HHMMSS.FFFFFF, also of the old form with colons
// (PS3.5 6.2); empty for what is no time. What is left out is zero.
func normalTime(s string) string {
	low, _, ok := timeSpan(s)
	if !ok {
		return ""
	}
	return low
}

// timeSpan is the first and the last instant a TM of reduced precision stands
// for, as HHMMSS.FFFFFF.
func timeSpan(s string) (low, high string, ok bool) {
	s = strings.ReplaceAll(s, ":", "")
	whole, fraction, dot := strings.Cut(s, ".")
	if len(whole) < 2 || len(whole) > 6 || len(whole)&1 == 1 || !digits(whole) {
		return "", "", false
	}
	if dot && (len(whole) != 6 || len(fraction) < 1 || len(fraction) > 6 || !digits(fraction)) {
		return "", "", false
	}
	return whole + "000000"[len(whole):] + "." + fraction + "000000"[len(fraction):],
		whole + "235959"[len(whole):] + "." + fraction + "999999"[len(fraction):], true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
