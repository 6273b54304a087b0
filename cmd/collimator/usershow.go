package main

import (
	"fmt"
	"slices"
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
			granted := fmt.Sprint(len(p.Studies))
			if more := len(bySomeGroup(p)); more > 0 {
				granted += fmt.Sprintf(", %d more by a group", more)
			}
			return []string{p.Name, string(p.Role), granted, day(p.Created), day(p.Disabled)}
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
	Groups    []string         `json:"groups,omitempty"`            // that the provider named, to which studies are granted
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
		if err := tellOtherGroups(e, in); err != nil {
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
	line("Granted studies", fmt.Sprint(len(p.Studies)))
	for _, s := range p.Studies {
		line("", s)
	}
	for _, group := range p.Groups {
		opened := p.openedBy(group)
		line("In the group", fmt.Sprintf("%s, which opens %s in a session that began at the identity provider",
			group, phrase.Count(len(opened), "study", "studies")))
		for _, s := range opened {
			line("", s)
		}
	}
	return b.String()
}

// openedBy are the studies that a person sees by one group.
func (p shownPerson) openedBy(group string) (studies []string) {
	for _, g := range p.ByGroup {
		if g.Group == group {
			studies = append(studies, g.Study)
		}
	}
	return studies
}

// bySomeGroup are the studies that a person sees by groups alone.
func bySomeGroup(p *identity.PersonInfo) (studies []string) {
	for _, g := range p.ByGroup {
		if !slices.Contains(p.Studies, g.Study) && !slices.Contains(studies, g.Study) {
			studies = append(studies, g.Study)
		}
	}
	return studies
}
