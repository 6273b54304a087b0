package index

import (
	"context"
	"strings"

	"collimator/internal/db"
)

// What a study or a patient has several of, such as the spellings of a name,
// is kept as values, each with the number of descriptions that have it.

func addStudyValues(ctx context.Context, tx *db.Tx, study int64, kind string, list ...string) error {
	for _, value := range list {
		if value == "" {
			continue
		}
		_, err := tx.Exec(ctx, `INSERT INTO study_value (kind, value, study_date, study, uses)
			VALUES (?1, ?2, (SELECT study_date FROM study WHERE id = ?3), ?3, 1)
			ON CONFLICT (kind, value, study_date, study) DO UPDATE SET uses = uses + 1`, kind, value, study)
		if err != nil {
			return err
		}
	}

	return nil
}

func removeStudyValues(ctx context.Context, tx *db.Tx, study int64, kind string, list ...string) error {
	for _, value := range list {
		for _, query := range []string{
			`UPDATE study_value SET uses = uses - 1 WHERE kind = ?1 AND value = ?2 AND study = ?3
				AND study_date = (SELECT study_date FROM study WHERE id = ?3)`,
			`DELETE FROM study_value WHERE kind = ?1 AND value = ?2 AND study = ?3
				AND study_date = (SELECT study_date FROM study WHERE id = ?3) AND uses <= 0`,
		} {
			if _, err := tx.Exec(ctx, query, kind, value, study); err != nil {
				return err
			}
		}
	}

	return nil
}

func addStudyNames(ctx context.Context, tx *db.Tx, study int64, c *columns) error {
	if err := addStudyValues(ctx, tx, study, "name", unique(c.patient.names)...); err != nil {
		return err
	}
	if err := addStudyValues(ctx, tx, study, "word", unique(c.patient.words)...); err != nil {
		return err
	}

	if err := addStudyValues(ctx, tx, study, "referring", unique(c.study.referring)...); err != nil {
		return err
	}
	if err := addStudyValues(ctx, tx, study, "ident", c.idents()...); err != nil {
		return err
	}

	return addStudyValues(ctx, tx, study, "described", c.described()...)
}

func removeStudyNames(ctx context.Context, tx *db.Tx, study int64, c *columns) error {
	if err := removeStudyValues(ctx, tx, study, "name", unique(c.patient.names)...); err != nil {
		return err
	}
	if err := removeStudyValues(ctx, tx, study, "word", unique(c.patient.words)...); err != nil {
		return err
	}

	if err := removeStudyValues(ctx, tx, study, "referring", unique(c.study.referring)...); err != nil {
		return err
	}
	if err := removeStudyValues(ctx, tx, study, "ident", c.idents()...); err != nil {
		return err
	}

	return removeStudyValues(ctx, tx, study, "described", c.described()...)
}

func addPatientNames(ctx context.Context, tx *db.Tx, patient int64, c *patientColumns) error {
	return eachName(c, func(kind, value string) error {
		_, err := tx.Exec(ctx, `INSERT INTO patient_value (kind, value, patient, uses) VALUES (?1, ?2, ?3, 1)
			ON CONFLICT (kind, value, patient) DO UPDATE SET uses = uses + 1`, kind, value, patient)

		return err
	})
}

func removePatientNames(ctx context.Context, tx *db.Tx, patient int64, c *patientColumns) error {
	return eachName(c, func(kind, value string) error {
		_, err := tx.Exec(ctx,
			`UPDATE patient_value SET uses = uses - 1 WHERE kind = ?1 AND value = ?2 AND patient = ?3`, kind, value, patient)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM patient_value WHERE kind = ?1 AND value = ?2
			AND patient = ?3 AND uses <= 0`, kind, value, patient)

		return err
	})
}

func eachName(c *patientColumns, f func(kind, value string) error) error {
	for _, value := range unique(c.names) {
		if err := f("name", value); err != nil {
			return err
		}
	}
	for _, value := range unique(c.words) {
		if err := f("word", value); err != nil {
			return err
		}
	}

	return nil
}

// values lists the values of a kind that a study has, in their order.
func values(ctx context.Context, tx *db.Tx, study int64, kind string) ([]string, error) {
	return db.Column[string](ctx, tx, `SELECT value FROM study_value WHERE study = ?1 AND kind = ?2 ORDER BY value`, study, kind)
}

// unique is the values without repetition and without empty ones.
func unique(list []string) []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}

	return out
}

// shareOne reports whether two lists have a value in common.
func shareOne(a, b []string) bool {
	in := map[string]bool{}
	for _, s := range a {
		in[s] = true
	}
	for _, s := range b {
		if in[s] {
			return true
		}
	}

	return false
}

// SplitValues is the values that stand joined in one column; nil where there is
// none.
func SplitValues(list string) []string {
	if list == "" {
		return nil
	}

	return strings.Split(list, `\`)
}
