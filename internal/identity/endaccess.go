package identity

import (
	"context"
	"time"

	"collimator/internal/db"
)

// EndAccess ends everything that leads to one study: its links, the grants to
// people and groups, and the tokens for this study alone. It is part of the transaction in
// which the study is deleted, and returns how many ended.
func (r *Registry) EndAccess(ctx context.Context, tx *db.Tx, studyUID string, now time.Time) (ended int, err error) {
	for _, query := range []string{
		`UPDATE share SET revoked = ?2 WHERE study = ?1 AND revoked = 0 AND expires > ?2`,
		`DELETE FROM study_grant WHERE study = ?1 AND created <= ?2`,
		`DELETE FROM group_grant WHERE study = ?1 AND created <= ?2`,
		`UPDATE access_token SET revoked = ?2 WHERE studies = ?1 AND revoked = 0`,
	} {
		n, err := r.book.Exec(ctx, tx, query, studyUID, db.Millis(now))
		if err != nil {
			return ended, err
		}
		ended += int(n)
	}

	return ended, nil
}
