package archive

import (
	"context"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// PatientOf is the Patient ID and its issuer of a study, as the index has them;
// fault.NotFound where there is no such study.
func (a *Archive) PatientOf(ctx context.Context, study string) (id, issuer string, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT patient_id, issuer FROM study WHERE uid = ?1`, study).Scan(&id, &issuer)
	})
	return id, issuer, fault.Wrap(fault.Of(err), err, "archive: the patient of a study")
}
