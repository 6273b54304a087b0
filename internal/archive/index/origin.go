package index

import (
	"context"
	"slices"
	"strings"

	"collimator/internal/db"
)

// sourcesMost is how many sources of a study its row names; one or two are usual.
const sourcesMost = 64

// Name is by what people know a source: the AE title that sent, else the person or
// the token.
func (s *Source) Name() string {
	if s.AETitle != "" {
		return s.AETitle
	}

	return s.Principal
}

// addSource notes from where an instance of a study came. have is what the row of
// the study says already, so that nothing is asked or written for the instances that follow the
// first.
func addSource(ctx context.Context, tx *db.Tx, study int64, have, name string) error {
	if name == "" || have == name || slices.Contains(SplitValues(have), name) {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO study_value (kind, value, study_date, study, uses)
		VALUES ('source', ?1, (SELECT study_date FROM study WHERE id = ?2), ?2, 1)
		ON CONFLICT (kind, value, study_date, study) DO NOTHING`, name, study)
	if err != nil {
		return err
	}

	return mergeSources(ctx, tx, study)
}

// dropSource forgets a source of which a study has no instance left. Mostly the first
// that is looked at is one.
func dropSource(ctx context.Context, tx *db.Tx, study int64, name string) error {
	if name == "" {
		return nil
	}

	var left int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM series se JOIN instance i ON i.series = se.id
		WHERE se.study = ?1 AND CASE WHEN i.source_ae <> '' THEN i.source_ae ELSE i.principal END = ?2 LIMIT 1) x`, study, name).Scan(&left)
	if err != nil || left > 0 {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM study_value WHERE study = ?1 AND kind = 'source' AND value = ?2`, study, name); err != nil {
		return err
	}

	return mergeSources(ctx, tx, study)
}

// mergeSources writes the sources into the row of a study.
func mergeSources(ctx context.Context, tx *db.Tx, study int64) error {
	list, err := values(ctx, tx, study, "source")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE study SET sources = ?2 WHERE id = ?1`, study, strings.Join(list[:min(len(list), sourcesMost)], `\`))

	return err
}
