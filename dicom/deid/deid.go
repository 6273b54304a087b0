// Package deid takes the identity out of data sets by the Basic Application
// Level Confidentiality Profile and the options of PS3.15 E. What replaces
// patient IDs, UIDs and dates comes from a project key: the same key gives the
// same pseudonyms for all objects at all times, and without it nothing can be
// linked to the original or to another project.
//
// It changes no pixels. An object that is likely to show its patient in them,
// or that holds a document, is refused unless the Profile says otherwise. Free
// text is cleaned by what is known of the patient and by what looks like an
// identity; no program finds every name, so the options that keep text are a
// choice of whoever releases the data.
package deid

import (
	"errors"
	"fmt"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// KeySize is the fewest bytes of a project key.
const KeySize = 32

// ErrKey is a project key that is too short to protect anything.
var ErrKey = errors.New("deid: the project key is shorter than 32 bytes: make a new one")

// Dates is what becomes of dates and times (PS3.15 E.3.6).
type Dates uint8

const (
	RemoveDates Dates = iota // as the basic profile says
	ShiftDates               // Retain Longitudinal Temporal Information With Modified Dates
	KeepDates                // Retain Longitudinal Temporal Information With Full Dates
)

// Profile is the options of PS3.15 E.3. The zero value is the basic profile.
type Profile struct {
	// Clean Pixel Data (PS3.15 E.3.1) is not done: set, it refuses each image
	// that does not say itself that nothing is burned in.
	CleanPixelData bool
	// Clean Recognizable Visual Features (PS3.15 E.3.2) is not done: set, it
	// refuses each object in which a face may be recognised.
	CleanRecognizableVisualFeatures bool

	CleanGraphics          bool // PS3.15 E.3.3; bitmaps of overlays are removed all the same
	CleanStructuredContent bool // PS3.15 E.3.4
	CleanDescriptors       bool // PS3.15 E.3.5
	Dates                  Dates

	RetainPatientCharacteristics bool // PS3.15 E.3.7
	RetainDeviceIdentity         bool // PS3.15 E.3.8
	RetainInstitutionIdentity    bool // PS3.15 E.3.11
	RetainUIDs                   bool // PS3.15 E.3.9; they lead back to the originals, and many hold the date of the study
	RetainSafePrivate            bool // PS3.15 E.3.10

	// RemoveDocuments puts an empty document in the place of an encapsulated
	// one (PDF, CDA, STL); else the object is refused.
	RemoveDocuments bool
	// InsecureAllowBurnedIn lets objects pass that show their patient in the
	// pixels or are of a kind that usually does. They are flagged, and do not
	// claim that the identity was removed.
	InsecureAllowBurnedIn bool
}

// Deidentifier de-identifies data sets with one key and one profile. It is safe
// for concurrent use.
type Deidentifier struct {
	key     []byte
	profile Profile
	options option
}

// New makes a Deidentifier. The key is secret, random and of KeySize bytes or
// more; Apply fails with ErrKey if it is shorter.
func New(key []byte, p Profile) *Deidentifier {
	return &Deidentifier{key: append([]byte(nil), key...), profile: p, options: p.options()}
}

// options is the columns of the table that p selects.
func (p Profile) options() option {
	var o option
	for _, c := range []struct {
		on bool
		o  option
	}{
		{p.RetainSafePrivate, safePrivate}, {p.RetainUIDs, retainUIDs}, {p.RetainDeviceIdentity, retainDevice},
		{p.RetainInstitutionIdentity, retainInstitution}, {p.RetainPatientCharacteristics, retainCharacteristics},
		{p.Dates == KeepDates, fullDates}, {p.Dates == ShiftDates, modifiedDates}, {p.CleanDescriptors, cleanDescriptors},
		{p.CleanStructuredContent, cleanStructured}, {p.CleanGraphics, cleanGraphics},
	} {
		if c.on {
			o |= c.o
		}
	}
	return o
}

// Apply gives a copy of ds without the identity of its patient, at all levels.
// Large values are shared with ds and stay where they are. It fails with a
// *RefusedError where the profile does not let the object pass; the report says
// what was found then as well. Neither quotes values.
func (d *Deidentifier) Apply(ds *dicom.DataSet) (*dicom.DataSet, Report, error) {
	if len(d.key) < KeySize {
		return nil, Report{}, ErrKey
	}

	report := Report{Flags: inspect(ds)}
	if refused := d.profile.refuses(report.Flags, ds); len(refused) > 0 {
		return nil, report, &RefusedError{Flags: refused}
	}

	out := ds.Clone()
	s := &session{Deidentifier: d, report: &report, class: ds.Text(tag.SOPClassUID), who: newIdentity(ds, d.profile)}
	s.patient = s.pseudonym(patientOf(ds))
	s.days = s.shift(ds)
	s.dataSet(out, level{})

	if err := s.finish(out); err != nil {
		return nil, report, fmt.Errorf("deid: writing what was done into the data set: %w", err)
	}
	return out, report, nil
}

// ApplyFile is Apply for a Part 10 file: the preamble is cleared and the meta
// information made anew (PS3.10 7.1). The caller names itself as the writer.
func (d *Deidentifier) ApplyFile(f *dicom.File, implementationClassUID string) (*dicom.File, Report, error) {
	ds, report, err := d.Apply(f.DataSet)
	if err != nil {
		return nil, report, err
	}

	out := &dicom.File{DataSet: ds, Meta: dicom.NewDataSet(), TransferSyntax: f.TransferSyntax, HasPreamble: true}
	out.Meta.Set(dicom.NewElement(tag.FileMetaInformationGroupLength, dicom.UL, make([]byte, 4)))
	out.Meta.Set(dicom.NewElement(tag.FileMetaInformationVersion, dicom.OB, []byte{0, 1}))

	for t, v := range map[dicom.Tag]string{
		tag.MediaStorageSOPClassUID: ds.Text(tag.SOPClassUID), tag.MediaStorageSOPInstanceUID: ds.Text(tag.SOPInstanceUID),
		tag.TransferSyntaxUID: f.TransferSyntax, tag.ImplementationClassUID: implementationClassUID,
	} {
		if v != "" {
			out.Meta.Set(dicom.NewElement(t, dicom.UI, []byte(v)))
		}
	}
	return out, report, nil
}
