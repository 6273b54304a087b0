package main

import (
	"fmt"
	"strings"

	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/shown"
)

type userListCmd struct {
	dataFlags
	outputFlag
}

func (userListCmd) Help() string {
	return "'user show NAME' says which studies are granted.\n\nExample:\n  collimator user list -o json"
}

func (c *userListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Registry.People(e.ctx)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "NAME|ROLE|GRANTED STUDIES|SINCE|DISABLED", func(p *identity.PersonInfo) []string {
			return []string{p.Name, string(p.Role), fmt.Sprint(len(p.Studies)), day(p.Created), day(p.Disabled)}
		}, "Nobody is registered. Register the first administrator with 'collimator init --admin NAME'.")
	})
}

type userShowCmd struct {
	dataFlags
	outputFlag
	Name string `arg:"" help:"Name."`
}

func (userShowCmd) Help() string { return "Example:\n  collimator user show practice-miller" }

// shownPerson is a person with what leads to a session.
type shownPerson struct {
	*identity.PersonInfo
	Factors   identity.Factors `json:"factors"`
	Providers []string         `json:"identityProviders,omitempty"` // issuers
	Groups    []string         `json:"groups,omitempty"`            // to which studies are granted
}

func (c *userShowCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		p, err := in.Registry.AnyPerson(e.ctx, c.Name)
		if err != nil {
			return err
		}
		shown := shownPerson{PersonInfo: p}
		if shown.Factors, err = in.Registry.Factors(e.ctx, c.Name); err != nil {
			return err
		}
		if shown.Providers, err = in.Registry.Subjects(e.ctx, c.Name); err != nil {
			return err
		}
		if shown.Groups, err = in.Registry.Groups(e.ctx, c.Name); err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(e.stdout, shown)
		}
		return write(e.stdout, shown.text())
	})
}

func (p shownPerson) text() string {
	var b strings.Builder
	line := func(label, text string) { fmt.Fprintf(&b, "%-16s %s\n", label, shown.Text(text)) }
	line("Name", p.Name)
	line("Role", string(p.Role))
	line("Since", day(p.Created))
	if !p.Disabled.IsZero() {
		line("Disabled", day(p.Disabled)+"; 'collimator user enable' lets the person come back")
	}

	app := "no authenticator app"
	if p.Factors.TOTP {
		app = "authenticator app"
	}
	line("Second factors", fmt.Sprintf("%s, %s, %s", app,
		phrase.Count(p.Factors.Passkeys, "passkey", "passkeys"), phrase.Count(p.Factors.Recovery, "recovery code", "recovery codes")))

	for _, issuer := range p.Providers {
		line("Signs in at", issuer)
	}
	for _, group := range p.Groups {
		line("In the group", group)
	}

	line("Granted studies", fmt.Sprint(len(p.Studies)))
	for _, s := range p.Studies {
		line("", s)
	}
	return b.String()
}
