package main

import (
	"fmt"
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
	return `A person is in the groups that the identity provider named at the last sign-in (signin.oidc.group_claim),
for 12 hours; a grant to a group that had none counts from the next sign-in on. A study of which nothing is stored is named and not
granted (exit code 3); --anyway grants it.

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
	return "The next request finds the study closed.\n\nExample:\n  collimator group ungrant practice-miller --study 1.2.3"
}

func (c *groupUngrantCmd) Run(e *env) error {
	if err := checkUIDs(c.Study); err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		taken := 0
		var missing error
		for _, s := range c.Study {
			err := in.Registry.UngrantToGroup(e.ctx, c.Name, s)
			if fault.Of(err) == fault.NotFound { // the others are taken back all the same
				missing = err
				continue
			}
			if err != nil {
				return err
			}
			taken++
			o := audit.Object{Study: s, Detail: "study not granted any more to the group " + c.Name}
			if err := in.Record(e.ctx, audit.Record{Event: audit.PersonChanged, Action: audit.Update, Objects: []audit.Object{o}}); err != nil {
				return err
			}
		}

		fmt.Fprintf(e.stdout, "%s taken back from the group %s.\n", phrase.Count(taken, "study is", "studies are"), c.Name)
		return missing
	})
}

type groupListCmd struct {
	dataFlags
	outputFlag
}

func (groupListCmd) Help() string { return "Example:\n  collimator group list" }

func (c *groupListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Registry.GroupGrants(e.ctx)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "GROUP|STUDIES|PEOPLE", func(g identity.GroupGrants) []string {
			return []string{g.Group, strings.Join(g.Studies, " "), dash(strings.Join(g.People, " "))}
		}, "Nothing is granted to a group.")
	})
}
