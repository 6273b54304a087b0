package archive

import (
	"context"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// StudyNumber is a study's row and UID. Rows are numbered in the order in which
// they were made; a study gets a new number when something of it is deleted.
type StudyNumber struct {
	Number int64
	UID    string
}

// StudiesAfter lists up to limit studies with a number above after, in order.
func (a *Archive) StudiesAfter(ctx context.Context, after int64, limit int) (list []StudyNumber, err error) {
	err = a.search(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanStudyNumber, `SELECT id, uid FROM study WHERE id > ?1 ORDER BY id LIMIT ?2`, after, limit)

		return err
	})

	return list, err
}

func scanStudyNumber(scan db.Scan) (s StudyNumber, err error) {
	err = scan(&s.Number, &s.UID)
	return s, err
}

// StudyUID is the UID of a study by its number; empty when there is none.
func (a *Archive) StudyUID(ctx context.Context, number int64) (uid string, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT uid FROM study WHERE id = ?1`, number).Scan(&uid)
	})
	if fault.Of(err) == fault.NotFound {
		return "", nil
	}
	return uid, err
}
