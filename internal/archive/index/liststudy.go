package index

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/db"
)

// Study is a study as a list shows it.
type Study struct {
	UID                      string
	PatientName              PersonName
	PatientID, Issuer        string
	BirthDate, Sex           string // YYYYMMDD
	Date, Time               string // YYYYMMDD, HHMMSS.FFFFFF; empty for none
	Accession, ID            string
	Description              string
	ReferringPhysicianName   string
	Modalities, Sources      []string
	Series, Instances, Bytes int64
	Received, LastReceived   time.Time
	Mark                     Mark

	patient int64
}

// Mark is what people say of a study.
type Mark struct {
	Labels  []string
	Status  string
	Note    string
	Changed time.Time // zero: nothing was said
	Person  string
}

// PersonName is the groups of a person name (PS3.5 6.2.1).
type PersonName struct{ Alphabetic, Ideographic, Phonetic string }

// listed is a study and its place in a list.
type listed struct {
	study Study
	place spot
}

func (o order) scan(scan db.Scan) (r listed, err error) {
	r.place = make(spot, len(o.columns))
	dest := append(r.place.dest(), r.study.dest()...)
	var modalities, sources string
	var received, updated int64
	var data []byte
	dest = append(dest, &modalities, &sources, &r.study.Series, &r.study.Instances, &r.study.Bytes, &received, &updated, &data)
	if err := scan(dest...); err != nil {
		return r, err
	}

	r.place.settle()
	r.study.Modalities, r.study.Sources = SplitValues(modalities), SplitValues(sources)
	r.study.Received, r.study.LastReceived = db.Instant(received), db.Instant(updated)

	return r, r.study.describe(data)
}

func (s *Study) dest() []any {
	return []any{&s.UID, &s.patient, &s.PatientID, &s.Issuer, &s.BirthDate, &s.Sex, &s.Date, &s.Time, &s.Accession, &s.ID, &s.Description}
}

// describe takes over what stands in no column.
func (s *Study) describe(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	ds, err := Decode(data)
	if err != nil {
		return damaged(err)
	}
	s.PatientName = nameOf(ds)
	s.ReferringPhysicianName, _, _ = strings.Cut(ds.Text(tag.ReferringPhysicianName), "=")

	return nil
}

func nameOf(ds *dicom.DataSet) (n PersonName) {
	groups := strings.SplitN(ds.Text(tag.PatientName), "=", 4)
	for i, to := range []*string{&n.Alphabetic, &n.Ideographic, &n.Phonetic} {
		if i < len(groups) {
			*to = groups[i]
		}
	}

	return n
}

// readMarks reads what people say of some studies.
func readMarks(ctx context.Context, tx *db.Tx, list []Study) error {
	if len(list) == 0 {
		return nil
	}
	at := map[string]*Study{}
	uids := make([]string, len(list))
	for i := range list {
		at[list[i].UID] = &list[i]
		uids[i] = list[i].UID
	}
	asked, err := json.Marshal(uids)
	if err != nil {
		return err
	}

	return db.Each(ctx, tx, func(scan db.Scan) error {
		var uid, labels string
		var changed int64
		var m Mark
		if err := scan(&uid, &labels, &m.Status, &m.Note, &changed, &m.Person); err != nil {
			return err
		}
		m.Changed = db.Instant(changed)
		at[uid].Mark = m

		return json.Unmarshal([]byte(labels), &at[uid].Mark.Labels)
	}, `SELECT study, labels, status, note, changed, person FROM study_mark
		WHERE study IN (SELECT value FROM json_each(?1))`, string(asked))
}
