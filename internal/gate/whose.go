package gate

import (
	"context"
	"fmt"
	"time"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
)

// Study asks the system behind a route, as it is asked for people, for the Patient ID of a study and its
// issuer. fault.NotFound where it has none such.
func (r *Route) Study(ctx context.Context, study string) (patient, issuer string, err error) {
	title, address, err := r.Target()
	if err != nil {
		return "", "", err
	}
	ds, err := Identifier("STUDY", map[tag.Tag]string{tag.StudyInstanceUID: study, tag.PatientID: "", tag.IssuerOfPatientID: ""})
	if err != nil {
		return "", "", err
	}

	ctx, cancel := context.WithTimeout(ctx, studyWait)
	defer cancel()
	a, err := dimse.Dial(ctx, address, dimse.Config{
		CallingAETitle: r.WebTitle(), CalledAETitle: title,
		Contexts: dimse.Propose([]string{uid.StudyRootFind}, uid.NativeSyntaxes()[:2], false),
	})
	if err != nil {
		return "", "", unasked(err, title, address)
	}
	defer a.Abort()
	for m, err := range a.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: ds}) {
		if err != nil {
			return "", "", unasked(err, title, address)
		}
		if m.Identifier.Text(tag.StudyInstanceUID) == study {
			return m.Identifier.Text(tag.PatientID), m.Identifier.Text(tag.IssuerOfPatientID), nil
		}
	}
	return "", "", fault.Newf(fault.NotFound, "%s at %s has nothing under this Study Instance UID", title, address)
}

func unasked(err error, title, address string) error {
	return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("gate: %s at %s could not be asked for the study", title, address))
}

// studyWait is how long a question for one study may take.
const studyWait = 30 * time.Second
