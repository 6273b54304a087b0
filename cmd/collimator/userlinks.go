package main

import (
	"fmt"

	"collimator/internal/audit"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/terminal"
)

type userLinksCmd struct {
	dataFlags
	outputFlag
	End string `help:"Withdraw the link of this person." placeholder:"NAME"`
}

func (userLinksCmd) Help() string {
	return `Invitations and links for a new password that can still be used. Their secrets are not kept, and not shown.

Examples:
  collimator user links
  collimator user links --end grace`
}

func (c *userLinksCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if c.End != "" {
			if err := in.Registry.EndLink(e.ctx, c.End); err != nil {
				return err
			}
			return personChanged(e, in, audit.Update, c.End, "one-time link withdrawn", fmt.Sprintf("The link of %s is withdrawn.", c.End))
		}

		list, err := in.Registry.Links(e.ctx)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "FOR|WHAT|ROLE|MADE BY|UNTIL", linkRow, "No one-time link is open.")
	})
}

func linkRow(l identity.Link) []string {
	what := string(l.Purpose)
	if l.Factors {
		what += ", and the second factors are dropped"
	}
	maker := l.Maker
	if maker == "" {
		maker = "the operator"
	}

	return []string{terminal.Dash(l.Person), what, terminal.Dash(l.Role), maker, terminal.Minute(l.Expires)}
}
