package main

import (
	"fmt"
	"slices"
	"strings"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/phrase"
)

type groupCmd struct {
	Grant   groupGrantCmd   `cmd:"" help:"Let the referrers of a group see a study."`
	Ungrant groupUngrantCmd `cmd:"" help:"Take a granted study back."`
	List    groupListCmd    `cmd:"" help:"List what is granted to groups, and who is in them."`
}

type groupGrantCmd struct {
	dataFlags
	Name   string   `arg:"" help:"Name of the group, as the identity provider spells it."`
	Study  []string `required:"" help:"Study Instance UIDs." placeholder:"UID"`
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
	if err := checkUIDs(c.Study); err != nil {
		return err
	}
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		if in.Config.SignIn.OIDC.GroupClaim == "" {
			fmt.Fprintln(e.stderr, "collimator: nobody is in a group until signin.oidc.group_claim names the claim that holds them")
		}

		to := grantee{name: "The group " + c.Name, detail: "study granted to the group " + c.Name,
			grant: func(study string) error { return in.Registry.GrantToGroup(e.ctx, c.Name, study) }}
		return to.see(e, in, a, c.Study, c.Anyway)
	})
}

type groupUngrantCmd struct {
	dataFlags
	Name  string   `arg:"" help:"Name of the group."`
	Study []string `required:"" help:"Study Instance UIDs." placeholder:"UID"`
}

func (groupUngrantCmd) Help() string {
	return `The next request finds the study closed for who saw it by this group alone. To whom else it is granted is said.

Example:
  collimator group ungrant practice-miller --study 1.2.3`
}

func (c *groupUngrantCmd) Run(e *env) error {
	if err := checkUIDs(c.Study); err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		var missing []string
		for _, s := range c.Study {
			err := in.Registry.UngrantToGroup(e.ctx, c.Name, s)
			if fault.Of(err) == fault.NotFound { // the others are taken back all the same
				missing = append(missing, s)
				continue
			}
			if err != nil {
				return err
			}

			o := audit.Object{Study: s, Detail: "study not granted any more to the group " + c.Name}
			if err := in.Record(e.ctx, audit.Record{Event: audit.PersonChanged, Action: audit.Update, Objects: []audit.Object{o}}); err != nil {
				return err
			}
			if err := tellWhoElse(e, in, s); err != nil {
				return err
			}
		}

		if taken := len(c.Study) - len(missing); taken > 0 {
			fmt.Fprintf(e.stdout, "%s taken back from the group %s.\n", phrase.Count(taken, "study is", "studies are"), c.Name)
		}
		return c.notGranted(e, in, missing)
	})
}

// notGranted says which studies were not granted to the group, and what is: its
// name may be mistyped.
func (c *groupUngrantCmd) notGranted(e *env, in *house.Installation, missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	list, err := in.Registry.GroupGrants(e.ctx)
	if err != nil {
		return err
	}

	known := slices.ContainsFunc(list, func(g identity.GroupGrants) bool { return g.Group == c.Name })
	if !known && len(missing) == len(c.Study) {
		return fault.Newf(fault.NotFound, "nothing is granted to a group %s: it is spelled as the identity provider does, large and small letters too; 'collimator group list' names the groups", c.Name)
	}
	return fault.Newf(fault.NotFound, "not granted to the group %s: %s; 'collimator group list' names what is", c.Name, strings.Join(missing, " "))
}

// tellWhoElse names to whom a study is granted still.
func tellWhoElse(e *env, in *house.Installation, study string) error {
	people, groups, err := in.Registry.GrantedTo(e.ctx, study)
	if err != nil {
		return err
	}

	if len(people) > 0 {
		fmt.Fprintf(e.stderr, "collimator: %s is still granted in person to %s ('collimator user ungrant')\n", study, strings.Join(people, ", "))
	}
	if len(groups) > 0 {
		fmt.Fprintf(e.stderr, "collimator: %s is still granted to the %s %s ('collimator group ungrant')\n",
			study, phrase.Of(len(groups), "group", "groups"), strings.Join(groups, ", "))
	}
	return nil
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
		if err := tellOtherGroups(e, in); err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "GROUP|STUDIES|PEOPLE|ALSO GRANTED IN PERSON", func(g identity.GroupGrants) []string {
			var also []string
			for _, s := range g.Also {
				also = append(also, s.Study+" to "+s.Person)
			}
			return []string{g.Group, strings.Join(g.Studies, " "), dash(strings.Join(g.People, " ")), dash(strings.Join(also, ", "))}
		}, "Nothing is granted to a group.")
	})
}

// tellOtherGroups says which groups do not count by these settings: the settings may
// have changed, or the command may have others than the server.
func tellOtherGroups(e *env, in *house.Installation) error {
	others, err := in.Registry.OtherGroups(e.ctx)
	for _, s := range others {
		fmt.Fprintf(e.stderr, "collimator: groups that %s named in the claim %s do not count by these settings (signin.oidc.issuer and group_claim) and are not shown; give --config where the server has others\n",
			s.Issuer, s.Claim)
	}
	return err
}
