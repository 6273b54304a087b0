package main

import (
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/phrase"
)

type userGrantCmd struct {
	dataFlags
	Name   string   `arg:"" help:"Name."`
	Study  []string `required:"" help:"Study Instance UIDs; those of a route of the gate as ROUTE/UID." placeholder:"[ROUTE/]UID"`
	Anyway bool     `help:"Grant a study of which nothing is stored yet."`
}

func (userGrantCmd) Help() string {
	return `A study of which nothing is stored is named and not granted (exit code 3), because it is mistyped
more often than early; --anyway grants it.

Example:
  collimator user grant practice-miller --study 1.2.3`
}

func (c *userGrantCmd) Run(e *env) error {
	if err := house.CheckStudies(c.Study); err != nil {
		return err
	}
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		all, err := in.SeesAll(e.ctx, c.Name)
		if err != nil {
			return err
		}
		e.hint(all)

		return granted(e, in, a, c.Name, house.Grantee{Person: c.Name}, c.Study, c.Anyway)
	})
}

// granted grants studies and says how many: name is with which the answer begins.
func granted(e *env, in *house.Installation, a *archive.Archive, name string, to house.Grantee, studies []string, anyway bool) error {
	missing, err := in.GrantStudies(e.ctx, a, to, studies, anyway)
	for _, s := range missing {
		fmt.Fprintf(e.stderr, "%s: nothing is stored under this Study Instance UID; not granted.\n", s)
	}
	if err != nil {
		return err
	}

	n := len(studies) - len(missing)
	fmt.Fprintf(e.stdout, "%s may see %d more %s.\n", name, n, phrase.Of(n, "study", "studies"))
	if len(missing) > 0 {
		return fault.Partial("%d of %s not granted; --anyway grants what comes later",
			len(missing), phrase.Count(len(studies), "study", "studies"))
	}
	return nil
}

type userUngrantCmd struct {
	dataFlags
	Name  string   `arg:"" help:"Name."`
	Study []string `required:"" help:"Study Instance UIDs; those of a route of the gate as ROUTE/UID." placeholder:"[ROUTE/]UID"`
}

func (userUngrantCmd) Help() string {
	return `Takes back what was granted in person: the next request finds the study closed. What the person sees by a
group stays, and is said; 'group ungrant' takes that back.

Example:
  collimator user ungrant practice-miller --study 1.2.3`
}

func (c *userUngrantCmd) Run(e *env) error {
	if err := house.CheckStudies(c.Study); err != nil {
		return err
	}

	return c.with(e, func(in *house.Installation) error {
		if err := in.TakeBack(e.ctx, c.Name, c.Study); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e.stdout, "%s taken back from %s.\n",
			phrase.Count(len(c.Study), "study is", "studies are"), c.Name); err != nil {
			return err
		}
		still, err := in.StillByGroup(e.ctx, c.Name, c.Study)
		e.hint(still...)
		return err
	})
}
