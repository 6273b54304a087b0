package main

import (
	"fmt"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

type gateCmd struct {
	Add      gateAddCmd      `cmd:"" help:"Put a gate in front of a system that cannot be patched."`
	List     gateListCmd     `cmd:"" help:"List the routes."`
	Show     gateShowCmd     `cmd:"" help:"Say what a route lets through, and what never matches or is unsafe."`
	Queue    gateQueueCmd    `cmd:"" help:"See and change what waits to be sent elsewhere."`
	Learn    gateLearnCmd    `cmd:"" help:"Let registered devices through for a while, and propose rules by what they did."`
	Enforce  gateEnforceCmd  `cmd:"" help:"Put rules in force: those that were learned, or those of a file."`
	Close    gateCloseCmd    `cmd:"" help:"Let nobody through a route, and end what is open on it."`
	Reopen   gateReopenCmd   `cmd:"" help:"Let callers through a route again."`
	Remove   gateRemoveCmd   `cmd:"" help:"Take a route out."`
	Tail     gateTailCmd     `cmd:"" help:"Print the newest records of a route, and with -f those that come."`
	Password gatePasswordCmd `cmd:"" help:"Set the password that the gate shows to the pages of a system behind."`
	Patches  gatePatchesCmd  `cmd:"" help:"What a system behind is protected from in place of an update it never gets."`
	Open     gateOpenCmd     `cmd:"" help:"Open a door to one address for somebody who maintains a system, for a while."`
	Doors    gateDoorsCmd    `cmd:"" help:"List such doors: who may come, who came, and until when."`
	Shut     gateShutCmd     `cmd:"" help:"Close such a door now."`
}

// takenUp ends what is said of a change.
const takenUp = "A server that runs takes it up within two seconds."

type gateListCmd struct {
	dataFlags
	Output string `short:"o" help:"Form of the output: table, json, or names alone, one a line." enum:"table,json,names" default:"table"`
}

func (gateListCmd) Help() string { return "Example:\n  collimator gate list -o json" }

// Run reads the file alone: it is what a shell completes names with.
func (c *gateListCmd) Run(e *env) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	routes, err := gate.Load(house.RoutesFile(cfg))
	if err != nil {
		return fault.Misuse(err)
	}

	if c.Output == "names" {
		for _, r := range routes {
			if err := e.say("%s\n", r.Name); err != nil {
				return err
			}
		}
		return nil
	}
	return terminal.List(e.stdout, c.Output, routes, "NAME|KIND|LEADS TO|CALLS IT AS|WHO MAY WHAT|STATE", routeRow,
		"There is no route. Put a gate in front of a system with 'collimator gate add NAME --protect AET@HOST:PORT'.")
}

func routeRow(r gate.Route) []string {
	return []string{r.Name, r.Kind(), r.Leads(), r.CallsAs(), r.Granted(), r.State(time.Now())}
}

type gateShowCmd struct {
	dataFlags
	outputFlag
	Name string `arg:"" help:"Name of the route." completes:"gate list -o names"`
}

func (gateShowCmd) Help() string {
	return "How rules are written: docs/gate.md.\n\nExample:\n  collimator gate show PACS"
}

// shownRoute is a route with its explanation.
type shownRoute struct {
	Route   gate.Route    `json:"route"`
	Says    []string      `json:"says"`
	Remarks []gate.Remark `json:"remarks"`
}

func (c *gateShowCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		r, h, err := in.Route(e.ctx, c.Name)
		if err != nil {
			return err
		}

		explained := gate.Explain(r, h)
		if c.Output == "json" {
			return terminal.JSON(e.stdout, shownRoute{r, explained.Says, explained.Remarks})
		}
		return e.say("%s\n", strings.Join(explained.Lines(), "\n"))
	})
}

type gateCloseCmd struct {
	dataFlags
	Name string `arg:"" help:"Name of the route." completes:"gate list -o names"`
}

func (gateCloseCmd) Help() string {
	return `Callers that are connected are cut off, and whoever calls is rejected until the route is open
again. The archive and other routes go on.

Example:
  collimator gate close PACS`
}

func (c *gateCloseCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		changed, err := in.CloseRoute(e.ctx, c.Name, true)
		if err != nil {
			return err
		}
		if !changed {
			return e.say("%s was closed already.\n", c.Name)
		}
		return e.say("%[1]s is closed: nobody is let through. %[2]s\nOpen it again with 'collimator gate reopen %[1]s'.\n", c.Name, takenUp)
	})
}

type gateReopenCmd struct {
	dataFlags
	Name string `arg:"" help:"Name of the route." completes:"gate list -o names"`
}

func (gateReopenCmd) Help() string { return "Example:\n  collimator gate reopen PACS" }

func (c *gateReopenCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		changed, err := in.CloseRoute(e.ctx, c.Name, false)
		if err != nil {
			return err
		}
		if !changed {
			return e.say("%s was open already.\n", c.Name)
		}
		return e.say("%s is open again. %s\n", c.Name, takenUp)
	})
}

type gateRemoveCmd struct {
	dataFlags
	Name string `arg:"" help:"Name of the route." completes:"gate list -o names"`
}

func (gateRemoveCmd) Help() string {
	return `The route is taken out of the file, with its rules. What went through stays in the audit trail. To keep
the rules for later, close the route instead.

Example:
  collimator gate remove PACS`
}

func (c *gateRemoveCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		r, _, err := in.Route(e.ctx, c.Name)
		if err != nil {
			return err
		}
		if err := in.RemoveRoute(e.ctx, c.Name); err != nil {
			return err
		}

		with := ""
		if r.HasRules() {
			with = ", with " + phrase.Count(len(r.Rules), "rule", "rules")
		}
		if err := e.say("%s is removed%s. %s\n", c.Name, with, takenUp); err != nil {
			return err
		}
		if waits, err := in.Waits(e.ctx, c.Name); err != nil {
			return err
		} else if waits > 0 {
			e.hint(fmt.Sprintf("%s for it still, and %s kept: 'collimator gate queue list %s'. A route of the same name sends them",
				phrase.Count(waits, "object waits", "objects wait"), phrase.Of(waits, "is", "are"), c.Name))
		}
		return e.say("Nobody reaches %s by the gate any more. To go back to without a gate, see docs/gate.md.\n", r.Leads())
	})
}
