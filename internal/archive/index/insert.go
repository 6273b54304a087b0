package index

import (
	"context"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Reason is why an instance was not taken in.
type Reason string

// The reasons that the index finds.
const (
	DifferentContent Reason = "different-content" // another content is stored under the SOP Instance UID
	OtherPatient     Reason = "other-patient"     // the study belongs to another patient
	OtherStudy       Reason = "other-study"       // the series belongs to another study
)

// Entry is an instance to be inserted.
type Entry struct {
	Ref         Ref
	Source      Source
	Received    time.Time
	Description *Description
	Header      []byte // stored form of the header; nil for none
	// Accepted: somebody decided to let it in, so another patient does not stand in the way.
	// It must be made with Describe's accepted too.
	Accepted bool
	// InLedger: the ledger says that it was stored, so it contradicts nothing. What
	// was decided then may have rested on instances that are gone now.
	InLedger bool
	// CharacterSet is the terms that were assumed, joined by backslashes, because
	// the data set declares none.
	CharacterSet string
}

// Outcome says what became of an entry. Where neither Duplicate nor a Conflict
// is set, it was inserted.
type Outcome struct {
	Duplicate bool   // the same file is stored under the UID
	Conflict  Reason // empty for none
	Stored    Ref    // what is stored under the UID, for a duplicate and for DifferentContent
}

// Insert writes the rows of an instance, or finds the duplicate or the conflict
// and changes nothing.
func Insert(ctx context.Context, tx *db.Tx, e *Entry) (Outcome, error) {
	stored, err := Find(ctx, tx, e.Ref.SOPInstanceUID)
	if err == nil && stored.Digest == e.Ref.Digest {
		return Outcome{Duplicate: true, Stored: stored}, nil
	}
	if err == nil {
		return Outcome{Conflict: DifferentContent, Stored: stored}, nil
	}
	if fault.Of(err) != fault.NotFound {
		return Outcome{}, err
	}

	p, conflict, err := place(ctx, tx, e)
	if err != nil || conflict != "" {
		return Outcome{Conflict: conflict}, err
	}

	if p.study == 0 {
		if err := insertStudy(ctx, tx, e, &p); err != nil {
			return Outcome{}, err
		}
	}
	newSeries := 0
	if p.series == 0 {
		newSeries = 1
		if err := insertSeries(ctx, tx, e, &p); err != nil {
			return Outcome{}, err
		}
	}

	description, err := refer(ctx, tx, e.Ref.SOPClassUID, e.Description, &p)
	if err != nil {
		return Outcome{}, err
	}
	if err := insertInstance(ctx, tx, e, p.series, description); err != nil {
		return Outcome{}, err
	}

	return Outcome{}, countIn(ctx, tx, e, p, newSeries)
}

// placed is where an instance belongs; a zero is a row there is not yet.
type placed struct {
	patient, study, series int64
	studyUID               string
}

// place finds the study and the series of an instance, and what contradicts
// it: a study has one patient, and a series one study (PS3.3 A.1.2).
func place(ctx context.Context, tx *db.Tx, e *Entry) (p placed, conflict Reason, err error) {
	p.studyUID = e.Ref.StudyUID
	var studyUID string
	err = tx.QueryRow(ctx, `SELECT se.id, st.uid FROM series se JOIN study st ON st.id = se.study WHERE se.uid = ?1`,
		e.Ref.SeriesUID).Scan(&p.series, &studyUID)
	if err != nil && fault.Of(err) != fault.NotFound {
		return p, "", err
	}
	if err == nil && studyUID != e.Ref.StudyUID {
		return p, OtherStudy, nil
	}

	var have patientColumns
	err = tx.QueryRow(ctx, `SELECT id, patient, patient_id, issuer FROM study WHERE uid = ?1`, e.Ref.StudyUID).
		Scan(&p.study, &p.patient, &have.id, &have.issuer)
	if fault.Of(err) == fault.NotFound {
		return p, "", nil
	}
	if err != nil || e.Accepted || e.InLedger {
		return p, "", err
	}

	// The names are asked for only where the study has no Patient ID.
	if have.id == "" {
		if have.names, err = values(ctx, tx, p.study, "name"); err != nil {
			return p, "", err
		}
	}
	if !have.same(&e.Description.columns.patient) {
		return p, OtherPatient, nil
	}

	return p, "", nil
}

// insertStudy makes the row of a study and, where there is none, that of its
// patient. Their columns are merged once the description is there.
func insertStudy(ctx context.Context, tx *db.Tx, e *Entry, p *placed) (err error) {
	c := &e.Description.columns.patient
	if p.patient, err = patientOf(ctx, tx, c, c.identity(p.studyUID)); err != nil {
		return err
	}

	err = tx.QueryRow(ctx, `INSERT INTO study (uid, patient, patient_id, issuer, birth_date, sex, study_date, study_time,
		accession, study_id, description, received, updated)
		VALUES (?1, ?2, ?3, ?4, '', '', '', '', '', '', '', ?5, ?5) RETURNING id`,
		p.studyUID, p.patient, c.id, c.issuer, db.Millis(e.Received)).Scan(&p.study)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE patient SET studies = studies + 1 WHERE id = ?1`, p.patient)

	return err
}

// patientOf finds or makes the row of a patient.
func patientOf(ctx context.Context, tx *db.Tx, c *patientColumns, identity string) (id int64, err error) {
	err = tx.QueryRow(ctx, `SELECT id FROM patient WHERE identity = ?1`, identity).Scan(&id)
	if fault.Of(err) != fault.NotFound {
		return id, err
	}

	err = tx.QueryRow(ctx, `INSERT INTO patient (identity, patient_id, issuer, birth_date, sex)
		VALUES (?1, ?2, ?3, '', '') RETURNING id`, identity, c.id, c.issuer).Scan(&id)

	return id, err
}

func insertSeries(ctx context.Context, tx *db.Tx, e *Entry, p *placed) error {
	return tx.QueryRow(ctx, `INSERT INTO series (uid, study, modality, number, description, body_part, start_date, start_time, updated)
		VALUES (?1, ?2, '', ?3, '', '', '', '', ?4) RETURNING id`,
		e.Ref.SeriesUID, p.study, noNumber, db.Millis(e.Received)).Scan(&p.series)
}

func insertInstance(ctx context.Context, tx *db.Tx, e *Entry, series, description int64) error {
	var row int64
	s := &e.Source
	err := tx.QueryRow(ctx, `INSERT INTO instance (uid, series, description, sop_class, number, transfer_syntax, digest, size, data_offset,
		received, source_ae, source_address, principal, implementation, accepted, character_set)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) RETURNING id`,
		e.Ref.SOPInstanceUID, series, description, e.Ref.SOPClassUID, e.Description.number, e.Ref.TransferSyntaxUID,
		e.Ref.Digest, e.Ref.Size, e.Ref.DataSetOffset,
		db.Millis(e.Received), s.AETitle, s.Address, s.Principal, s.Implementation(),
		flag(e.Accepted), e.CharacterSet).Scan(&row)
	if err != nil || e.Header == nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO instance_data (id, data) VALUES (?1, ?2)`, row, e.Header)

	return err
}

// flag is how a column holds a truth.
func flag(b bool) int {
	if b {
		return 1
	}

	return 0
}

// countIn keeps the counts and times of the rows above up to date.
func countIn(ctx context.Context, tx *db.Tx, e *Entry, p placed, newSeries int) error {
	at := db.Millis(e.Received)
	_, err := tx.Exec(ctx, `UPDATE series SET instances = instances + 1, updated = MAX(updated, ?2) WHERE id = ?1`, p.series, at)
	if err != nil {
		return err
	}

	var sources string
	err = tx.QueryRow(ctx, `UPDATE study SET instances = instances + 1, series = series + ?2, size = size + ?3,
		received = MIN(received, ?4), updated = MAX(updated, ?4) WHERE id = ?1 RETURNING sources`,
		p.study, newSeries, e.Ref.Size, at).Scan(&sources)
	if err != nil {
		return err
	}
	if err := addSource(ctx, tx, p.study, sources, e.Source.Name()); err != nil {
		return err
	}

	_, err = tx.Exec(ctx, `UPDATE patient SET instances = instances + 1, series = series + ?2 WHERE id = ?1`, p.patient, newSeries)

	return err
}
