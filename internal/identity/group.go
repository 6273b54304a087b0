package identity

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Bounds of what a provider says of the groups of a person: more, or longer ones,
// are left out.
const (
	groupsMost = 1000
	groupMost  = 256 // bytes
)

// groupLasts is how long a group counts after the sign-in in which the provider
// named it: as long as a session at the most. Who is taken out of the group there
// loses the studies at the next sign-in, or when it ends, whichever comes first.
const groupLasts = 12 * time.Hour

// GroupGrants is what was granted to a group of the identity provider.
type GroupGrants struct {
	Group   string   `json:"group"`
	Studies []string `json:"studies"`
	People  []string `json:"people,omitempty"` // who is in it, as the provider said at a sign-in of late
}

// CheckGroup says what is wrong with the name of a group.
func CheckGroup(name string) error {
	if !validGroup(name) {
		return fault.Newf(fault.Invalid, "identity: a group has a name of 1 to %d bytes, without control characters", groupMost)
	}
	return nil
}

func validGroup(name string) bool {
	return name != "" && len(name) <= groupMost && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// GrantToGroup lets everybody of a group, whose role sees only granted studies,
// see one. Of a group that had no grant it counts from the
// next sign-in of each on. Whether something is stored
// under it is for the caller to look at.
func (r *Registry) GrantToGroup(ctx context.Context, group, study string) error {
	if err := CheckGroup(group); err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.book.Exec(ctx, tx, `INSERT INTO group_grant (name, study, created) VALUES (?1, ?2, ?3) ON CONFLICT (name, study) DO NOTHING`, group, study, db.Millis(r.now()))
		return err
	})
}

// UngrantToGroup takes a grant back, at once. The error is of kind NotFound where
// the study was not granted.
func (r *Registry) UngrantToGroup(ctx context.Context, group, study string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := r.book.Exec(ctx, tx, `DELETE FROM group_grant WHERE name = ?1 AND study = ?2`, group, study)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "identity: this study is not granted to this group; see 'collimator group list'")
		}
		return err
	})
}

// GroupGrants lists the groups to which something is granted, by name.
func (r *Registry) GroupGrants(ctx context.Context) (list []GroupGrants, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		names, err := db.Column[string](ctx, tx, `SELECT DISTINCT name FROM group_grant ORDER BY name`)
		if err != nil {
			return err
		}

		list = nil
		for _, name := range names {
			g := GroupGrants{Group: name}
			if g.Studies, err = db.Column[string](ctx, tx, `SELECT study FROM group_grant WHERE name = ?1 ORDER BY study`, name); err != nil {
				return err
			}
			g.People, err = db.Column[string](ctx, tx, `SELECT person FROM person_group WHERE name = ?1 AND expires > ?2 ORDER BY person`, name, db.Millis(r.now()))
			if err != nil {
				return err
			}
			list = append(list, g)
		}
		return nil
	})
	return list, err
}

// Groups are those of a person that count now.
func (r *Registry) Groups(ctx context.Context, person string) (groups []string, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		groups, err = db.Column[string](ctx, tx, `SELECT name FROM person_group WHERE person = ?1 AND expires > ?2 ORDER BY name`, person, db.Millis(r.now()))
		return err
	})
	return groups, err
}

// setGroups takes what the provider says of a person for what counts, in place of
// what it said before. Of the groups it keeps those to which something is granted.
func (r *Registry) setGroups(ctx context.Context, person string, groups []string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		granted, err := db.Column[string](ctx, tx, `SELECT DISTINCT name FROM group_grant`)
		if err != nil {
			return err
		}
		if _, err := r.book.Exec(ctx, tx, `DELETE FROM person_group WHERE person = ?1`, person); err != nil {
			return err
		}

		until := db.Millis(r.now().Add(groupLasts))
		for _, name := range granted {
			if !slices.Contains(groups, name) {
				continue
			}
			_, err := r.book.Exec(ctx, tx, `INSERT INTO person_group (person, name, expires) VALUES (?1, ?2, ?3)`, person, name, until)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// dropGroups ends the groups of the person of a subject whom the provider no longer
// lets in as somebody who may.
func (r *Registry) dropGroups(ctx context.Context, issuer, subject string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.book.Exec(ctx, tx, `DELETE FROM person_group WHERE person IN
			(SELECT person FROM person_subject WHERE issuer = ?1 AND subject = ?2)`, issuer, subject)
		return err
	})
}

// texts are the texts of a claim, which is one or a list.
func texts(claim any) (list []string) {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				list = append(list, s)
			}
		}
	}
	return list
}

// groups are what a provider says of the groups of a person.
func (o *OIDC) groups(claims map[string]any) []string {
	if o.o.GroupClaim == "" {
		return nil
	}
	list := slices.DeleteFunc(texts(claims[o.o.GroupClaim]), func(g string) bool { return !validGroup(g) })
	return list[:min(len(list), groupsMost)]
}
