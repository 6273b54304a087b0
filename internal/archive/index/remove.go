package index

import (
	"context"

	"collimator/internal/db"
)

// Remove takes an instance out of the index, with the series, the study and
// the patient that have nothing left. Its cost does not grow with what is left:
// counts go down by one, and a row is merged anew only where the last instance
// of a description went. fault.NotFound if there is no such instance.
func Remove(ctx context.Context, tx *db.Tx, sopInstanceUID string) error {
	var p placed
	var row, description, size, received int64
	err := tx.QueryRow(ctx, `SELECT i.id, i.description, i.size, i.received, i.series, se.study, st.patient, st.uid
		FROM instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study WHERE i.uid = ?1`, sopInstanceUID).
		Scan(&row, &description, &size, &received, &p.series, &p.study, &p.patient, &p.studyUID)
	if err != nil {
		return err
	}

	if _, err := tx.Exec(ctx, `DELETE FROM instance WHERE id = ?1`, row); err != nil {
		return err
	}
	if err := release(ctx, tx, description, &p); err != nil {
		return err
	}

	return countOut(ctx, tx, p, size, received)
}

// countOut takes an instance out of the counts of the rows above, and removes
// the rows that have none left.
func countOut(ctx context.Context, tx *db.Tx, p placed, size, received int64) error {
	var left, updated int64
	err := tx.QueryRow(ctx, `UPDATE series SET instances = instances - 1 WHERE id = ?1 RETURNING instances, updated`, p.series).Scan(&left, &updated)
	if err != nil {
		return err
	}
	oldSeries := 0
	if left == 0 {
		oldSeries = 1
		if _, err := tx.Exec(ctx, `DELETE FROM series WHERE id = ?1`, p.series); err != nil {
			return err
		}
	} else if received == updated {
		if _, err := tx.Exec(ctx, `UPDATE series SET updated = (SELECT MAX(received) FROM instance WHERE series = ?1) WHERE id = ?1`, p.series); err != nil {
			return err
		}
	}

	if err := countOutStudy(ctx, tx, p, oldSeries, size, received); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE patient SET instances = instances - 1, series = series - ?2 WHERE id = ?1`, p.patient, oldSeries)
	if err != nil {
		return err
	}

	return dropEmptyPatient(ctx, tx, p.patient)
}

func countOutStudy(ctx context.Context, tx *db.Tx, p placed, oldSeries int, size, received int64) error {
	var left, first, last int64
	err := tx.QueryRow(ctx, `UPDATE study SET instances = instances - 1, series = series - ?2, size = size - ?3 WHERE id = ?1
		RETURNING instances, received, updated`, p.study, oldSeries, size).Scan(&left, &first, &last)
	if err != nil {
		return err
	}
	if left == 0 {
		if _, err := tx.Exec(ctx, `DELETE FROM study WHERE id = ?1`, p.study); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE patient SET studies = studies - 1 WHERE id = ?1`, p.patient)

		return err
	}

	// The times of the first and the last instance are looked for only when it
	// was one of these that went.
	if received == first {
		_, err = tx.Exec(ctx, `UPDATE study SET received = (SELECT MIN(i.received) FROM series se JOIN instance i ON i.series = se.id
			WHERE se.study = ?1) WHERE id = ?1`, p.study)
	}
	if err == nil && received == last {
		_, err = tx.Exec(ctx, `UPDATE study SET updated = (SELECT MAX(updated) FROM series WHERE study = ?1) WHERE id = ?1`, p.study)
	}

	return err
}
