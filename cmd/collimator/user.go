package main

import (
	"fmt"

	"collimator/dicom/uid"
	"collimator/internal/audit"
	"collimator/internal/identity"
)

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Register a person."`
	List     userListCmd     `cmd:"" help:"List the people."`
	Grant    userGrantCmd    `cmd:"" help:"Let a referrer see a study."`
	Passwd   userPasswdCmd   `cmd:"" help:"Give a person another password."`
	Role     userRoleCmd     `cmd:"" help:"Give a person another role."`
	Link     userLinkCmd     `cmd:"" help:"Make a one-time link for a new person or a forgotten password."`
	TOTP     userTOTPCmd     `cmd:"" name:"totp" help:"Set up an authenticator app as second factor."`
	Recovery userRecoveryCmd `cmd:"" help:"Make new recovery codes."`
	Sessions userSessionsCmd `cmd:"" help:"List where a person is signed in, or end it."`
	Disable  userDisableCmd  `cmd:"" help:"Take a person out, with all sessions, tokens and links."`
}

type userAddCmd struct {
	dataFlags
	passwordFlag
	Name string `arg:"" help:"Name."`
	Role string `required:"" help:"administrator, radiologist, technologist, referrer, researcher or auditor." placeholder:"ROLE"`
}

func (userAddCmd) Help() string {
	return "Example:\n  collimator user add grace --role radiologist"
}

func (c *userAddCmd) Run(e *env) error {
	if err := identity.CheckRole(c.Role); err != nil {
		return &exitError{exitUsage, err}
	}
	password, err := c.read(e)
	if err != nil {
		return err
	}
	return c.with(e, func(in *installation) error {
		if err := in.registry.AddPerson(e.ctx, c.Name, c.Role, password); err != nil {
			return err
		}
		return personChanged(e, in, audit.Create, c.Name, c.Role, fmt.Sprintf("%s is registered as %s.", c.Name, c.Role))
	})
}

func personChanged(e *env, in *installation, action audit.Action, name, detail, sentence string) error {
	if err := in.record(e.ctx, audit.Record{Event: audit.PersonChanged, Action: action, Objects: []audit.Object{{Person: name, Detail: detail}}}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.stdout, sentence)
	return err
}

type userListCmd struct {
	dataFlags
	outputFlag
}

func (userListCmd) Help() string { return "Example:\n  collimator user list -o json" }

func (c *userListCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		list, err := in.registry.People(e.ctx)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "NAME|ROLE|GRANTED STUDIES|SINCE|DISABLED", func(p *identity.PersonInfo) []string {
			return []string{p.Name, string(p.Role), fmt.Sprint(len(p.Studies)), day(p.Created), day(p.Disabled)}
		}, "Nobody is registered. Register the first administrator with 'collimator init --admin NAME'.")
	})
}

type userGrantCmd struct {
	dataFlags
	Name  string   `arg:"" help:"Name."`
	Study []string `required:"" help:"Study Instance UIDs." placeholder:"UID"`
}

func (userGrantCmd) Help() string {
	return "Example:\n  collimator user grant practice-miller --study 1.2.3"
}

func (c *userGrantCmd) Run(e *env) error {
	for _, s := range c.Study {
		if !uid.Tolerable(s) {
			return usageError("--study: %q is no UID", s)
		}
	}
	return c.with(e, func(in *installation) error {
		for _, s := range c.Study {
			if err := in.registry.GrantStudy(e.ctx, c.Name, s); err != nil {
				return err
			}
		}
		return personChanged(e, in, audit.Update, c.Name, fmt.Sprintf("%d studies granted", len(c.Study)), fmt.Sprintf("%s may see %d more studies.", c.Name, len(c.Study)))
	})
}

type userPasswdCmd struct {
	dataFlags
	passwordFlag
	Name string `arg:"" help:"Name."`
}

func (userPasswdCmd) Help() string {
	return `Ends what the person is signed in with and made: sessions, tokens made in one, invitations and links to
studies. Tokens of 'collimator token create' stay.

Example:
  collimator user passwd grace`
}

func (c *userPasswdCmd) Run(e *env) error {
	password, err := c.read(e)
	if err != nil {
		return err
	}
	return c.with(e, func(in *installation) error {
		ended, err := in.registry.SetPassword(e.ctx, c.Name, password)
		if err != nil {
			return err
		}
		return personChanged(e, in, audit.Update, c.Name, "password changed; "+ended.String()+" ended", fmt.Sprintf("The password is changed; %s of %s are ended.", ended, c.Name))
	})
}

type userDisableCmd struct {
	dataFlags
	Name string `arg:"" help:"Name."`
}

func (userDisableCmd) Help() string { return "Example:\n  collimator user disable grace" }

func (c *userDisableCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		if err := in.registry.DisablePerson(e.ctx, c.Name); err != nil {
			return err
		}
		return personChanged(e, in, audit.Delete, c.Name, "disabled", fmt.Sprintf("%s is out; all sessions, tokens, invitations and links of this person are ended.", c.Name))
	})
}
