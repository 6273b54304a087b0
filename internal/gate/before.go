package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/upstream"
)

// Bounds of what the system behind says it has of one study.
const (
	instancesMost = 200_000
	seriesMost    = 10_000
	keptMatch     = 64 // bytes that a match takes in memory besides its values
)

var errStudy = fault.Newf(fault.TooLarge, "gate: the system behind has more than %d series or %d instances of one study", seriesMost, instancesMost)

// before is what the system behind has of the study of an object; false where it does not
// answer queries.
func (g *Gate) before(ctx context.Context, from sender, o *object) (has firstwrite.Before, ok bool, err error) {
	lease, err := g.leaseOwn(ctx, from, upstream.Ask{Contexts: dimse.Propose([]string{uid.StudyRootFind}, uid.NativeSyntaxes()[:2], false)})
	if err != nil {
		return has, false, undecided(err)
	}

	has, err = askStudy(ctx, lease, o)
	lease.Finish(err)
	if err != nil {
		return firstwrite.Before{}, false, undecided(err)
	}
	return has, true, nil
}

// undecided is nil for the error of a system that has no such service, or does not understand
// the question, and so will never say what it has. Whatever else fails may do so for a moment, and by
// somebody's doing: what the system has it would overwrite meanwhile.
func undecided(err error) error {
	if answer, refused := errors.AsType[*dimse.StatusError](err); refused && !noService(answer.Status.Code) {
		text := "gate: asked what it has of the study, the system behind answers %s; nothing of that goes through until it says so"
		return fault.Wrap(fault.Unavailable, err, fmt.Sprintf(text, answer.Status.Code))
	}
	if answer, rejected := errors.AsType[*dimse.RejectError](err); rejected && answer.Result == ul.RejectedTransient {
		return err
	}
	return unanswered(err)
}

// noService reports a status that says that nobody answers such questions (PS3.4 C.4.1.1.4).
func noService(code dimse.StatusCode) bool {
	return code == dimse.SOPClassNotSupported || code == dimse.NoSuchSOPClass || code == dimse.UnrecognizedOperation || code>>8 == 0xA9
}

// unanswered is nil for the error of a system that is there and does not answer
// queries. One that ends the association may have broken down, or lets this title do
// nothing of the kind: nobody knows what it has.
func unanswered(err error) error {
	_, refused := errors.AsType[*dimse.StatusError](err)
	_, rejected := errors.AsType[*dimse.RejectError](err)
	if refused || rejected || errors.Is(err, dimse.ErrNoContext) {
		return nil
	}
	if _, aborted := errors.AsType[*dimse.AbortError](err); aborted {
		return fault.Wrap(fault.Unavailable, err, "gate: the system behind ends the association over the question what it has; "+
			"it has to let this AE title query and retrieve, or 'as' of the route names one that may")
	}
	return err
}

// askStudy asks level by level: not everybody answers relational queries
// (PS3.4 C.4.1.2.2.1). Of an object without a study only the object itself is asked for: a query
// without a study would ask for all there is.
func askStudy(ctx context.Context, lease *upstream.Lease, o *object) (has firstwrite.Before, err error) {
	study := o.StudyUID
	if study == "" {
		has.UIDs, err = uidsAt(ctx, lease, instancesMost, "IMAGE", tag.SOPInstanceUID, map[tag.Tag]string{
			tag.StudyInstanceUID: "", tag.SeriesInstanceUID: "", tag.SOPInstanceUID: o.request.SOPInstanceUID,
		})
		return has, err
	}

	there := false
	keys := map[tag.Tag]string{tag.StudyInstanceUID: study, tag.PatientID: "", tag.IssuerOfPatientID: "", tag.PatientName: ""}
	err = matchesAt(ctx, lease, seriesMost, "STUDY", keys, func(match *dicom.DataSet) error {
		there = true
		if p := patientOf(match); len(has.Patients) == 0 && (p.ID != "" || p.Name != "") {
			has.Patients = append(has.Patients, p)
		}
		return nil
	})
	if err != nil || !there {
		return has, err
	}

	has.Series, err = uidsAt(ctx, lease, seriesMost, "SERIES", tag.SeriesInstanceUID, map[tag.Tag]string{
		tag.StudyInstanceUID: study, tag.SeriesInstanceUID: "",
	})
	if err != nil {
		return has, err
	}
	for _, one := range has.Series {
		images, err := uidsAt(ctx, lease, instancesMost-len(has.UIDs), "IMAGE", tag.SOPInstanceUID, map[tag.Tag]string{
			tag.StudyInstanceUID: study, tag.SeriesInstanceUID: one, tag.SOPInstanceUID: "",
		})
		if err != nil {
			return has, err
		}
		has.UIDs = append(has.UIDs, images...)
	}
	return has, nil
}

// uidsAt gives the values of a unique key, as many as may be. They are kept out of the
// account of the request.
func uidsAt(
	ctx context.Context, lease *upstream.Lease, most int, level string, of tag.Tag, keys map[tag.Tag]string,
) (values []string, err error) {
	err = matchesAt(ctx, lease, most, level, keys, func(match *dicom.DataSet) error {
		value := match.Text(of)
		if uid.Tolerable(value) {
			values = append(values, value)
		}
		return budget.From(ctx).Grow(int64(len(value)) + keptMatch)
	})
	return values, err
}

// matchesAt asks the system behind about a level; an error of found ends it.
func matchesAt(
	ctx context.Context, lease *upstream.Lease, most int, level string, keys map[tag.Tag]string, found func(*dicom.DataSet) error,
) error {
	identifier, err := Identifier(level, keys)
	if err != nil {
		return err
	}

	came := 0
	for m, err := range lease.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: identifier}) {
		if err != nil {
			return err
		}
		if came++; came > most {
			return errStudy
		}
		if err := found(m.Identifier); err != nil {
			return err
		}
	}
	return nil
}

// nameMost is how much of a name says whose something is, in bytes: three groups of five components
// of 64 characters.
const nameMost = 2048

// patientOf is whose a data set is. Of several values readers take either, or all as one: they are one
// here, and that of none of them.
func patientOf(ds *dicom.DataSet) firstwrite.Patient {
	all := func(t tag.Tag) string { return strings.Join(ds.Values(t), `\`) }
	name := ds.Text(tag.PatientName)
	return firstwrite.Patient{ID: all(tag.PatientID), Issuer: all(tag.IssuerOfPatientID), Name: name[:min(len(name), nameMost)]}
}
