package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"collimator/internal/audit"
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
		return &exitError{exitUsage, err}
	}
	in, err := e.open(cfg, true)
	if err != nil {
		return err
	}
	return errors.Join(c.add(e, in, password), in.Close())
}

func (c *initCmd) add(e *env, in *house.Installation, password string) error {
	has, err := in.Registry.HasAdministrator(e.ctx)
	if err != nil {
		return err
	}
	if has {
		return fmt.Errorf("%s has an administrator already; nothing was changed", in.Config.Data)
	}
	if err := in.Registry.AddPerson(e.ctx, c.Admin, identity.Administrator, password); err != nil {
		return err
	}
	if err := in.Record(e.ctx, audit.Record{Event: audit.PersonChanged, Action: audit.Create, Objects: []audit.Object{{Person: c.Admin, Detail: identity.Administrator}}}); err != nil {
		return err
	}
	if err := firstRecovery(e, in); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "Made %s with administrator %s.\nNext: collimator serve --data %s\n", in.Config.Data, c.Admin, in.Config.Data)
	return err
}

func (c *passwordFlag) read(e *env) (string, error) {
	switch c.PasswordFile {
	case "-":
		return house.FirstLine(e.stdin)
	case "":
		return askPassword(e)
	}
	f, err := os.Open(c.PasswordFile)
	if err != nil {
		return "", usageError("--password-file: %w", err)
	}
	defer f.Close()
	return house.FirstLine(f)
}

// askPassword asks twice at the terminal, without echo.
func askPassword(e *env) (string, error) {
	in, ok := e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usageError("there is no terminal to ask for a password at: use --password-file FILE, or --password-file - for standard input")
	}
	var typed [2]string
	for i, prompt := range []string{"New password: ", "The same again: "} {
		fmt.Fprint(e.stderr, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(e.stderr)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", usageError("the two passwords differ; nothing was made")
	}
	return typed[0], nil
}
