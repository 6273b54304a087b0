package deid

import (
	"collimator/dicom"
	"collimator/dicom/tag"
)

// Attributes is Apply for some attributes of an object, such as an answer to a
// query: there are no pixels and no document to look at, and nothing is written
// about what was done. Pseudonyms and dates agree with those of Apply when ds
// holds PatientID and IssuerOfPatientID, and for a patient without an ID
// PatientName, PatientBirthDate and StudyInstanceUID.
func (d *Deidentifier) Attributes(ds *dicom.DataSet) (*dicom.DataSet, error) {
	if len(d.key) < KeySize {
		return nil, ErrKey
	}
	out := ds.Clone()
	s := &session{Deidentifier: d, report: &Report{}, class: ds.Text(tag.SOPClassUID), who: newIdentity(ds, d.profile)}
	s.patient = s.pseudonym(patientOf(ds))
	s.days = s.shift(ds)
	s.dataSet(out, level{})
	return out, nil
}

// UID is the UID that Apply puts in the place of u.
func (d *Deidentifier) UID(u string) string {
	if d.profile.RetainUIDs {
		return u
	}
	return d.newUID(u)
}

// Retains reports whether the values of a standard attribute stay as they are
// for every object, so that a search for them tells nothing about a patient
// that the answer does not.
func (d *Deidentifier) Retains(t dicom.Tag) bool {
	if t.Private() {
		return false
	}
	s := &session{Deidentifier: d, report: &Report{}}
	action, _ := s.decide(t)
	return action == actK
}

// Refused reports whether Apply fails with a *RefusedError for ds.
func (d *Deidentifier) Refused(ds *dicom.DataSet) bool {
	return len(d.profile.refuses(inspect(ds), ds)) > 0
}
