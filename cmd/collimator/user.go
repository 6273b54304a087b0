package main

import (
	"fmt"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
)

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Register a person."`
	List     userListCmd     `cmd:"" help:"List the people."`
	Show     userShowCmd     `cmd:"" help:"Show one person: second factors, granted studies."`
	Grant    userGrantCmd    `cmd:"" help:"Let a referrer see a study."`
	Ungrant  userUngrantCmd  `cmd:"" help:"Take a granted study back."`
	Passwd   userPasswdCmd   `cmd:"" help:"Give a person another password."`
	Role     userRoleCmd     `cmd:"" help:"Give a person another role."`
	Link     userLinkCmd     `cmd:"" help:"Make a one-time link for a new person or a forgotten password."`
	Links    userLinksCmd    `cmd:"" help:"List the one-time links that nobody has used yet, or withdraw one."`
	TOTP     userTOTPCmd     `cmd:"" name:"totp" help:"Set up an authenticator app as second factor."`
	Recovery userRecoveryCmd `cmd:"" help:"Make new recovery codes."`
	Sessions userSessionsCmd `cmd:"" help:"List where a person is signed in, or end it."`
	Disable  userDisableCmd  `cmd:"" help:"Take a person out, with all sessions, tokens and links."`
	Enable   userEnableCmd   `cmd:"" help:"Let a person who was taken out come back, by a one-time link."`
}

type userAddCmd struct {
	dataFlags
	passwordFlag
	Name string `arg:"" help:"Name."`
	Role string `required:"" help:"administrator, radiologist, technologist, referrer, researcher, auditor or vendor." placeholder:"ROLE"`
}

func (userAddCmd) Help() string {
	return "Example:\n  collimator user add grace --role radiologist"
}

func (c *userAddCmd) Run(e *env) error {
	if err := identity.CheckRole(c.Role); err != nil {
		return fault.Ended(fault.Misused, err)
	}

	password, err := c.read(e)
	if err != nil {
		return err
	}

	return c.with(e, func(in *house.Installation) error {
		if err := in.Registry.AddPerson(e.ctx, c.Name, c.Role, password); err != nil {
			return err
		}
		return personChanged(e, in, audit.Create, c.Name, c.Role, fmt.Sprintf("%s is registered as %s.", c.Name, c.Role))
	})
}

func personChanged(e *env, in *house.Installation, action audit.Action, name, detail, sentence string) error {
	if err := in.Note(e.ctx, audit.PersonChanged, action, audit.Object{Person: name, Detail: detail}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.stdout, sentence)
	return err
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

	return c.with(e, func(in *house.Installation) error {
		ended, err := in.Registry.SetPassword(e.ctx, c.Name, password)
		if err != nil {
			return err
		}
		return personChanged(e, in, audit.Update, c.Name, "password changed; "+ended.String()+" ended",
			fmt.Sprintf("The password is changed; %s of %s are ended.", ended, c.Name))
	})
}

type userDisableCmd struct {
	dataFlags
	Name string `arg:"" help:"Name."`
}

func (userDisableCmd) Help() string {
	return "'collimator user enable' is the way back.\n\nExample:\n  collimator user disable grace"
}

func (c *userDisableCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.Registry.DisablePerson(e.ctx, c.Name); err != nil {
			return err
		}
		return personChanged(e, in, audit.Delete, c.Name, "disabled",
			fmt.Sprintf("%s is out; all sessions, tokens, invitations and links of this person are ended.", c.Name))
	})
}

type userEnableCmd struct {
	dataFlags
	Name string `arg:"" help:"Name."`
}

func (userEnableCmd) Help() string {
	return `The person has the role and the granted studies of before, no password and no second factor, and
chooses both by the one-time link that is printed; it is valid for 24 hours ('collimator user link'
makes another one). Tokens and links stay ended. The account at an identity provider counts again.

Example:
  collimator user enable grace`
}

func (c *userEnableCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		l, secret, as, err := in.LetBack(e.ctx, c.Name)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "%s is back as %s.\n", c.Name, as)
		return printLink(e, in, l, secret)
	})
}
