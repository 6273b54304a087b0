package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

// PersonInfo is a registered person without the password.
type PersonInfo struct {
	Name    string      `json:"name"`
	Role    policy.Role `json:"role"`
	Studies []string    `json:"studies,omitempty"` // that were granted to the person
	// ByGroup are the studies of the groups that the identity provider named. They
	// count only in a session that began there: see PrincipalIn.
	ByGroup  []GroupStudy `json:"studiesByGroup,omitempty"`
	Created  time.Time    `json:"created"`
	Disabled time.Time    `json:"disabled,omitzero"`
}

// Principal is the person as policy sees it: at a device, behind a token or a link.
func (p *PersonInfo) Principal() policy.Principal {
	return policy.Principal{Kind: policy.Person, Name: p.Name, Role: p.Role, Studies: p.Studies}
}

// PrincipalIn is Principal in a session. In one that began at the identity provider
// of late the groups count that it named.
func (p *PersonInfo) PrincipalIn(s *Session, now time.Time) policy.Principal {
	who := p.Principal()
	if s.Provider == "" || !now.Before(s.Created.Add(groupLasts)) {
		return who
	}

	who.Studies = slices.Clone(who.Studies)
	for _, g := range p.ByGroup {
		if g.issuer == s.Provider && !slices.Contains(who.Studies, g.Study) {
			who.Studies = append(who.Studies, g.Study)
		}
	}
	slices.Sort(who.Studies)
	return who
}

// CheckRole refuses a word that is not a role, as fault.Invalid.
func CheckRole(role string) error {
	if !slices.Contains(policy.Roles(), policy.Role(role)) {
		return fault.Newf(fault.Invalid, "identity: no such role; choose from %s", policy.Join(policy.Roles(), ", "))
	}
	return nil
}

// Person finds a person who is not disabled; the error is of kind NotFound
// where there is none.
func (r *Registry) Person(ctx context.Context, name string) (*PersonInfo, error) {
	list, err := r.people(ctx, ` WHERE name = ?1 AND disabled = 0`, name)
	if err == nil && len(list) == 0 {
		err = errNobody
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// AnyPerson is Person for those that are disabled too.
func (r *Registry) AnyPerson(ctx context.Context, name string) (*PersonInfo, error) {
	list, err := r.people(ctx, ` WHERE name = ?1`, name)
	if err == nil && len(list) == 0 {
		err = errNobody
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// People lists everybody, those that are disabled too.
func (r *Registry) People(ctx context.Context) ([]*PersonInfo, error) {
	return r.people(ctx, ` WHERE ?1 = '' ORDER BY name`, "")
}

func (r *Registry) people(ctx context.Context, where, name string) (list []*PersonInfo, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanPerson, `SELECT name, role, created, disabled FROM person`+where, name)
		if err != nil {
			return err
		}

		for _, p := range list {
			if p.Studies, err = r.grants(ctx, tx, p.Name); err != nil {
				return err
			}
			if p.ByGroup, err = r.byGroup(ctx, tx, p.Name); err != nil {
				return err
			}
		}

		return nil
	})

	return list, err
}

func scanPerson(scan db.Scan) (*PersonInfo, error) {
	var p PersonInfo
	var created, disabled int64
	if err := scan(&p.Name, &p.Role, &created, &disabled); err != nil {
		return nil, err
	}
	p.Created = db.Instant(created)
	p.Disabled = db.Instant(disabled)

	return &p, nil
}

// grants are the studies that were granted to a person, and not to a group.
func (r *Registry) grants(ctx context.Context, tx *db.Tx, person string) ([]string, error) {
	return db.Column[string](ctx, tx, `SELECT study FROM study_grant WHERE person = ?1 ORDER BY study`, person)
}

// DisablePerson takes a person out, with all tokens, sessions, links for this
// person, and links the person made for others. The last administrator stays.
func (r *Registry) DisablePerson(ctx context.Context, name string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if err := notTheLast(ctx, tx, name); err != nil {
			return err
		}
		if _, err := r.book.Exec(ctx, tx, `UPDATE person SET disabled = ?2 WHERE name = ?1`, name, db.Millis(r.now())); err != nil {
			return err
		}
		if _, err := r.book.Exec(ctx, tx, `DELETE FROM person_link WHERE person = ?1`, name); err != nil {
			return err
		}
		_, err := r.endMade(ctx, tx, name, true)
		return err
	})
}

