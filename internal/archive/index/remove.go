package index

import (
	"context"

	"collimator/internal/db"
)

// Remove takes instances out of the index, with the series, the study and the
// patient that have nothing left. The cost of one does not grow with what is
// left: counts go down by one, and a row is merged anew only where the last
// instance of a description went. Only where the first or the last of a series
// went, the new one is looked for, once for all that are removed together.
// fault.NotFound if one of them is not there; then the transaction has to end.
func Remove(ctx context.Context, tx *db.Tx, sopInstanceUIDs ...string) error {
	at := times{series: map[int64]bool{}, studies: map[int64]bool{}}
	for _, uid := range sopInstanceUIDs {
		if err := removeOne(ctx, tx, uid, at); err != nil {
			return err
		}
	}

	return at.update(ctx, tx)
}

func removeOne(ctx context.Context, tx *db.Tx, sopInstanceUID string, at times) error {
	var p placed
	var row, description, size, received int64
	var from Source
	err := tx.QueryRow(ctx, `SELECT i.id, i.description, i.size, i.received, i.source_ae, i.principal,
		i.series, se.study, st.patient, st.uid
		FROM `+RefTables+` WHERE i.uid = ?1`, sopInstanceUID).
		Scan(&row, &description, &size, &received, &from.AETitle, &from.Principal, &p.series, &p.study, &p.patient, &p.studyUID)
	if err != nil {
		return err
	}

	if _, err := tx.Exec(ctx, `DELETE FROM instance WHERE id = ?1`, row); err != nil {
		return err
	}
	if err := release(ctx, tx, description, &p); err != nil {
		return err
	}

	if err := countOut(ctx, tx, p, size, received, at); err != nil {
		return err
	}

	return dropSource(ctx, tx, p.study, from.Name())
}

// times are the rows whose first or last instance went.
type times struct{ series, studies map[int64]bool }

// update looks for the first and the last instance of what is left.
func (t times) update(ctx context.Context, tx *db.Tx) error {
	for series := range t.series {
		_, err := tx.Exec(ctx, `UPDATE series SET updated = (SELECT MAX(received) FROM instance WHERE series = ?1) WHERE id = ?1`, series)
		if err != nil {
			return err
		}
	}
	for study := range t.studies {
		_, err := tx.Exec(ctx, `UPDATE study SET updated = (SELECT MAX(updated) FROM series WHERE study = ?1),
			received = (SELECT MIN(i.received) FROM series se JOIN instance i ON i.series = se.id
				WHERE se.study = ?1) WHERE id = ?1`, study)
		if err != nil {
			return err
		}
	}

	return nil
}

// countOut takes an instance out of the counts of the rows above, and removes
// the rows that have none left.
func countOut(ctx context.Context, tx *db.Tx, p placed, size, received int64, at times) error {
	var left, updated int64
	err := tx.QueryRow(ctx, `UPDATE series SET instances = instances - 1 WHERE id = ?1 RETURNING instances, updated`,
		p.series).Scan(&left, &updated)
	if err != nil {
		return err
	}

	oldSeries := 0
	switch {
	case left == 0:
		oldSeries = 1
		if _, err := tx.Exec(ctx, `DELETE FROM series WHERE id = ?1`, p.series); err != nil {
			return err
		}
		delete(at.series, p.series)
	case received == updated:
		at.series[p.series] = true
	}

	if err := countOutStudy(ctx, tx, p, oldSeries, size, received, at); err != nil {
		return err
	}

	_, err = tx.Exec(ctx, `UPDATE patient SET instances = instances - 1, series = series - ?2 WHERE id = ?1`, p.patient, oldSeries)
	if err != nil {
		return err
	}

	return dropEmptyPatient(ctx, tx, p.patient)
}

func countOutStudy(ctx context.Context, tx *db.Tx, p placed, oldSeries int, size, received int64, at times) error {
	var left, first, last int64
	err := tx.QueryRow(ctx, `UPDATE study SET instances = instances - 1, series = series - ?2, size = size - ?3 WHERE id = ?1
		RETURNING instances, received, updated`, p.study, oldSeries, size).Scan(&left, &first, &last)
	if err != nil {
		return err
	}
	if left > 0 {
		if received == first || received == last {
			at.studies[p.study] = true
		}
		return nil
	}

	delete(at.studies, p.study)
	if _, err := tx.Exec(ctx, `DELETE FROM study WHERE id = ?1`, p.study); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE patient SET studies = studies - 1 WHERE id = ?1`, p.patient)

	return err
}

// RemoveStudy takes a study out of the index with all its instances, each row
// once. fault.NotFound if there is no such study.
func RemoveStudy(ctx context.Context, tx *db.Tx, studyUID string) error {
	var study, patient, series, instances int64
	err := tx.QueryRow(ctx, `SELECT id, patient, series, instances FROM study WHERE uid = ?1`,
		studyUID).Scan(&study, &patient, &series, &instances)
	if err != nil {
		return err
	}
	about, err := patientDescriptions(ctx, tx, study)
	if err != nil {
		return err
	}

	for _, query := range []string{
		`DELETE FROM description WHERE level = 3 AND owner IN (SELECT id FROM series WHERE study = ?1)`,
		`DELETE FROM description WHERE level = 2 AND owner = ?1`,
		`DELETE FROM instance WHERE series IN (SELECT id FROM series WHERE study = ?1)`,
		`DELETE FROM series WHERE study = ?1`,
		`DELETE FROM study WHERE id = ?1`,
	} {
		if _, err := tx.Exec(ctx, query, study); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE patient SET studies = studies - 1, series = series - ?2,
		instances = instances - ?3 WHERE id = ?1`, patient, series, instances)
	if err != nil {
		return err
	}

	for _, a := range about {
		gone, err := dropUse(ctx, tx, a.patient)
		if err != nil {
			return err
		}
		if gone == nil {
			continue
		}
		if err := removePatientNames(ctx, tx, patient, &gone.columns.patient); err != nil {
			return err
		}
	}
	if err := mergePatient(ctx, tx, patient); err != nil {
		return err
	}

	return dropEmptyPatient(ctx, tx, patient)
}
