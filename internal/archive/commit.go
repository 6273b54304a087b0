package archive

import (
	"context"
	"errors"
	"slices"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// commit writes the rows of an instance and returns when they are durable, or
// with p.err. Whoever finds the lock free takes everybody's rows along in one
// transaction: the more associations store at a time, the fewer flushes each.
func (a *Archive) commit(ctx context.Context, p *pending) {
	a.queueMu.Lock()
	a.queue = append(a.queue, p)
	a.queueMu.Unlock()

	a.commitMu.Lock()
	defer a.commitMu.Unlock()
	if p.done {
		return
	}
	a.queueMu.Lock()
	batch := a.queue
	a.queue = nil
	a.queueMu.Unlock()
	// Whatever happens here, a panic too, nobody in the batch may take silence for success.
	defer func() {
		for _, q := range batch {
			if !q.done {
				q.done, q.err = true, errUndecided
			}
		}
	}()
	// Others wait for this transaction: it does not end with our caller.
	ctx = context.WithoutCancel(ctx)
	err := a.commitBatch(ctx, batch)
	if err != nil && len(batch) > 1 && !fault.Of(err).Temporary() {
		// One of them spoils it. Alone, each gets its own answer.
		for _, q := range batch {
			q.err = a.commitBatch(ctx, []*pending{q})
		}
		err = nil
	}
	for _, q := range batch {
		q.err = errors.Join(q.err, err)
		q.done = true
	}
}

// errUndecided is the answer to those whose transaction somebody else's fault cut off.
var errUndecided = fault.New(fault.Internal, "archive: the transaction was cut off; send again")

func (a *Archive) commitBatch(ctx context.Context, batch []*pending) error {
	return a.o.DB.Write(ctx, func(tx *db.Tx) error {
		for _, p := range batch {
			p.duplicate, p.conflict = false, nil
			if err := a.insert(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// insert writes the rows of one instance, or finds the duplicate or the
// conflict.
func (a *Archive) insert(ctx context.Context, tx *db.Tx, p *pending) error {
	stored, err := findInstance(ctx, tx, p.ref.SOPInstanceUID)
	if err == nil {
		p.stored = stored
		if stored.Digest == p.ref.Digest {
			p.duplicate, p.ref = true, stored
		} else {
			p.conflict = &ConflictError{Reason: DifferentContent}
		}
		return nil
	}
	if fault.Of(err) != fault.NotFound {
		return err
	}
	if err := a.present(ctx, p.ref); err != nil {
		return err
	}
	study, series, conflict, err := place(ctx, tx, p)
	if err != nil || conflict != nil {
		p.conflict = conflict
		return err
	}
	if study.id == 0 {
		if study, err = insertStudy(ctx, tx, p); err != nil {
			return err
		}
	}
	newSeries := int64(0)
	if series == 0 {
		newSeries = 1
		if series, err = insertSeries(ctx, tx, p, study.id); err != nil {
			return err
		}
	}
	if err := insertInstance(ctx, tx, p, series); err != nil {
		return err
	}
	if err := count(ctx, tx, p, study, series, newSeries); err != nil || p.row != 0 {
		return err
	}
	return a.record(ctx, tx, Event{Kind: Stored, Instance: p.ref, Source: p.source, Time: p.time})
}

const selectInstance = `SELECT i.uid, i.sop_class, st.uid, se.uid, i.transfer_syntax, i.digest, i.size, i.data_offset
	FROM instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study`

func scanInstance(scan func(...any) error, more ...any) (r InstanceRef, err error) {
	err = scan(append([]any{&r.SOPInstanceUID, &r.SOPClassUID, &r.StudyUID, &r.SeriesUID, &r.TransferSyntaxUID,
		&r.Digest, &r.Size, &r.DataSetOffset}, more...)...)
	return r, err
}

func findInstance(ctx context.Context, tx *db.Tx, uid string) (InstanceRef, error) {
	return scanInstance(tx.QueryRow(ctx, selectInstance+` WHERE i.uid = ?1`, uid).Scan)
}

type studyKey struct {
	id, patient int64
	date        string
	modalities  string
	sopClasses  string
}

// place finds the study and the series an instance belongs to, zero where
// there is none yet, and what contradicts it: a study has one patient, and a
// series one study (PS3.3 A.1.2).
func place(ctx context.Context, tx *db.Tx, p *pending) (study studyKey, series int64, _ *ConflictError, err error) {
	var uid string
	err = tx.QueryRow(ctx, `SELECT se.id, st.uid FROM series se JOIN study st ON st.id = se.study WHERE se.uid = ?1`,
		p.ref.SeriesUID).Scan(&series, &uid)
	switch {
	case fault.Of(err) == fault.NotFound:
	case err != nil:
		return study, 0, nil, err
	case uid != p.ref.StudyUID:
		return study, 0, &ConflictError{Reason: OtherStudy}, nil
	}
	var have patientRow
	err = tx.QueryRow(ctx, `SELECT id, patient, study_date, modalities, sop_classes, patient_id, issuer FROM study WHERE uid = ?1`, p.ref.StudyUID).
		Scan(&study.id, &study.patient, &study.date, &study.modalities, &study.sopClasses, &have.id, &have.issuer)
	if fault.Of(err) == fault.NotFound {
		return studyKey{}, 0, nil, nil
	}
	if err != nil || p.accept {
		return study, series, nil, err
	}
	same, err := samePatient(ctx, tx, study.id, have, p.rows.patient)
	if err == nil && !same {
		return study, series, &ConflictError{Reason: OtherPatient}, nil
	}
	return study, series, nil, err
}

// samePatient compares a study's patient with that of an instance: by ID, and
// by issuer where both name one. Without an ID the names have to agree.
func samePatient(ctx context.Context, tx *db.Tx, study int64, have, got patientRow) (bool, error) {
	if have.id != got.id || have.issuer != "" && got.issuer != "" && have.issuer != got.issuer {
		return false, nil
	}
	if have.id != "" {
		return true, nil
	}
	rows, err := tx.Query(ctx, `SELECT value FROM study_value WHERE study = ?1 AND kind = 'name'`, study)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return false, err
		}
		names = append(names, s)
	}
	slices.Sort(names)
	want := slices.Compact(slices.Sorted(slices.Values(got.names)))
	return slices.Equal(names, want), rows.Err()
}

func insertStudy(ctx context.Context, tx *db.Tx, p *pending) (studyKey, error) {
	patient, err := insertPatient(ctx, tx, p)
	if err != nil {
		return studyKey{}, err
	}
	key := studyKey{patient: patient, date: p.rows.study.date}
	r, s, now := &p.rows.patient, &p.rows.study, p.time.UnixMicro()
	err = tx.QueryRow(ctx, `INSERT INTO study (uid, patient, patient_id, issuer, birth_date, sex, study_date, study_time,
		accession, study_id, description, received, updated)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12) RETURNING id`,
		p.ref.StudyUID, patient, r.id, r.issuer, r.birthDate, r.sex, s.date, s.time, s.accession, s.id, s.description, now).Scan(&key.id)
	if err != nil {
		return key, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO study_data (id, data) VALUES (?1, ?2)`, key.id, p.rows.studyData); err != nil {
		return key, err
	}
	for _, v := range []struct {
		kind   string
		values []string
	}{{"name", r.names}, {"word", r.words}, {"referring", s.referring}} {
		for _, value := range v.values {
			if _, err := insertStudyValue(ctx, tx, v.kind, value, key); err != nil {
				return key, err
			}
		}
	}
	_, err = tx.Exec(ctx, `UPDATE patient SET studies = studies + 1 WHERE id = ?1`, patient)
	return key, err
}

// insertStudyValue says whether the value is new.
func insertStudyValue(ctx context.Context, tx *db.Tx, kind, value string, s studyKey) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO study_value (kind, value, study_date, study) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`,
		kind, value, s.date, s.id)
	return n > 0, err
}

func insertPatient(ctx context.Context, tx *db.Tx, p *pending) (id int64, err error) {
	r := &p.rows.patient
	err = tx.QueryRow(ctx, `SELECT id FROM patient WHERE identity = ?1`, r.identity).Scan(&id)
	if fault.Of(err) != fault.NotFound {
		return id, err
	}
	err = tx.QueryRow(ctx, `INSERT INTO patient (identity, patient_id, issuer, birth_date, sex) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id`,
		r.identity, r.id, r.issuer, r.birthDate, r.sex).Scan(&id)
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO patient_data (id, data) VALUES (?1, ?2)`, id, p.rows.patientData); err != nil {
		return 0, err
	}
	return id, insertPatientValues(ctx, tx, id, r)
}

func insertPatientValues(ctx context.Context, tx *db.Tx, id int64, r *patientRow) error {
	for _, v := range []struct {
		kind   string
		values []string
	}{{"name", r.names}, {"word", r.words}} {
		for _, value := range v.values {
			if _, err := tx.Exec(ctx, `INSERT INTO patient_value (kind, value, patient) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
				v.kind, value, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func insertSeries(ctx context.Context, tx *db.Tx, p *pending, study int64) (id int64, err error) {
	s := &p.rows.series
	err = tx.QueryRow(ctx, `INSERT INTO series (uid, study, modality, number, description, body_part, start_date, start_time, updated)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id`,
		p.ref.SeriesUID, study, s.modality, s.number, s.description, s.bodyPart, s.startDate, s.startTime, p.time.UnixMicro()).Scan(&id)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO series_data (id, data) VALUES (?1, ?2)`, id, p.rows.seriesData)
	return id, err
}

func insertInstance(ctx context.Context, tx *db.Tx, p *pending, series int64) error {
	id := any(p.row)
	if p.row == 0 {
		id = nil // the database numbers it
	}
	var row int64
	s := &p.source
	err := tx.QueryRow(ctx, `INSERT INTO instance (id, uid, series, sop_class, number, transfer_syntax, digest, size, data_offset,
		received, source_ae, source_address, principal, implementation)
		VALUES (?14, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id`,
		p.ref.SOPInstanceUID, series, p.ref.SOPClassUID, p.rows.number, p.ref.TransferSyntaxUID, p.ref.Digest, p.ref.Size,
		p.ref.DataSetOffset, p.time.UnixMicro(), s.AETitle, s.Address, s.Principal, s.implementation(), id).Scan(&row)
	if err != nil {
		return err
	}
	if p.header == nil {
		return nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO instance_data (id, data) VALUES (?1, ?2)`, row, p.header)
	return err
}

func (s *Source) implementation() string {
	if s.ImplementationUID == "" && s.ImplementationVersion == "" {
		return ""
	}
	return s.ImplementationUID + `\` + s.ImplementationVersion
}

// count keeps the denormalised columns of the rows above up to date.
func count(ctx context.Context, tx *db.Tx, p *pending, study studyKey, series, newSeries int64) error {
	now := p.time.UnixMicro()
	if _, err := tx.Exec(ctx, `UPDATE series SET instances = instances + 1, updated = ?2 WHERE id = ?1`, series, now); err != nil {
		return err
	}
	modalities, err := addValue(ctx, tx, "modality", p.rows.series.modality, study, study.modalities)
	if err != nil {
		return err
	}
	sopClasses, err := addValue(ctx, tx, "sopclass", p.ref.SOPClassUID, study, study.sopClasses)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE study SET instances = instances + 1, series = series + ?2, size = size + ?3, updated = ?4,
		modalities = ?5, sop_classes = ?6 WHERE id = ?1`,
		study.id, newSeries, p.ref.Size, now, modalities, sopClasses); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE patient SET instances = instances + 1, series = series + ?2 WHERE id = ?1`, study.patient, newSeries)
	return err
}

// addValue adds to a list a study has, and says what the list is then.
func addValue(ctx context.Context, tx *db.Tx, kind, value string, study studyKey, list string) (string, error) {
	if value == "" || slices.Contains(split(list), value) {
		return list, nil
	}
	if _, err := insertStudyValue(ctx, tx, kind, value, study); err != nil {
		return "", err
	}
	if list == "" {
		return value, nil
	}
	return list + `\` + value, nil
}
