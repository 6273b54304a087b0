package main

import (
	"fmt"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

type gateLearnCmd struct {
	dataFlags
	Name   string `arg:"" help:"Name of the route." completes:"gate list -o names"`
	Days   int    `help:"Let every registered device do everything for so many days from now." placeholder:"N" bounds:"1 to 60" xor:"end"`
	Until  string `help:"Let every registered device do everything up to and including this day, as 2026-12-31; at most 60 days." placeholder:"DATE" xor:"end"`
	Output string `short:"o" help:"Form of what was learned: table, json, or the proposed rules alone, as 'gate enforce --rules' reads them." enum:"table,json,rules" default:"table"`
}

func (gateLearnCmd) Help() string {
	return `With --days or --until learning begins, or is prolonged: every registered device may do everything at the
route, with inspection and limits as ever, and what each does is counted. It ends by itself. Without them nothing
is changed: what was learned is printed, and the rules that it leads to. Beside a server that takes three seconds, in
which it writes what went through up to now.

Examples:
  collimator gate learn PACS --days 14
  collimator gate learn PACS
  collimator gate learn PACS -o rules > rules.yaml`
}

func (c *gateLearnCmd) Run(e *env) error {
	until, err := c.end()
	if err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		if until.IsZero() {
			if err := in.AwaitFlows(e.ctx); err != nil {
				return err
			}
			l, err := in.Learned(e.ctx, c.Name)
			if err != nil {
				return err
			}
			if c.Output == "table" {
				e.hint(l.LeftOut())
			}
			return l.Show(e.stdout, c.Output)
		}
		if err := in.LearnRoute(e.ctx, c.Name, until); err != nil {
			return err
		}

		return e.say("%[1]s learns until %[2]s: every registered device may do everything there. %[3]s\n"+
			"Read what was learned with 'collimator gate learn %[1]s', make rules of it with 'collimator gate enforce %[1]s'.\n",
			c.Name, terminal.Minute(until), takenUp)
	})
}

// end is when learning is to end; zero where nothing is to be changed.
func (c *gateLearnCmd) end() (end time.Time, err error) {
	switch {
	case c.Until != "":
		day, err := terminal.ParseDay("--until", c.Until)
		return day.AddDate(0, 0, 1), err
	case c.Days > 0:
		return time.Now().Add(time.Duration(c.Days) * 24 * time.Hour), nil
	}
	return end, nil
}

type gateEnforceCmd struct {
	dataFlags
	Name   string            `arg:"" help:"Name of the route." completes:"gate list -o names"`
	Rules  string            `help:"File with the rules, as 'gate learn -o rules' prints them; default: what is proposed." type:"existingfile" placeholder:"FILE"`
	DryRun bool              `help:"Say what the rules would have refused, and write nothing." xor:"do"`
	Since  terminal.Lifetime `help:"How far back to look for what the rules would have refused, at most 60d." default:"7d"`
	Yes    bool              `help:"Write the rules although they refuse what went through before." xor:"do"`
}

func (gateEnforceCmd) Help() string {
	return `Puts the rules in the place of those of the route and ends learning. Rules that name devices stay in a proposal; one
for every registered device gives way to what the devices did. What the rules would have refused of what went
through lately is printed, and then nothing is written unless --yes is given. Beside a server it first waits three
seconds, in which that writes what went through up to now.

Examples:
  collimator gate enforce PACS --dry-run
  collimator gate enforce PACS
  collimator gate enforce PACS --rules rules.yaml --since 30d`
}

func (c *gateEnforceCmd) Run(e *env) error {
	if since := time.Duration(c.Since); since <= 0 || since > gate.LearnMost {
		return fault.Usage("--since: want a time of at most 60d")
	}
	return c.with(e, func(in *house.Installation) error {
		if err := in.AwaitFlows(e.ctx); err != nil {
			return err
		}
		rules, err := c.rules(e, in)
		if err != nil {
			return err
		}
		refused, err := in.RefusedBy(e.ctx, c.Name, rules, time.Now().Add(-time.Duration(c.Since)))
		if err != nil {
			return fault.Misuse(err)
		}
		if err := c.judge(e, refused); err != nil || c.DryRun {
			return err
		}

		if err := in.EnforceRoute(e.ctx, c.Name, rules); err != nil {
			return err
		}
		return e.say("%[1]s has %[2]s now, and nothing else is let through. %[3]s\nSee 'collimator gate show %[1]s'.\n",
			c.Name, phrase.Count(len(rules), "rule", "rules"), takenUp)
	})
}

// rules are those of the file, or what is proposed.
func (c *gateEnforceCmd) rules(e *env, in *house.Installation) ([]gate.Rule, error) {
	if c.Rules != "" {
		return gate.ReadRules(c.Rules)
	}

	l, block, err := in.ProposedRules(e.ctx, c.Name)
	if err != nil {
		return nil, err
	}
	e.hint(l.LeftOut())
	return l.Rules, e.say("%s\n", block)
}

// judge says what the rules would have refused. Without --yes that ends the command.
func (c *gateEnforceCmd) judge(e *env, refused []gate.Refused) error {
	since := terminal.Day(time.Now().Add(-time.Duration(c.Since)))
	err := terminal.List(e.stdout, "table", refused, "CALLER|VERB|CLASS|HOUR|TIMES|LAST|WHY", refusedRow,
		fmt.Sprintf("The rules refuse nothing of what went through since %s.", since))
	if err != nil || len(refused) == 0 {
		return err
	}

	if c.DryRun || c.Yes {
		return e.say("\nThe rules refuse this of what went through since %s; times are counted since it was first seen.\n", since)
	}
	return fault.Newf(fault.Conflict, "the rules refuse %s of what went through since %s; nothing is written: "+
		"mend the rules (collimator gate learn %s -o rules), or give --yes", phrase.Count(len(refused), "flow", "flows"), since, c.Name)
}

func refusedRow(r gate.Refused) []string {
	hour := fmt.Sprintf("%s %02d:00", strings.ToLower(time.Weekday(r.Hour / 24).String()[:3]), r.Hour%24)
	return []string{r.Device, string(r.Verb), uid.Name(r.Class), hour, fmt.Sprint(r.Requests), r.Last.Format(time.DateOnly), r.Reason}
}
