package main

import (
	"fmt"

	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/terminal"
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
		return terminal.List(e.stdout, c.Output, list, "NAME|ROLE|GRANTED STUDIES|SINCE|DISABLED", func(p *identity.PersonInfo) []string {
			granted := fmt.Sprint(len(p.Studies))
			if more := len(house.BySomeGroup(p)); more > 0 {
				granted += fmt.Sprintf(", %d more by a group", more)
			}
			return []string{p.Name, string(p.Role), granted, terminal.Day(p.Created), terminal.Day(p.Disabled)}
		}, "Nobody is registered. Register the first administrator with 'collimator init --admin NAME'.")
	})
}

type userShowCmd struct {
	dataFlags
	outputFlag
	Name string `arg:"" help:"Name."`
}

func (userShowCmd) Help() string { return "Example:\n  collimator user show practice-miller" }

func (c *userShowCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		p, err := in.PersonNamed(e.ctx, c.Name)
		if err != nil {
			return err
		}
		others, err := in.OtherGroups(e.ctx)
		if err != nil {
			return err
		}
		e.hint(others...)
		if c.Output == "json" {
			return terminal.JSON(e.stdout, p)
		}
		_, err = fmt.Fprint(e.stdout, p.Text())
		return err
	})
}
