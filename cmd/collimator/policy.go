package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
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

// policyAnswer is one line of the answer.
type policyAnswer struct {
	Verb         policy.Verb `json:"verb"`
	Allowed      bool        `json:"allowed"`
	Reason       string      `json:"reason"`
	OnlyStudies  []string    `json:"onlyStudies,omitempty"`
	Limited      bool        `json:"limited,omitempty"`
	Deidentified bool        `json:"deidentified,omitempty"`
	Alarm        bool        `json:"alarm,omitempty"`
}

func (c *policyCheckCmd) Run(e *env) error {
	verbs := policy.AllVerbs()
	if c.Do != "" {
		if !slices.Contains(verbs, policy.Verb(c.Do)) {
			return usageError("--do: no such verb; choose from %v", verbs)
		}
		verbs = []policy.Verb{policy.Verb(c.Do)}
	}
	return c.with(e, func(in *house.Installation) error {
		who, err := principalsOf(in, e.ctx, c.As, c.Plaintext)
		if err != nil {
			return err
		}
		if p, err := in.Registry.Person(e.ctx, c.As); err == nil && len(bySomeGroup(p)) > 0 {
			fmt.Fprintf(e.stderr, "collimator: %s sees %s more by a group, in a session that began at the identity provider; 'user show' lists them. Here they do not count.\n",
				c.As, phrase.Count(len(bySomeGroup(p)), "study", "studies"))
		}

		if err := c.reachable(e.ctx, in); err != nil {
			return err
		}
		var list []policyAnswer
		for _, v := range verbs {
			list = append(list, c.ask(v, who))
		}
		if err := printList(e.stdout, c.Output, list, "VERB|ALLOWED|WHY|RESTRICTED TO", policyRow, ""); err != nil {
			return err
		}
		if c.Do != "" && !list[0].Allowed {
			return errors.New("denied")
		}
		return nil
	})
}

// reachable refuses a destination that is not registered, or is called nowhere: C-MOVE
// looks it up before it asks the rules.
func (c *policyCheckCmd) reachable(ctx context.Context, in *house.Installation) error {
	if c.Destination == "" {
		return nil
	}
	d, err := in.Registry.Device(ctx, c.Destination)
	if err != nil {
		return fmt.Errorf("--destination: %w", err)
	}
	if d.Listen == "" {
		return fmt.Errorf("--destination: %s accepts no associations; say where with 'collimator device set %s --listen HOST:PORT'", d.AETitle, d.AETitle)
	}
	return nil
}

func (c *policyCheckCmd) ask(v policy.Verb, who []policy.Principal) policyAnswer {
	asked := policy.Request{
		Verb: v, Study: c.Study, Destination: c.Destination, Deidentified: c.Deidentified, Emergency: c.Emergency, Now: time.Now(),
	}
	d := policy.New().DecideTogether(asked, who...)

	// Who sees granted studies alone may do nothing to the archive as a whole: the
	// answer is that for one of those.
	if granted := who[0].Studies; !d.Allow && asked.Study == "" && len(granted) > 0 {
		asked.Study = granted[0]
		if of := policy.New().DecideTogether(asked, who...); of.Allow {
			d = of
			d.Sight.Everything, d.Sight.Studies = false, granted
		}
	}

	a := policyAnswer{Verb: v, Allowed: d.Allow, Reason: d.Reason, Alarm: d.Alarm}
	if d.Allow {
		a.Limited = !d.Sight.Everything
		a.OnlyStudies = d.Sight.Studies
		a.Deidentified = d.Sight.Deidentified
	}
	return a
}

func policyRow(a policyAnswer) []string {
	allowed := "no"
	if a.Allowed {
		allowed = "yes"
	}
	var only []string
	if a.Limited {
		only = append(only, phrase.Count(len(a.OnlyStudies), "study", "studies")+" "+strings.Join(a.OnlyStudies, " "))
	}
	if a.Deidentified {
		only = append(only, "what is de-identified")
	}
	if a.Alarm {
		only = append(only, "raises an alarm")
	}
	return []string{string(a.Verb), allowed, a.Reason, dash(strings.TrimSpace(strings.Join(only, ", ")))}
}

// principalsOf finds who acts under a name: a person, a device, or a token with
// its owner.
func principalsOf(in *house.Installation, ctx context.Context, name string, plaintext bool) ([]policy.Principal, error) {
	p, err := personOf(ctx, in, name)
	if err == nil {
		return []policy.Principal{p.Principal()}, nil
	}
	if fault.Of(err) != fault.NotFound {
		return nil, err
	}

	d, err := in.Registry.Device(ctx, name)
	if err == nil {
		way := identity.ByCertificate
		if plaintext {
			way = identity.Plain
		}
		return []policy.Principal{d.Principal(way)}, nil
	}
	if fault.Of(err) != fault.NotFound {
		return nil, err
	}

	tokens, err := in.Registry.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		if t.ID != name || !t.Revoked.IsZero() {
			continue
		}
		owner, err := personOf(ctx, in, t.Owner)
		if err != nil {
			return nil, err
		}
		return []policy.Principal{t.Principal(), owner.Principal()}, nil
	}
	return nil, fault.New(fault.NotFound, "no person, device or token of this name; see 'collimator user list', 'device list' and 'token list'")
}

// personOf is who has a name. Somebody who is disabled may do nothing, and is not
// taken for nobody.
func personOf(ctx context.Context, in *house.Installation, name string) (*identity.PersonInfo, error) {
	p, err := in.Registry.AnyPerson(ctx, name)
	if err == nil && !p.Disabled.IsZero() {
		return nil, fault.Newf(fault.Conflict, "%s is disabled and may do nothing; 'collimator user enable %s' lets the person come back", name, name)
	}
	return p, err
}
