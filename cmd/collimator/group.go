package main

import (
	"fmt"
	"strings"

	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

type groupCmd struct {
	Grant   groupGrantCmd   `cmd:"" help:"Let the referrers of a group see a study."`
	Ungrant groupUngrantCmd `cmd:"" help:"Take a granted study back."`
	List    groupListCmd    `cmd:"" help:"List what is granted to groups, and who is in them."`
}

type groupGrantCmd struct {
	dataFlags
	Name   string   `arg:"" help:"Name of the group, as the identity provider spells it."`
	Study  []string `required:"" help:"Study Instance UIDs; those of a route of the gate as ROUTE/UID." placeholder:"[ROUTE/]UID"`
	Anyway bool     `help:"Grant a study of which nothing is stored yet."`
}

func (groupGrantCmd) Help() string {
	return `A person is in the groups that the identity provider named at the last sign-in (signin.oidc.group_claim).
They count in sessions that began at the provider, for 12 hours from the sign-in on: not with a password of this archive,
a token or at a workstation. A grant to a group that had none counts from the next sign-in on. A study of which nothing
is stored is named and not granted (exit code 3); --anyway grants it.

Example:
  collimator group grant practice-miller --study 1.2.3`
}

func (c *groupGrantCmd) Run(e *env) error {
	if err := house.CheckStudies(c.Study); err != nil {
		return err
	}
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		if in.Config.SignIn.OIDC.GroupClaim == "" {
			fmt.Fprintln(e.stderr, "collimator: nobody is in a group until signin.oidc.group_claim names the claim that holds them")
		}

		return granted(e, in, a, "The group "+c.Name, house.Grantee{Group: c.Name}, c.Study, c.Anyway)
	})
}

type groupUngrantCmd struct {
	dataFlags
	Name  string   `arg:"" help:"Name of the group."`
	Study []string `required:"" help:"Study Instance UIDs; those of a route of the gate as ROUTE/UID." placeholder:"[ROUTE/]UID"`
}

func (groupUngrantCmd) Help() string {
	return `The next request finds the study closed for who saw it by this group alone. To whom else it is granted is said.

Example:
  collimator group ungrant practice-miller --study 1.2.3`
}

func (c *groupUngrantCmd) Run(e *env) error {
	if err := house.CheckStudies(c.Study); err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		missing, err := in.TakeBackFromGroup(e.ctx, c.Name, c.Study, func(study string) error {
			still, err := in.StillGranted(e.ctx, study)
			e.hint(still...)
			return err
		})
		if err != nil {
			return err
		}

		if taken := len(c.Study) - len(missing); taken > 0 {
			fmt.Fprintf(e.stdout, "%s taken back from the group %s.\n", phrase.Count(taken, "study is", "studies are"), c.Name)
		}
		return in.NotGranted(e.ctx, c.Name, missing, len(missing) == len(c.Study))
	})
}

type groupListCmd struct {
	dataFlags
	outputFlag
}

func (groupListCmd) Help() string {
	return `PEOPLE are those of whom the identity provider named the group at the last sign-in. What is granted to one of
them in person, too, is seen without the group: 'user ungrant' takes it back.

Example:
  collimator group list`
}

func (c *groupListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Registry.GroupGrants(e.ctx)
		if err != nil {
			return err
		}
		others, err := in.OtherGroups(e.ctx)
		if err != nil {
			return err
		}
		e.hint(others...)
		return terminal.List(e.stdout, c.Output, list, "GROUP|STUDIES|PEOPLE|ALSO GRANTED IN PERSON",
			func(g identity.GroupGrants) []string {
				var also []string
				for _, s := range g.Also {
					also = append(also, s.Study+" to "+s.Person)
				}
				return []string{g.Group, strings.Join(g.Studies, " "), terminal.Dash(strings.Join(g.People, " ")),
					terminal.Dash(strings.Join(also, ", "))}
			}, "Nothing is granted to a group.")
	})
}
