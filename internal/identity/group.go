package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Bounds of what a provider says of the groups of a person. A longer name fits no
// group; where it names more groups none of them counts, because nobody could tell
// which were left out.
const (
	groupsMost = 200
	groupMost  = 256 // bytes
)

// groupLasts is how long after a sign-in at the provider the groups count in the
// session that began by it, which may go on longer (signin.absolute).
const groupLasts = 12 * time.Hour

// GroupGrants is what was granted to a group of the identity provider.
type GroupGrants struct {
	Group   string   `json:"group"`
	Studies []string `json:"studies"`
	People  []string `json:"people,omitempty"` // who is in it, as the provider said at the last sign-in of each
	// Also are those of People to whom one of the studies is granted in person: they
	// see it without the group.
	Also []StudyGrant `json:"alsoGrantedTo,omitempty"`
}

// StudyGrant is a study that was granted to a person.
type StudyGrant struct {
	Person string `json:"name"`
	Study  string `json:"study"`
}

// GroupStudy is a study that a person sees by a group.
type GroupStudy struct {
	Group string `json:"group"`
	Study string `json:"study"`

	issuer string // whose word it is that the person is in the group
}

// GroupsFrom says whose word on groups counts: of an identity provider, by its
// issuer, and in one claim. Without, and where one of them is empty, nobody is in a
// group. It is called before the registry is used by others.
func (r *Registry) GroupsFrom(issuer, claim string) { r.groups = GroupSource{issuer, claim} }

// GroupSource is who names people in groups, and in which claim.
type GroupSource struct{ Issuer, Claim string }

func (s GroupSource) none() bool { return s.Issuer == "" || s.Claim == "" }

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
// see one. Of a group that had no grant it counts from the next sign-in of each on.
// Whether something is stored under it is for the caller to look at.
func (r *Registry) GrantToGroup(ctx context.Context, group, study string) error {
	if err := CheckGroup(group); err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.book.Exec(ctx, tx,
			`INSERT INTO group_grant (name, study, created) VALUES (?1, ?2, ?3)
				ON CONFLICT (name, study) DO NOTHING`, group, study, db.Millis(r.now()))
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
			g, err := r.groupGrants(ctx, tx, name)
			if err != nil {
				return err
			}
			list = append(list, g)
		}
		return nil
	})
	return list, err
}

func (r *Registry) groupGrants(ctx context.Context, tx *db.Tx, name string) (GroupGrants, error) {
	studies, err := db.Column[string](ctx, tx, `SELECT study FROM group_grant WHERE name = ?1 ORDER BY study`, name)
	g := GroupGrants{Group: name, Studies: studies}
	if err != nil || r.groups.none() {
		return g, err
	}

	g.People, err = db.Column[string](ctx, tx,
		`SELECT person FROM provider_group WHERE name = ?1 AND issuer = ?2 AND claim = ?3 ORDER BY person`,
		name, r.groups.Issuer, r.groups.Claim)
	if err != nil {
		return g, err
	}

	g.Also, err = db.All(ctx, tx, func(scan db.Scan) (s StudyGrant, err error) {
		err = scan(&s.Person, &s.Study)
		return s, err
	}, `SELECT s.person, s.study FROM provider_group p
		JOIN group_grant g ON g.name = p.name
		JOIN study_grant s ON s.person = p.person AND s.study = g.study
		WHERE p.name = ?1 AND p.issuer = ?2 AND p.claim = ?3 ORDER BY 1, 2`, name, r.groups.Issuer, r.groups.Claim)
	return g, err
}

// GrantedTo says to whom a study is granted: people in person, and groups.
func (r *Registry) GrantedTo(ctx context.Context, study string) (people, groups []string, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		if people, err = db.Column[string](ctx, tx, `SELECT person FROM study_grant WHERE study = ?1 ORDER BY person`, study); err != nil {
			return err
		}
		groups, err = db.Column[string](ctx, tx, `SELECT name FROM group_grant WHERE study = ?1 ORDER BY name`, study)
		return err
	})
	return people, groups, err
}

// Groups are those of a person, as the provider that counts said at the last
// sign-in, of those to which something was granted then.
func (r *Registry) Groups(ctx context.Context, person string) (groups []string, err error) {
	if r.groups.none() {
		return nil, nil
	}
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		groups, err = db.Column[string](ctx, tx,
			`SELECT name FROM provider_group WHERE person = ?1 AND issuer = ?2 AND claim = ?3 ORDER BY name`,
			person, r.groups.Issuer, r.groups.Claim)
		return err
	})
	return groups, err
}

