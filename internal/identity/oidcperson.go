package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// person finds or makes the person of an identity token.
func (o *OIDC) person(ctx context.Context, subject string, claims map[string]any) (name, change string, err error) {
	name, _ = claims[o.o.NameClaim].(string)
	role, mapped := o.role(claims)
	f := &OIDCFailure{Person: name, Subject: subject, shown: errClaim}

	switch {
	case subject == "":
		f.Reason = reasonClaim + "sub"
	case checkName(name) != nil:
		f.Reason = reasonClaim + o.o.NameClaim
		f.Person = ""
	case o.o.RoleClaim != "" && claims[o.o.RoleClaim] == nil:
		f.Reason = reasonClaim + o.o.RoleClaim
	case o.o.RoleClaim != "" && !mapped:
		f.Reason = reasonRole
		f.shown = errNoRole
	}

	if f.Reason != "" {
		return "", "", errors.Join(o.named(ctx, f), o.registry.dropGroups(ctx, o.o.Issuer, subject))
	}

	name, change, err = o.bind(ctx, subject, name, role)
	if err != nil {
		return "", "", err
	}

	// The role first: where it cannot be given nobody comes in, and no group counts anew.
	changes := []string{change}
	for _, step := range []func() (string, error){
		func() (string, error) { return o.takeRole(ctx, name, role) },
		func() (string, error) { return o.takeGroups(ctx, name, claims) },
	} {
		done, err := step()
		changes = append(changes, done)
		if err != nil {
			return name, clauses(changes), err
		}
	}
	return name, clauses(changes), nil
}

// clauses joins what became of somebody, for the trail; empty texts say nothing.
func clauses(changes []string) string {
	changes = slices.DeleteFunc(changes, func(c string) bool { return c == "" })
	return strings.Join(changes, "; ")
}

// takeRole gives a person the role that the provider says, and says so where it is
// another one than before. Without a role claim it stays.
func (o *OIDC) takeRole(ctx context.Context, name, role string) (change string, err error) {
	if role == "" {
		return "", nil
	}
	p, err := o.registry.Person(ctx, name)
	if err != nil || string(p.Role) == role {
		return "", err
	}
	if err := o.registry.SetRole(ctx, name, role); err != nil {
		return "", err
	}
	return "role " + role + " by the identity provider", nil
}

// named adds to a failure the person whom the subject means here, where it means
// somebody. It returns f, or an error of the database.
func (o *OIDC) named(ctx context.Context, f *OIDCFailure) error {
	err := o.registry.db.Read(ctx, func(tx *db.Tx) error {
		var bound string
		err := tx.QueryRow(ctx, `SELECT person FROM person_subject WHERE issuer = ?1 AND subject = ?2`, o.o.Issuer, f.Subject).Scan(&bound)
		if err == nil {
			f.Person = bound
			f.Known = true
			return nil
		}

		if fault.Of(err) != fault.NotFound || f.Person == "" {
			return err
		}
		f.Known = known(ctx, tx, f.Person) == nil
		return nil
	})
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	return f
}

// bind ties a subject to a person at the first sign-in. From then on the
// subject counts and not the name, which some providers let people choose.
func (o *OIDC) bind(ctx context.Context, subject, name, role string) (person, change string, err error) {
	fail := func(reason, person string, known bool) error {
		return &OIDCFailure{Reason: reason, Person: person, Known: known, Subject: subject, shown: errNotRegistered}
	}

	err = o.registry.db.Write(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT person FROM person_subject WHERE issuer = ?1 AND subject = ?2`, o.o.Issuer, subject).Scan(&person)
		if err == nil {
			err = present(ctx, tx, person)
			if fault.Of(err) == fault.NotFound {
				return fail(reasonDisabled, person, true)
			}
			return err
		}

		if fault.Of(err) != fault.NotFound {
			return err
		}

		person = name
		change = "bound to the identity provider"
		switch err := known(ctx, tx, name); {
		case errors.Is(err, errNobody) && o.o.Create:
			change = "made by the identity provider as " + role
			if err := o.registry.insertPerson(ctx, tx, name, role, ""); err != nil {
				return err
			}
		case fault.Of(err) == fault.NotFound:
			return fail(reasonUnknown, name, false)
		case fault.Of(err) == fault.Conflict:
			return fail(reasonDisabled, name, true)
		case err != nil:
			return err
		}
		n, err := o.registry.book.Exec(ctx, tx,
			`INSERT INTO person_subject (issuer, subject, person) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`, o.o.Issuer, subject, name)
		if err == nil && n == 0 {
			return fail(reasonBound, name, true)
		}
		return err
	})
	return person, change, err
}

// role is the first that fits the role claim.
func (o *OIDC) role(claims map[string]any) (string, bool) {
	has := texts(claims[o.o.RoleClaim])
	for _, m := range o.o.Roles {
		if slices.Contains(has, m.Value) {
			return m.Role, true
		}
	}
	return "", false
}
