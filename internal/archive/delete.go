package archive

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Deletion says what to delete of one study and why.
type Deletion struct {
	StudyUID       string // needed
	SeriesUID      string // empty: the whole study
	SOPInstanceUID string // empty: the whole series
	Why            string // 5 to 200 printable characters, for the record
	By             Source
	Scope          *Scope // what the caller may see; what is outside it is not found
}

// Bounds of a reason, in characters.
const (
	minWhy = 5
	maxWhy = 200
)

func (d *Deletion) check() error {
	d.Why = strings.TrimSpace(d.Why)
	n := utf8.RuneCountInString(d.Why)
	if n < minWhy || n > maxWhy || strings.ContainsFunc(d.Why, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.Newf(fault.Invalid, "archive: say why it is deleted, in %d to %d printable characters", minWhy, maxWhy)
	}
	if d.StudyUID == "" {
		return fault.New(fault.Invalid, "archive: a deletion names a study")
	}
	return nil
}

func (d *Deletion) query() RetrieveQuery {
	q := RetrieveQuery{StudyUIDs: []string{d.StudyUID}, Scope: d.Scope}
	if d.SeriesUID != "" {
		q.SeriesUIDs = []string{d.SeriesUID}
	}
	if d.SOPInstanceUID != "" {
		q.SOPInstanceUIDs = []string{d.SOPInstanceUID}
	}
	return q
}

// DeletedTogether is what a deletion did. It stands with the last of its events.
type DeletedTogether struct {
	StudyUID   string
	Whole      bool           // nothing is left of the study
	SOPClasses map[string]int // instances of each class
	Instances  int
	Why        string
}

// Delete removes instances and their files, and returns how many. Rows and
// record are one transaction: one event for each instance, of which the last
// carries what they have in common. What is left of the study and of its
// patient is indexed as if the instances had never been there. Nothing found is
// an error of kind NotFound. The files go after the transaction; those that a
// killed process leaves behind go with the next Sweep.
func (a *Archive) Delete(ctx context.Context, d Deletion) (int, error) {
	if err := d.check(); err != nil {
		return 0, err
	}
	var gone []InstanceRef
	err := a.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if gone, err = a.named(ctx, tx, d.query()); err != nil {
			return err
		}
		if err := a.forget(ctx, tx, d.StudyUID, gone, nil); err != nil {
			return err
		}
		return a.recordDeletion(ctx, tx, d, gone)
	})
	if err != nil {
		return 0, err
	}
	for _, ref := range gone {
		err = errors.Join(err, a.removeUnreferenced(ctx, ref.Digest, 0))
	}
	return len(gone), err
}

func (a *Archive) recordDeletion(ctx context.Context, tx *db.Tx, d Deletion, gone []InstanceRef) error {
	now := a.now()
	var left int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM study WHERE uid = ?1`, d.StudyUID).Scan(&left); err != nil {
		return err
	}
	together := &DeletedTogether{Whole: left == 0, StudyUID: d.StudyUID, Instances: len(gone), SOPClasses: map[string]int{}, Why: d.Why}
	for i, ref := range gone {
		together.SOPClasses[ref.SOPClassUID]++
		e := Event{Kind: Deleted, Instance: ref, Source: d.By, Time: now}
		if i == len(gone)-1 {
			e.Together = together
		}
		if err := a.record(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// named reads all instances of a query within a transaction.
func (a *Archive) named(ctx context.Context, tx *db.Tx, q RetrieveQuery) ([]InstanceRef, error) {
	where, args, err := q.conditions()
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, selectInstance+where+` ORDER BY i.id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []InstanceRef
	for rows.Next() {
		ref, err := scanInstance(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, ref)
	}
	if len(out) == 0 && rows.Err() == nil {
		return nil, fault.New(fault.NotFound, "archive: nothing is stored under these UIDs")
	}
	return out, rows.Err()
}

// forget takes instances of one study out of the index. The rows of the study,
// its series and its patient come from the first instance that is left: they
// are built again from what is left, in the order in which it came. lost is told
// of files that are not there, whose instances go too; nil makes that an error.
func (a *Archive) forget(ctx context.Context, tx *db.Tx, study string, gone []InstanceRef, lost func(InstanceRef)) error {
	left, err := a.remaining(ctx, tx, study, gone, lost)
	if err != nil {
		return err
	}
	patient, err := dropStudy(ctx, tx, study)
	if err != nil {
		return err
	}
	if err := a.refreshPatient(ctx, tx, patient); err != nil {
		return err
	}
	for _, p := range left {
		if err := a.insert(ctx, tx, p); err != nil {
			return err
		}
		if p.conflict != nil {
			return p.conflict
		}
	}
	if len(left) == 0 {
		return nil
	}
	if err := tx.QueryRow(ctx, `SELECT patient FROM study WHERE uid = ?1`, study).Scan(&patient); err != nil {
		return err
	}
	return a.refreshPatient(ctx, tx, patient)
}