// OtherGroups are the sources of groups whose word does not count now: by other
// settings it does.
func (r *Registry) OtherGroups(ctx context.Context) (list []GroupSource, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, func(scan db.Scan) (s GroupSource, err error) {
			err = scan(&s.Issuer, &s.Claim)
			return s, err
		}, `SELECT DISTINCT issuer, claim FROM provider_group ORDER BY 1, 2`)
		return err
	})
	return slices.DeleteFunc(list, func(s GroupSource) bool { return s == r.groups }), err
}

// byGroup are the studies that a person sees by a group.
func (r *Registry) byGroup(ctx context.Context, tx *db.Tx, person string) ([]GroupStudy, error) {
	if r.groups.none() {
		return nil, nil
	}
	return db.All(ctx, tx, func(scan db.Scan) (s GroupStudy, err error) {
		err = scan(&s.Group, &s.Study, &s.issuer)
		return s, err
	}, `SELECT p.name, g.study, p.issuer FROM provider_group p JOIN group_grant g ON g.name = p.name
		WHERE p.person = ?1 AND p.issuer = ?2 AND p.claim = ?3 ORDER BY 1, 2`, person, r.groups.Issuer, r.groups.Claim)
}

// setGroups puts the groups that a provider names of a person in the place of those
// that were named before, by this provider or another one, and says which it kept,
// those to which something is granted, and whether they are others than before.
func (r *Registry) setGroups(ctx context.Context, person string, from GroupSource,
	named []string) (kept []string, changed bool, err error) {

	err = r.db.Write(ctx, func(tx *db.Tx) error {
		granted, err := db.Column[string](ctx, tx, `SELECT DISTINCT name FROM group_grant ORDER BY name`)
		if err != nil {
			return err
		}
		kept = slices.DeleteFunc(granted, func(name string) bool { return !slices.Contains(named, name) })

		before, err := db.Column[string](ctx, tx,
			`SELECT name FROM provider_group WHERE person = ?1 AND issuer = ?2 AND claim = ?3 ORDER BY name`,
			person, from.Issuer, from.Claim)
		if err != nil {
			return err
		}
		n, err := r.book.Exec(ctx, tx,
			`DELETE FROM provider_group WHERE person = ?1 AND (issuer <> ?2 OR claim <> ?3)`, person, from.Issuer, from.Claim)
		if err != nil {
			return err
		}
		changed = n > 0 || !slices.Equal(before, kept)
		return r.exchangeGroups(ctx, tx, person, from, before, kept)
	})
	return kept, changed, err
}

// exchangeGroups takes away the groups that are not named now, and adds those that
// were not before. The others stay as they are: each row written is a leaf of the
// ledger.
func (r *Registry) exchangeGroups(ctx context.Context, tx *db.Tx, person string, from GroupSource, before, now []string) error {
	for _, x := range []struct {
		query       string
		names, than []string
	}{
		{`DELETE FROM provider_group WHERE person = ?1 AND issuer = ?2 AND claim = ?3 AND name = ?4`, before, now},
		{`INSERT INTO provider_group (person, issuer, claim, name) VALUES (?1, ?2, ?3, ?4)`, now, before},
	} {
		for _, name := range x.names {
			if slices.Contains(x.than, name) {
				continue
			}
			if _, err := r.book.Exec(ctx, tx, x.query, person, from.Issuer, from.Claim, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropGroups ends the groups of the person of a subject whom the provider no longer
// lets in as somebody who may.
func (r *Registry) dropGroups(ctx context.Context, issuer, subject string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := r.book.Exec(ctx, tx, `DELETE FROM provider_group WHERE person IN
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

// takeGroups takes what the provider says of the groups of a person. The change is
// a clause for the trail; empty where nothing became different.
func (o *OIDC) takeGroups(ctx context.Context, person string, claims map[string]any) (change string, err error) {
	from := GroupSource{o.o.Issuer, o.o.GroupClaim}
	var named []string
	if !from.none() {
		named = texts(claims[o.o.GroupClaim])
	}

	tooMany := ""
	if n := len(named); n > groupsMost {
		named = nil
		tooMany = fmt.Sprintf("the identity provider names %d groups, more than %d: none of them counts", n, groupsMost)
	}

	kept, changed, err := o.registry.setGroups(ctx, person, from, named)
	switch {
	case err != nil:
		return "", err
	case tooMany != "":
		return tooMany, nil
	case !changed:
		return "", nil
	case len(kept) == 0:
		return "in no group to which something is granted any more, by the identity provider", nil
	}
	return "groups " + strings.Join(kept, ", ") + " by the identity provider", nil
}
