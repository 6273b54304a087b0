package index

import (
	"crypto/sha256"
	"fmt"
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Description is what one data set says of its patient, study and series, and
// of its own number. Make it with Describe.
type Description struct {
	patient, study, series layer
	columns                columns
	number                 int64
}

// layer is what a data set says of one level.
type layer struct {
	data   []byte // attributes, Explicit VR Little Endian
	digest []byte // of the attributes and of all above them
	rank   string // its place among the descriptions of one row
}

// noNumber stands for a missing Series Number or Instance Number: it sorts in
// front of all others and equals none that can be asked for.
const noNumber = math.MinInt64 / 2

// Describe reads a data set. accepted says that the instance was let in by
// somebody's decision, as one released from quarantine: what it says ranks
// behind what came in by itself.
func Describe(ds *dicom.DataSet, ref Ref, accepted bool) (*Description, error) {
	d := &Description{columns: readColumns(ds), number: noNumber}
	if n, ok := ds.Int(tag.InstanceNumber); ok {
		d.number = n
	}

	mark := fmt.Sprintf("accepted %t\x00", accepted)
	patient, present, err := subset(ds, patientTags)
	if err != nil {
		return nil, err
	}
	d.patient = newLayer(patient, accepted, present, "", mark)

	study, present, err := subset(ds, patientTags, studyTags)
	if err != nil {
		return nil, err
	}
	when := orLast(d.columns.study.date) + orLast(d.columns.study.time)
	d.study = newLayer(study, accepted, present, when, mark)

	series, present, err := subset(ds, seriesTags)
	if err != nil {
		return nil, err
	}
	d.series = newLayer(series, accepted, present, "", ref.SOPClassUID+"\x00"+string(d.study.digest))

	return d, nil
}

// newLayer ranks by content alone: what was let in by decision last, the most
// complete first, then the earliest, then by digest.
func newLayer(data []byte, accepted bool, present int, when, mark string) layer {
	h := sha256.New()
	h.Write([]byte(mark))
	h.Write(data)
	digest := h.Sum(nil)[:16]

	late := 0
	if accepted {
		late = 1
	}

	return layer{data: data, digest: digest, rank: fmt.Sprintf("%d %03d %s %x", late, 999-min(present, 999), when, digest)}
}

// orLast puts what is missing behind everything else.
func orLast(s string) string {
	if s == "" {
		return "~"
	}

	return s
}

// columns are the attributes that are searched and sorted by.
type columns struct {
	patient patientColumns
	study   studyColumns
	series  seriesColumns
}

type patientColumns struct {
	id, issuer, birthDate, sex string
	names, words               []string
}

type studyColumns struct {
	date, time, accession, id, description string
	referring                              []string
}

type seriesColumns struct {
	modality, description, bodyPart, startDate, startTime string
	number                                                int64
}

// readColumns reads a whole data set, or the attributes of one level: then the
// columns of the others are empty.
func readColumns(ds *dicom.DataSet) columns {
	name := ds.Text(tag.PatientName)
	c := columns{
		patient: patientColumns{
			id:        ds.Text(tag.PatientID),
			issuer:    ds.Text(tag.IssuerOfPatientID),
			birthDate: NormalDate(ds.Text(tag.PatientBirthDate)),
			sex:       ds.Text(tag.PatientSex),
			names:     NameGroups(name),
			words:     NameWords(name),
		},
		study: studyColumns{
			date:        NormalDate(ds.Text(tag.StudyDate)),
			time:        normalTime(ds.Text(tag.StudyTime)),
			accession:   ds.Text(tag.AccessionNumber),
			id:          ds.Text(tag.StudyID),
			description: ds.Text(tag.StudyDescription),
			referring:   NameGroups(ds.Text(tag.ReferringPhysicianName)),
		},
		series: seriesColumns{
			modality:    ds.Text(tag.Modality),
			description: ds.Text(tag.SeriesDescription),
			bodyPart:    ds.Text(tag.BodyPartExamined),
			startDate:   NormalDate(ds.Text(tag.PerformedProcedureStepStartDate)),
			startTime:   normalTime(ds.Text(tag.PerformedProcedureStepStartTime)),
			number:      noNumber,
		},
	}
	if n, ok := ds.Int(tag.SeriesNumber); ok {
		c.series.number = n
	}

	return c
}

// identity is what makes two patients the same: ID and issuer. A patient
// without an ID is nobody else's. The backslash cannot stand in an ID.
func (p *patientColumns) identity(studyUID string) string {
	if p.id == "" {
		return `\study\` + studyUID
	}

	return p.issuer + `\` + p.id
}

// same reports whether two descriptions mean one patient: by ID, and by issuer
// where both name one. Without an ID the names decide, where both have one.
func (p *patientColumns) same(o *patientColumns) bool {
	if p.id != o.id || p.issuer != "" && o.issuer != "" && p.issuer != o.issuer {
		return false
	}
	if p.id != "" || len(p.names) == 0 || len(o.names) == 0 {
		return true
	}

	return shareOne(p.names, o.names)
}