// EnablePerson lets somebody who was disabled come back, with the role and the
// granted studies of before, and without a password or a second factor: the
// one-time link that it returns is the way in. The account at an identity
// provider stays the same one, so that nobody else can take it.
func (r *Registry) EnablePerson(ctx context.Context, name string) (Link, string, error) {
	return r.newLink(ctx, Link{Purpose: NewPassword, Person: name, Factors: true}, func(tx *db.Tx) error {
		switch err := known(ctx, tx, name); {
		case err == nil:
			return fault.New(fault.Conflict,
				"identity: the person of this name is not disabled; 'collimator user link NAME' makes a link for another password")
		case !errors.Is(err, errDisabled):
			return err
		}
		if err := r.dropFactors(ctx, tx, name); err != nil {
			return err
		}
		if _, err := r.endMade(ctx, tx, name, true); err != nil {
			return err
		}
		_, err := r.book.Exec(ctx, tx, `UPDATE person SET disabled = 0, password_hash = '' WHERE name = ?1`, name)
		return err
	})
}

// notTheLast refuses what would leave nobody who can administrate, with kind Conflict.
func notTheLast(ctx context.Context, tx *db.Tx, name string) error {
	var others int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM person WHERE role = ?1 AND disabled = 0 AND name <> ?2`,
		Administrator, name).Scan(&others)
	if err != nil {
		return err
	}
	if err = known(ctx, tx, name); err != nil {
		return err
	}

	var role string
	err = tx.QueryRow(ctx, `SELECT role FROM person WHERE name = ?1`, name).Scan(&role)
	if err == nil && role == Administrator && others == 0 {
		return fault.New(fault.Conflict, "identity: this is the last administrator; register another one first")
	}
	return err
}

// SetRole gives a person another role and ends all sessions of this person, and
// the invitations the person made. The last administrator stays one.
func (r *Registry) SetRole(ctx context.Context, name, role string) error {
	if err := CheckRole(role); err != nil {
		return err
	}

	return r.db.Write(ctx, func(tx *db.Tx) error {
		if role != Administrator {
			if err := notTheLast(ctx, tx, name); err != nil {
				return err
			}
		}
		if err := known(ctx, tx, name); err != nil {
			return err
		}
		if _, err := r.book.Exec(ctx, tx, `UPDATE person SET role = ?2 WHERE name = ?1`, name, role); err != nil {
			return err
		}
		if _, err := r.book.Exec(ctx, tx, `DELETE FROM person_link WHERE maker = ?1`, name); err != nil {
			return err
		}
		return r.endSessions(ctx, tx, name)
	})
}

// SetPassword gives a person another password and ends all that EndMade ends:
// whoever knew the old one, or had a session, has nothing left.
func (r *Registry) SetPassword(ctx context.Context, name, password string) (e Ended, err error) {
	if err := CheckNewPerson(name, password); err != nil {
		return e, err
	}
	hash, err := r.hash(ctx, password)
	if err != nil {
		return e, err
	}
	err = r.db.Write(ctx, func(tx *db.Tx) error { e, err = r.setHash(ctx, tx, name, hash); return err })
	return e, err
}

func (r *Registry) setHash(ctx context.Context, tx *db.Tx, name, hash string) (Ended, error) {
	if err := known(ctx, tx, name); err != nil {
		return Ended{}, err
	}
	if _, err := r.book.Exec(ctx, tx, `UPDATE person SET password_hash = ?2 WHERE name = ?1`, name, hash); err != nil {
		return Ended{}, err
	}
	return r.endMade(ctx, tx, name, false)
}
