package main

import (
	"fmt"
	"slices"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/policy"
)

type userGrantCmd struct {
	dataFlags
	Name   string   `arg:"" help:"Name."`
	Study  []string `required:"" help:"Study Instance UIDs." placeholder:"UID"`
	Anyway bool     `help:"Grant a study of which nothing is stored yet."`
}

func (userGrantCmd) Help() string {
	return `A study of which nothing is stored is named and not granted (exit code 3), because it is mistyped
more often than early; --anyway grants it.

Example:
  collimator user grant practice-miller --study 1.2.3`
}

func (c *userGrantCmd) Run(e *env) error {
	if err := checkUIDs(c.Study); err != nil {
		return err
	}
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		p, err := in.Registry.AnyPerson(e.ctx, c.Name)
		if err != nil {
			return err
		}
		sight := policy.New().Decide(policy.Request{Principal: p.Principal(), Verb: policy.Query, Now: time.Now()}).Sight
		if sight.Everything {
			fmt.Fprintf(e.stderr, "collimator: %s is %s and sees every study without a grant\n", c.Name, p.Role)
		}

		to := grantee{name: c.Name, person: c.Name, detail: "study granted",
			grant: func(study string) error { return in.Registry.GrantStudy(e.ctx, c.Name, study) }}
		return to.see(e, in, a, c.Study, c.Anyway)
	})
}

// grantee is to whom studies are granted: a person, or a group.
type grantee struct {
	name   string // with which the answer begins
	person string // of the record; empty for a group
	detail string // of the record
	grant  func(study string) error
}

// see grants one study after the other. One of which nothing is stored is named
// and left out, unless it is to be granted anyway.
func (g grantee) see(e *env, in *house.Installation, a *archive.Archive, studies []string, anyway bool) error {
	granted := 0
	for _, s := range studies {
		err := present(e, a, s)
		if fault.Of(err) == fault.NotFound && !anyway {
			fmt.Fprintf(e.stderr, "%s: nothing is stored under this Study Instance UID; not granted.\n", s)
			continue
		}
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		if err := g.grant(s); err != nil {
			return err
		}

		o := studyObject(e.ctx, a, s, g.detail)
		o.Person = g.person
		if err := in.Record(e.ctx, audit.Record{Event: audit.PersonChanged, Action: audit.Update, Objects: []audit.Object{o}}); err != nil {
			return err
		}
		granted++
	}

	fmt.Fprintf(e.stdout, "%s may see %d more %s.\n", g.name, granted, phrase.Of(granted, "study", "studies"))
	if missing := len(studies) - granted; missing > 0 {
		return &exitError{exitPartial, fmt.Errorf("%d of %s not granted; --anyway grants what comes later",
			missing, phrase.Count(len(studies), "study", "studies"))}
	}
	return nil
}

type userUngrantCmd struct {
	dataFlags
	Name  string   `arg:"" help:"Name."`
	Study []string `required:"" help:"Study Instance UIDs." placeholder:"UID"`
}

func (userUngrantCmd) Help() string {
	return `Takes back what was granted in person: the next request finds the study closed. What the person sees by a
group stays, and is said; 'group ungrant' takes that back.

Example:
  collimator user ungrant practice-miller --study 1.2.3`
}

func (c *userUngrantCmd) Run(e *env) error {
	if err := checkUIDs(c.Study); err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		for _, s := range c.Study {
			if err := in.Registry.UngrantStudy(e.ctx, c.Name, s); err != nil {
				return err
			}
			r := audit.Record{Event: audit.PersonChanged, Action: audit.Update, Objects: []audit.Object{{Person: c.Name, Study: s, Detail: "study not granted any more"}}}
			if err := in.Record(e.ctx, r); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(e.stdout, "%s taken back from %s.\n", phrase.Count(len(c.Study), "study is", "studies are"), c.Name); err != nil {
			return err
		}
		return c.tellGroups(e, in)
	})
}

// tellGroups names the groups by which the person sees one of the studies still.
func (c *userUngrantCmd) tellGroups(e *env, in *house.Installation) error {
	p, err := in.Registry.AnyPerson(e.ctx, c.Name)
	if err != nil {
		return err
	}
	for _, g := range p.ByGroup {
		if slices.Contains(c.Study, g.Study) {
			fmt.Fprintf(e.stderr, "collimator: %s sees %s still by the group %s ('collimator group ungrant')\n", c.Name, g.Study, g.Group)
		}
	}
	return nil
}

func checkUIDs(studies []string) error {
	for _, s := range studies {
		if !uid.Tolerable(s) {
			return usageError("--study: %q is no UID", s)
		}
	}
	return nil
}
