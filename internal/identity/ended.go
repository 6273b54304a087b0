package identity

import (
	"context"
	"fmt"

	"collimator/internal/db"
	"collimator/internal/phrase"
)

// Ended counts what ended of what a person had and made.
type Ended struct {
	Sessions    int64 `json:"sessions"`    // in which the person was signed in
	Tokens      int64 `json:"tokens"`      // that were made in a session
	Invitations int64 `json:"invitations"` // one-time links the person made for others
	Shares      int64 `json:"shares"`      // links to studies the person made
}

func (e Ended) String() string {
	return fmt.Sprintf("%s, %s, %s and %s",
		phrase.Count(e.Sessions, "session", "sessions"), phrase.Count(e.Tokens, "token", "tokens"),
		phrase.Count(e.Invitations, "invitation", "invitations"), phrase.Count(e.Shares, "link to a study", "links to studies"))
}

// EndMade ends the sessions of a person, and all that may have been made in one:
// tokens, invitations that were not used, links to studies. What the operator of
// the machine made at the command line stays.
func (r *Registry) EndMade(ctx context.Context, name string) (e Ended, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error { e, err = r.endMade(ctx, tx, name, false); return err })
	return e, err
}

// EndSessions signs a person out everywhere. What was made in the sessions stays.
func (r *Registry) EndSessions(ctx context.Context, name string) (e Ended, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) (err error) {
		e.Sessions, err = r.book.Exec(ctx, tx, `DELETE FROM session WHERE person = ?1`, name)
		return err
	})

	return e, err
}

// endMade is EndMade within a transaction; with everything the tokens that the
// operator made for this person end too.
func (r *Registry) endMade(ctx context.Context, tx *db.Tx, name string, everything bool) (e Ended, err error) {
	now := db.Millis(r.now())
	for _, x := range []struct {
		n     *int64
		query string
		args  []any
	}{
		{&e.Sessions, `DELETE FROM session WHERE person = ?1`, []any{name}},
		{&e.Tokens, `UPDATE access_token SET revoked = ?2 WHERE owner = ?1 AND revoked = 0 AND expires > ?2
			AND (operator = 0 OR ?3)`, []any{name, now, everything}},
		{&e.Invitations, `DELETE FROM person_link WHERE maker = ?1`, []any{name}},
		{&e.Shares, `UPDATE share SET revoked = ?2 WHERE owner = ?1 AND revoked = 0 AND expires > ?2`, []any{name, now}},
		{new(int64), `DELETE FROM provider_group WHERE person = ?1`, []any{name}}, // until the provider names them again
	} {
		if *x.n, err = r.book.Exec(ctx, tx, x.query, x.args...); err != nil {
			return e, err
		}
	}
	return e, nil
}

// EndEverySession signs everybody out, in browsers that were opened by links, too,
// and says how many sessions ended.
func (r *Registry) EndEverySession(ctx context.Context) (n int64, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		n = 0
		for _, query := range []string{`DELETE FROM session`, `DELETE FROM share_session`} {
			ended, err := r.book.Exec(ctx, tx, query)
			if err != nil {
				return err
			}
			n += ended
		}
		return nil
	})
	return n, err
}
