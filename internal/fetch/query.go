package fetch

import (
	"context"
	"fmt"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/fault"
	"collimator/internal/sender"
)

// Query is a C-FIND of somebody at a command line.
type Query struct {
	Level      string   // patient, study, series or image
	Keys       []string // Keyword=value; Keyword alone asks for its value
	Patient    bool     // in the patient root instead of the study root
	Limit      int      // matches after which it stops; 0 for none
	Relational bool     // asks for relational queries, which the peer has to grant
	Fuzzy      bool     // and for fuzzy matching of names
}

// Run asks the peer and gives each match to yield, whose error ends it.
func (q Query) Run(ctx context.Context, p *sender.Peer, keys *dicom.DataSet, yield func(*dicom.DataSet) error) error {
	model := uid.StudyRootFind
	if q.Patient {
		model = uid.PatientRootFind
	}

	a, err := p.Dial(ctx, dimse.Propose([]string{model}, sender.NativeSyntaxes(), false), func(cfg *dimse.Config) {
		opts := dimse.QueryOptions{Relational: q.Relational, FuzzyMatching: q.Fuzzy}
		if q.Relational || q.Fuzzy {
			cfg.Extended = []ul.ExtendedNegotiation{{SOPClassUID: model, Info: opts.Bytes(3)}}
		}
	})
	if err != nil {
		return err
	}

	if granted := a.QueryOptions(model); q.Relational && !granted.Relational || q.Fuzzy && !granted.FuzzyMatching {
		a.Abort()
		return fmt.Errorf("%s does not grant the relational or fuzzy queries that were asked for", p.Address)
	}

	n := 0
	for m, err := range a.Find(ctx, dimse.FindRequest{SOPClassUID: model, Identifier: keys}) {
		if err != nil {
			a.Abort()
			return p.Explain(err)
		}
		if err := yield(m.Identifier); err != nil {
			a.Abort()
			return err
		}
		n++
		if n == q.Limit {
			break
		}
	}
	return p.Explain(a.Release(ctx))
}

// returned are the keys asked for when none is named, by level.
func returned(level string) []dicom.Tag {
	switch level {
	case "patient":
		return []dicom.Tag{tag.PatientID, tag.PatientName, tag.PatientBirthDate, tag.PatientSex}
	case "series":
		return []dicom.Tag{
			tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.Modality, tag.SeriesNumber, tag.SeriesDescription,
			tag.NumberOfSeriesRelatedInstances,
		}
	case "image":
		return []dicom.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID, tag.SOPClassUID, tag.InstanceNumber}
	}

	return []dicom.Tag{
		tag.StudyDate, tag.PatientID, tag.PatientName, tag.ModalitiesInStudy, tag.StudyDescription,
		tag.NumberOfStudyRelatedInstances, tag.StudyInstanceUID,
	}
}

// Identifier makes the identifier of C-FIND (PS3.4 C.4.1.1.3): the usual keys of the
// level and those that are named. A name that is not a data element ends as fault.Misused.
func (q Query) Identifier() (*dicom.DataSet, error) {
	ds := dicom.NewDataSet()
	if err := ds.SetCharacterSet("ISO_IR 192"); err != nil {
		return nil, err
	}
	if err := ds.SetText(tag.QueryRetrieveLevel, strings.ToUpper(q.Level)); err != nil {
		return nil, err
	}

	for _, t := range returned(q.Level) {
		if err := ds.SetText(t); err != nil {
			return nil, err
		}
	}

	for _, k := range q.Keys {
		name, value, _ := strings.Cut(k, "=")
		t, err := tag.Parse(name)
		if err != nil {
			return nil, fault.Usage("key %q: no such element; write a keyword of PS3.6 or eight hex digits", name)
		}

		values := []string{}
		if value != "" {
			values = strings.Split(value, `\`)
		}
		if err := ds.SetText(t, values...); err != nil {
			return nil, fault.Usage("key %s: the value does not fit its VR", t.Keyword())
		}
	}
	return ds, nil
}
