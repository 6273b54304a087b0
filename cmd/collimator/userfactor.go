package main

import (
	"fmt"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/terminal"
)

type userRoleCmd struct {
	dataFlags
	Name string `arg:"" help:"Name."`
	Role string `required:"" help:"administrator, radiologist, technologist, referrer, researcher, auditor or vendor." placeholder:"ROLE"`
}

func (userRoleCmd) Help() string {
	return "All sessions of this person end.\n\nExample:\n  collimator user role grace --role technologist"
}

func (c *userRoleCmd) Run(e *env) error {
	if err := identity.CheckRole(c.Role); err != nil {
		return fault.Ended(fault.Misused, err)
	}
	return c.with(e, func(in *house.Installation) error {
		if err := in.Registry.SetRole(e.ctx, c.Name, c.Role); err != nil {
			return err
		}
		return personChanged(e, in, audit.Update, c.Name, "role "+c.Role, fmt.Sprintf("%s is %s from now on.", c.Name, c.Role))
	})
}

type userLinkCmd struct {
	dataFlags
	Name         string `arg:"" help:"Name."`
	Role         string `help:"Role of a person who is new; without it the person is registered and gets another password." placeholder:"ROLE"`
	SecondFactor bool   `help:"Drop authenticator app, passkeys and recovery codes too, when the link is used: everything is lost."`
}

func (userLinkCmd) Help() string {
	return `Prints a one-time link, valid for 24 hours, by which the person chooses a password. An earlier link
for the same person ends. Give it to nobody else: who has it is that person.

Examples:
  collimator user link grace --role radiologist
  collimator user link grace --second-factor`
}

func (c *userLinkCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		l, secret, advice, err := in.LinkFor(e.ctx, c.Name, c.Role, c.SecondFactor)
		if err != nil {
			return err
		}
		e.hint(advice)
		return printLink(e, in, l, secret)
	})
}

// printLink prints a one-time link: what is for the person on stdout.
func printLink(e *env, in *house.Installation, l identity.Link, secret string) error {
	fmt.Fprintf(e.stderr, "For %s, once, until %s. It is shown only now:\n", l.Person, terminal.Minute(l.Expires))
	e.hint(house.LinkAdvice(in.Config))
	_, err := fmt.Fprintln(e.stdout, house.LinkAddress(in.Config)+secret)
	return err
}

type userTOTPCmd struct {
	dataFlags
	Name   string `arg:"" help:"Name."`
	Remove bool   `help:"Forget the authenticator app of this person."`
}

func (userTOTPCmd) Help() string {
	return `Sets up an authenticator app: scan the code, then type what the app shows. The person should sit in
front of the terminal; who cannot is sent a link ('collimator user link').

Examples:
  collimator user totp grace
  collimator user totp grace --remove`
}

func (c *userTOTPCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if _, err := in.Registry.AnyPerson(e.ctx, c.Name); err != nil {
			return err
		}

		if c.Remove {
			if err := in.Registry.RemoveTOTP(e.ctx, c.Name, false); err != nil {
				return err
			}
			return personChanged(e, in, audit.Update, c.Name, "authenticator app removed", "The authenticator app is forgotten.")
		}

		s, err := in.Registry.BeginTOTP(e.ctx, c.Name, "Collimator "+in.Config.AE, "")
		if err != nil {
			return err
		}

		if err := terminal.QR(e.stdout, s.URI); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s\n\nOr type this secret: %s\n", s.URI, s.Secret)

		asking := e.asking()
		err = asking.Until("Six digits that the app shows: ", confirmTries, identity.ErrCode, func(code string) error {
			return in.Registry.ConfirmTOTP(e.ctx, c.Name, "", code)
		})
		if err != nil {
			return err
		}

		return personChanged(e, in, audit.Update, c.Name, "authenticator app set up",
			"The authenticator app is set up. Next: recovery codes, with 'collimator user recovery'.")
	})
}

// confirmTries is how often a code may be mistyped: the secret stays the same.
const confirmTries = 3

type userRecoveryCmd struct {
	dataFlags
	Name string `arg:"" help:"Name."`
}

func (userRecoveryCmd) Help() string {
	return "Ten codes in place of the earlier ones. Each stands in once for the authenticator app.\n\n" +
		"Example:\n  collimator user recovery grace"
}

func (c *userRecoveryCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		codes, err := in.Registry.NewRecoveryCodes(e.ctx, c.Name)
		if err != nil {
			return err
		}
		fmt.Fprintln(e.stderr, "They are shown only now; keep them on paper:")
		return personChanged(e, in, audit.Update, c.Name, "recovery codes made", strings.Join(codes, "\n"))
	})
}

type userSessionsCmd struct {
	dataFlags
	outputFlag
	Name string `arg:"" help:"Name."`
	End  bool   `help:"Sign the person out everywhere, now, and end the tokens, invitations and links to studies made in a session."`
}

func (userSessionsCmd) Help() string {
	return "Examples:\n  collimator user sessions grace\n  collimator user sessions grace --end"
}

func (c *userSessionsCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		// Of a mistyped name nothing is open, and nothing would have ended.
		if _, err := in.Registry.AnyPerson(e.ctx, c.Name); err != nil {
			return err
		}

		if c.End {
			ended, err := in.Registry.EndMade(e.ctx, c.Name)
			if err != nil {
				return err
			}
			return personChanged(e, in, audit.Update, c.Name, "signed out everywhere; "+ended.String()+" ended",
				fmt.Sprintf("%s of %s are ended.", ended, c.Name))
		}
		sessions := identity.NewSessions(in.Registry, house.SessionLimits(in.Config))
		list, err := sessions.List(e.ctx, c.Name)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "SESSION|SIGNED IN BY|ADDRESS|SINCE|LAST SEEN|UNTIL",
			func(s *identity.Session) []string {
				how := s.Method
				if !s.Complete {
					how += " (second factor to come)"
				}
				return []string{s.ID, how, s.Address, terminal.Minute(s.Created), terminal.Minute(s.Seen), terminal.Minute(s.Expires)}
			}, "Nobody is signed in under this name.")
	})
}
