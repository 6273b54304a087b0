package index

import (
	"crypto/sha256"
	"fmt"
	"math"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// Description is what one data set says of its patient, study and series, and
// of its own number. Make it with Describe. The data set must not be changed
// while the description is in use.
type Description struct {
	ds            *dicom.DataSet
	accepted      bool
	study, series layer
	columns       columns
	number        int64
}

// layer is what a data set says of one level.
type layer struct {
	data     []byte // attributes, Explicit VR Little Endian
	digest   []byte // of the attributes and of all above them
	present  int    // attributes with a value
	when     string // of a study; empty for the other levels
	accepted bool
}

// noNumber stands for a missing Series Number or Instance Number: it sorts in
// front of all others and equals none that can be asked for.
const noNumber = math.MinInt64 / 2

// Describe reads a data set. accepted says that the instance was let in by
// somebody's decision, as one released from quarantine: what it says ranks
// behind what came in by itself.
func Describe(ds *dicom.DataSet, ref Ref, accepted bool) (*Description, error) {
	d := &Description{ds: ds, accepted: accepted, columns: readColumns(ds), number: noNumber}
	if n, ok := ds.Int(tag.InstanceNumber); ok {
		d.number = n
	}

	study, present, err := subset(ds, patientTags, studyTags)
	if err != nil {
		return nil, err
	}
	d.study = d.layer(study, present, nil)
	d.study.when = orLast(d.columns.study.date) + orLast(d.columns.study.time)

	series, present, err := subset(ds, seriesTags)
	if err != nil {
		return nil, err
	}
	d.series = d.layer(series, present, append([]byte(ref.SOPClassUID), d.study.digest...))

	return d, nil
}

// patient is the layer of the patient. It is asked for only where the study's
// is new.
func (d *Description) patient() (layer, error) {
	data, present, err := subset(d.ds, patientTags)

	return d.layer(data, present, nil), err
}

// layer digests what is said of a level together with what stands above it.
func (d *Description) layer(data []byte, present int, above []byte) layer {
	all := make([]byte, 0, 2+len(above)+len(data))
	all = append(all, 'n', byte(len(above)))
	if d.accepted {
		all[0] = 'a'
	}
	all = append(all, above...)
	all = append(all, data...)
	sum := sha256.Sum256(all)

	return layer{data: data, digest: sum[:16], present: present, accepted: d.accepted}
}

// rank is the place of a layer among those of one row, by its content alone:
// what was let in by decision last, the most complete first, then the earliest,
// then by digest.
func (l *layer) rank() string {
	return fmt.Sprintf("%d %03d %s %x", flag(l.accepted), 999-min(l.present, 999), l.when, l.digest)
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
