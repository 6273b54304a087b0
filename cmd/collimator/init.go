package main

import (
	"errors"

	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
)

type initCmd struct {
	dataFlags
	passwordFlag
	Admin string `required:"" help:"Name of the first administrator." placeholder:"NAME"`
}

// passwordFlag says where a new password comes from.
type passwordFlag struct {
	PasswordFile string `help:"Read the password from this file (first line); - for standard input. Without it you are asked." placeholder:"FILE"`
}

func (initCmd) Help() string {
	return `Makes the data directory, its certificate authority and the first administrator. There is no
default password; one of 12 characters or more is needed.

Example:
  collimator init --data ./data --admin ada`
}

func (c *initCmd) Run(e *env) error {
	cfg, err := c.loadChecked()
	if err != nil {
		return err
	}

	password, err := c.read(e)
	if err != nil {
		return err
	}

	if err := identity.CheckNewPerson(c.Admin, password); err != nil {
		return fault.Ended(fault.Misused, err)
	}

	in, err := e.open(cfg, true)
	if err != nil {
		return err
	}
	return errors.Join(c.add(e, in, password), in.Close())
}

func (c *initCmd) add(e *env, in *house.Installation, password string) error {
	if err := in.FirstAdministrator(e.ctx, c.Admin, password); err != nil {
		return err
	}
	if err := in.OfferRecoveryKey(e.ctx, e.stdout); err != nil {
		return err
	}
	if err := e.say("Made %s with administrator %s.\n", in.Config.Data, c.Admin); err != nil || in.Served() {
		return err
	}
	return e.say("Next: collimator serve --data %s\n", in.Config.Data)
}

// read gives the password of the flag, or asks.
func (c *passwordFlag) read(e *env) (string, error) {
	return e.asking().NewPassword(c.PasswordFile)
}
