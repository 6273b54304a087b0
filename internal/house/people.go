package house

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
)

// LinkFor makes a one-time link by which a person chooses a password, and records it.
// Somebody new needs a role. advice says that the link will not be taken; it is empty
// where it will.
func (in *Installation) LinkFor(ctx context.Context, name, role string, factors bool) (l identity.Link, secret, advice string, err error) {
	l, secret, err = in.Registry.PersonLink(ctx, name, role, factors)
	if fault.Of(err) == fault.NotFound && role == "" {
		return l, "", "", fault.Newf(fault.NotFound,
			"nobody of this name is registered; see 'collimator user list'. "+
				"For somebody new say as what: --role with one of %s", roleNames())
	}
	if err != nil {
		return l, "", "", err
	}

	if s := in.Config.SignIn; !s.Local && !slices.Contains(s.BreakGlass, name) {
		advice = "the link will not be taken: people sign in at the identity provider alone, " +
			"but for those of signin.break_glass (signin.local)"
	}
	o := audit.Object{Person: name, Detail: "one-time link: " + string(l.Purpose)}
	return l, secret, advice, in.Note(ctx, audit.PersonChanged, audit.Create, o)
}

// roleNames are the roles as a list for people.
func roleNames() string {
	var names []string
	for _, r := range policy.Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// LetBack lets somebody who was disabled come back by a one-time link, and records it.
// as says with which role and studies.
func (in *Installation) LetBack(ctx context.Context, name string) (l identity.Link, secret, as string, err error) {
	l, secret, err = in.Registry.EnablePerson(ctx, name)
	if err != nil {
		return l, "", "", err
	}
	p, err := in.Registry.Person(ctx, name)
	if err != nil {
		return l, "", "", err
	}

	as = fmt.Sprintf("%s with %s", p.Role, phrase.Count(len(p.Studies), "granted study", "granted studies"))
	o := audit.Object{Person: name, Detail: "enabled again; one-time link: " + string(l.Purpose)}
	return l, secret, as, in.Note(ctx, audit.PersonChanged, audit.Update, o)
}
