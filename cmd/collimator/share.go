package main

import (
	"cmp"
	"fmt"
	"time"

	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/terminal"
)

type shareCmd struct {
	Create shareCreateCmd `cmd:"" help:"Make a link to one study; it is printed once."`
	List   shareListCmd   `cmd:"" help:"List the links."`
	Revoke shareRevokeCmd `cmd:"" help:"End a link now."`
}

type shareCreateCmd struct {
	dataFlags
	Study        string            `required:"" help:"Study Instance UID; of a route of the gate ROUTE/UID." placeholder:"[ROUTE/]UID"`
	Expires      terminal.Lifetime `help:"How long it is valid, at most 92d." default:"7d"`
	Password     bool              `help:"Make a password, to be told on another way than the link."`
	Deidentified bool              `help:"Show the study without identity; images that may show the patient are left out."`
}

func (shareCreateCmd) Help() string {
	return `Who has the link sees this study and nothing else, in a browser, without an account. The link is
printed once and kept only as a hash.

Example:
  collimator share create --study 1.2.3 --expires 7d --password`
}

func (c *shareCreateCmd) Run(e *env) error {
	if err := house.CheckStudies([]string{c.Study}); err != nil {
		return err
	}
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		s, secret, password, err := in.Share(e.ctx, a, identity.NewShare{
			Study:        c.Study,
			Deidentified: c.Deidentified,
			Password:     c.Password,
			Lifetime:     time.Duration(c.Expires),
		})
		if err != nil {
			return err
		}

		fmt.Fprintf(e.stderr, "Link %s, valid until %s. It is shown only now:\n", s.ID, terminal.Minute(s.Expires))
		e.hint(house.LinkAdvice(in.Config))
		fmt.Fprintln(e.stdout, house.ShareAddress(in.Config)+secret)
		if password != "" {
			fmt.Fprintf(e.stderr, "Tell the password on another way: %s\n", password)
		}
		return nil
	})
}

type shareListCmd struct {
	dataFlags
	outputFlag
}

func (shareListCmd) Help() string { return "Example:\n  collimator share list" }

func (c *shareListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Registry.Shares(e.ctx, "")
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "LINK|STUDY|SHOWS|PASSWORD|BY|UNTIL|LAST USED|REVOKED",
			shareRow, "There is no link. Make one with 'collimator share create --study UID'.")
	})
}

func shareRow(s *identity.Share) []string {
	shows := "everything"
	if s.Deidentified {
		shows = "no identity"
	}
	return []string{s.ID, s.Study, shows, terminal.YesNo(s.HasPassword), cmp.Or(s.Owner, "operator"), terminal.Minute(s.Expires),
		terminal.MinuteOr(s.Used, "never"), terminal.MinuteOr(s.Revoked, "-")}
}

type shareRevokeCmd struct {
	dataFlags
	ID string `arg:"" name:"link" help:"Number from 'share list'."`
}

func (shareRevokeCmd) Help() string {
	return "Browsers that opened it see nothing more.\n\nExample:\n  collimator share revoke 1f2e3d4c5b"
}

func (c *shareRevokeCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.RevokeShare(e.ctx, c.ID); err != nil {
			return err
		}
		return e.say("Link %s is revoked.\n", c.ID)
	})
}
