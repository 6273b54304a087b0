package main

import (
	"errors"
	"fmt"
	"time"

	"collimator/internal/house"
	"collimator/internal/policy"
	"collimator/internal/terminal"
)

type policyCmd struct {
	Check policyCheckCmd `cmd:"" help:"Say whether somebody may do something, and by which rule."`
	Rules policyRulesCmd `cmd:"" help:"Print the rules."`
}

type policyRulesCmd struct{}

func (policyRulesCmd) Help() string {
	return "The rules are part of the program (Cedar). What no rule permits is denied.\n\nExample:\n  collimator policy rules"
}

func (policyRulesCmd) Run(e *env) error {
	_, err := fmt.Fprint(e.stdout, policy.Rules())
	return err
}

type policyCheckCmd struct {
	dataFlags
	outputFlag
	As           string `help:"A person, the AE title of a device, or the number of a token." required:"" placeholder:"NAME"`
	Do           string `help:"What: query, retrieve, store ...; without it every verb is listed." placeholder:"VERB"`
	Study        string `help:"The study it is about; without it the archive as a whole." placeholder:"UID"`
	Destination  string `help:"AE title to which C-MOVE would send." placeholder:"AET"`
	Deidentified bool   `help:"Only what is de-identified would be handed out."`
	Emergency    bool   `help:"As emergency access, with a reason."`
	Plaintext    bool   `help:"As a device that comes without TLS."`
}

func (policyCheckCmd) Help() string {
	return `Asks the rules as the doors do. Exit code 1 when the answer is no.

Examples:
  collimator policy check --as grace --do retrieve --study 1.2.3
  collimator policy check --as CT1`
}

func (c *policyCheckCmd) Run(e *env) error {
	verbs, err := house.VerbsNamed(c.Do)
	if err != nil {
		return err
	}

	return c.with(e, func(in *house.Installation) error {
		who, err := in.PrincipalsOf(e.ctx, c.As, c.Plaintext)
		if err != nil {
			return err
		}
		e.hint(in.MoreByGroup(e.ctx, c.As))
		if err := in.Reachable(e.ctx, c.Destination); err != nil {
			return err
		}

		list := house.AskPolicy(who, policy.Request{
			Study: c.Study, Destination: c.Destination, Deidentified: c.Deidentified, Emergency: c.Emergency, Now: time.Now(),
		}, verbs)
		if err := terminal.List(e.stdout, c.Output, list, "VERB|ALLOWED|WHY|RESTRICTED TO", policyRow, ""); err != nil {
			return err
		}

		if c.Do != "" && !list[0].Allowed {
			return errors.New("denied")
		}
		return nil
	})
}

func policyRow(a house.PolicyAnswer) []string {
	return []string{string(a.Verb), terminal.YesNo(a.Allowed), a.Reason, terminal.Dash(a.Restrictions())}
}
