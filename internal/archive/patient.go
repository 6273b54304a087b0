package archive

import (
	"context"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// PatientOf is the Patient ID and its issuer of a study, as the index has them;
// fault.NotFound where there is no such study.
func (a *Archive) PatientOf(ctx context.Context, study string) (id, issuer string, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error { id, issuer, err = PatientIn(ctx, tx, study); return err })
	return id, issuer, fault.Wrap(fault.Of(err), err, "archive: the patient of a study")
}

// PatientIn is PatientOf within a transaction.
func PatientIn(ctx context.Context, tx *db.Tx, study string) (id, issuer string, err error) {
	err = tx.QueryRow(ctx, `SELECT patient_id, issuer FROM study WHERE uid = ?1`, study).Scan(&id, &issuer)
	return id, issuer, err
}

// StudiesOf lists the studies under a Patient ID, of whatever issuer, in an index.
func StudiesOf(ctx context.Context, d *db.DB, patientID string) (studies []string, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		studies, err = db.Column[string](ctx, tx, `SELECT uid FROM study WHERE patient_id = ?1`, patientID)
		return err
	})
	return studies, err
}

// StudiesOf is StudiesOf of this archive's index.
func (a *Archive) StudiesOf(ctx context.Context, patientID string) ([]string, error) {
	return StudiesOf(ctx, a.o.DB, patientID)
}

// StudiesWith counts by study which of the instances are stored.
func (a *Archive) StudiesWith(ctx context.Context, instances []string) (map[string]int, error) {
	counts := map[string]int{}
	err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
		for _, uid := range instances {
			var study string
			err := tx.QueryRow(ctx,
				`SELECT st.uid FROM instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study
					WHERE i.uid = ?1`, uid).Scan(&study)
			switch {
			case err == nil:
				counts[study]++
			case fault.Of(err) != fault.NotFound:
				return err
			}
		}
		return nil
	})
	return counts, err
}
