package index

import (
	"context"
	"time"

	"collimator/internal/db"
)

// volumeMost is how many studies of a source are added up; of more the newest are.
const volumeMost = 20_000

// Volume is what came from one source: whole studies, where others sent to the same ones too.
type Volume struct {
	Studies, Instances, Bytes int64
	Last                      time.Time // when one of them last grew; zero: there is none
	AtLeast                   bool      // there are more studies than were added up
}

// Volume adds up what a source has stored.
func (s *Search) Volume(ctx context.Context, source string) (v Volume, err error) {
	err = s.Read(ctx, func(tx *db.Tx) error {
		var last int64
		err := tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(st.instances), 0), COALESCE(SUM(st.size), 0), COALESCE(MAX(st.updated), 0)
			FROM (SELECT study FROM study_value WHERE kind = 'source' AND value = ?1 ORDER BY study_date DESC, study DESC LIMIT ?2) x
			JOIN study st ON st.id = x.study`, source, volumeMost).Scan(&v.Studies, &v.Instances, &v.Bytes, &last)
		if last > 0 {
			v.Last = db.Instant(last)
		}
		v.AtLeast = v.Studies == volumeMost
		return err
	})
	return v, err
}
