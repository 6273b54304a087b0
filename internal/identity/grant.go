package identity

import (
	"context"
	"errors"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// GrantStudy lets a person whose role sees only granted studies see one.
// Whether something is stored under it is for the caller to look at.
func (r *Registry) GrantStudy(ctx context.Context, name, study string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if err := known(ctx, tx, name); err != nil {
			return err
		}
		_, err := r.book.Exec(ctx, tx,
			`INSERT INTO study_grant (person, study, created) VALUES (?1, ?2, ?3)
				ON CONFLICT (person, study) DO NOTHING`, name, study, db.Millis(r.now()))
		return err
	})
}

// UngrantStudy takes a grant back, of somebody who is disabled too. The error is
// of kind NotFound where the study was not granted.
func (r *Registry) UngrantStudy(ctx context.Context, name, study string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if err := known(ctx, tx, name); err != nil && !errors.Is(err, errDisabled) {
			return err
		}
		n, err := r.book.Exec(ctx, tx, `DELETE FROM study_grant WHERE person = ?1 AND study = ?2`, name, study)
		if err != nil || n > 0 {
			return err
		}

		by, err := r.byGroup(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, g := range by {
			if g.Study == study {
				return fault.Newf(fault.NotFound,
					"identity: this study is not granted to this person, who sees it by the group %s; "+
						"'collimator group ungrant' takes it back from the group", g.Group)
			}
		}
		return fault.New(fault.NotFound, "identity: this study is not granted to this person; see 'collimator user show NAME'")
	})
}

// Subjects lists where a person signs in at an identity provider: its issuers.
func (r *Registry) Subjects(ctx context.Context, name string) (issuers []string, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		issuers, err = db.Column[string](ctx, tx, `SELECT issuer FROM person_subject WHERE person = ?1 ORDER BY issuer`, name)
		return err
	})
	return issuers, err
}