// remaining are the instances of a study that are not gone, as they were stored.
func (a *Archive) remaining(ctx context.Context, tx *db.Tx, study string, gone []InstanceRef, lost func(InstanceRef)) ([]*pending, error) {
	without := map[string]bool{}
	for _, ref := range gone {
		without[ref.SOPInstanceUID] = true
	}
	kept, err := keptInstances(ctx, tx, study, func(uid string) bool { return !without[uid] })
	if err != nil {
		return nil, err
	}
	var out []*pending
	for _, k := range kept {
		p, err := a.reread(ctx, QuarantineEntry{Instance: k.ref, Source: k.source})
		if lost != nil && errors.Is(err, blob.ErrNotFound) {
			lost(k.ref)
			continue
		}
		if err != nil {
			return nil, err
		}
		p.row, p.time = k.row, k.received
		out = append(out, p)
	}
	return out, nil
}

type keptInstance struct {
	row      int64
	ref      InstanceRef
	source   Source
	received time.Time
}

func keptInstances(ctx context.Context, tx *db.Tx, study string, keep func(uid string) bool) (out []keptInstance, err error) {
	rows, err := tx.Query(ctx, `SELECT i.uid, i.sop_class, st.uid, se.uid, i.transfer_syntax, i.digest, i.size, i.data_offset,
		i.id, i.received, i.source_ae, i.source_address, i.principal, i.implementation
		FROM instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study WHERE st.uid = ?1 ORDER BY i.id`, study)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k keptInstance
		var received int64
		var implementation string
		k.ref, err = scanInstance(rows.Scan, &k.row, &received, &k.source.AETitle, &k.source.Address, &k.source.Principal, &implementation)
		if err != nil {
			return nil, err
		}
		k.source.ImplementationUID, k.source.ImplementationVersion, _ = strings.Cut(implementation, `\`)
		k.received = time.UnixMicro(received)
		if keep(k.ref.SOPInstanceUID) {
			out = append(out, k)
		}
	}
	return out, rows.Err()
}

// dropStudy removes a study with its series and instances, and takes them out
// of the patient's counts. It returns the patient's row.
func dropStudy(ctx context.Context, tx *db.Tx, uid string) (patient int64, err error) {
	var study int64
	if err := tx.QueryRow(ctx, `SELECT id, patient FROM study WHERE uid = ?1`, uid).Scan(&study, &patient); err != nil {
		return 0, err
	}
	for _, query := range []string{
		`UPDATE patient SET studies = studies - 1, series = series - (SELECT series FROM study WHERE id = ?1),
			instances = instances - (SELECT instances FROM study WHERE id = ?1) WHERE id = (SELECT patient FROM study WHERE id = ?1)`,
		`DELETE FROM instance WHERE series IN (SELECT id FROM series WHERE study = ?1)`,
		`DELETE FROM series WHERE study = ?1`,
		`DELETE FROM study WHERE id = ?1`,
	} {
		if _, err := tx.Exec(ctx, query, study); err != nil {
			return 0, err
		}
	}
	return patient, nil
}

// refreshPatient builds a patient's row from the first instance there is of
// the patient, or removes it when there is none.
func (a *Archive) refreshPatient(ctx context.Context, tx *db.Tx, patient int64) error {
	ref, err := scanInstance(tx.QueryRow(ctx, selectInstance+` WHERE st.patient = ?1 ORDER BY i.id LIMIT 1`, patient).Scan)
	if fault.Of(err) == fault.NotFound {
		_, err = tx.Exec(ctx, `DELETE FROM patient WHERE id = ?1`, patient)
		return err
	}
	if err != nil {
		return err
	}
	p, err := a.reread(ctx, QuarantineEntry{Instance: ref})
	if a.replaying && errors.Is(err, blob.ErrNotFound) {
		return nil // its deletion is yet to be replayed
	}
	if err != nil {
		return err
	}
	return writePatient(ctx, tx, patient, p)
}

func writePatient(ctx context.Context, tx *db.Tx, patient int64, p *pending) error {
	r := &p.rows.patient
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`UPDATE patient SET birth_date = ?2, sex = ?3 WHERE id = ?1`, []any{patient, r.birthDate, r.sex}},
		{`UPDATE patient_data SET data = ?2 WHERE id = ?1`, []any{patient, p.rows.patientData}},
		{`DELETE FROM patient_value WHERE patient = ?1`, []any{patient}},
	} {
		if _, err := tx.Exec(ctx, q.query, q.args...); err != nil {
			return err
		}
	}
	return insertPatientValues(ctx, tx, patient, r)
}
