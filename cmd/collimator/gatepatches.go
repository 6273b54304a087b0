package main

import (
	"cmp"
	"fmt"
	"strings"

	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

type gatePatchesCmd struct {
	List gatePatchesListCmd `cmd:"" help:"List what is kept away from systems behind, and whether one is affected."`
	On   gatePatchesOnCmd   `cmd:"" help:"Turn patches on at a route."`
	Off  gatePatchesOffCmd  `cmd:"" help:"Turn patches off at a route."`
}

type gatePatchesListCmd struct {
	dataFlags
	Output  string `short:"o" help:"Form of the output: table, json, or names alone, one a line." enum:"table,json,names" default:"table"`
	Name    string `arg:"" optional:"" help:"Name of a route: how they stand there." completes:"gate list -o names"`
	NoCheck bool   `help:"Do not ask the system behind what it is (C-ECHO)."`
}

func (gatePatchesListCmd) Help() string {
	return `A patch refuses at the gate what a published weakness of the system behind needs. Which of them that
system is said to have follows from the inventory, and from the name by which it announces itself.

Examples:
  collimator gate patches list
  collimator gate patches list PACS`
}

func (c *gatePatchesListCmd) Run(e *env) error {
	if c.Name == "" {
		return c.print(e, house.Patches())
	}
	return c.with(e, func(in *house.Installation) error {
		list, behind, err := in.RoutePatches(e.ctx, c.Name, !c.NoCheck)
		if err != nil {
			return err
		}
		if c.Output == "table" {
			what := cmp.Or(strings.Join(behind, "; "), "not known: 'collimator scan' and 'inventory' say what it is")
			if err := e.say("The system behind %s: %s.\n\n", c.Name, what); err != nil {
				return err
			}
		}
		if err := c.print(e, list); err != nil {
			return err
		}

		for _, p := range list {
			if p.Missing() {
				e.hint(fmt.Sprintf("%s is off, and the system behind is %s: 'collimator gate patches on %s %s'; it costs: %s",
					p.Name, p.Affected(), c.Name, p.Name, p.Costs))
			}
		}
		return nil
	})
}

func (c *gatePatchesListCmd) print(e *env, list []house.PatchAt) error {
	if c.Output == "names" {
		for _, p := range list {
			if err := e.say("%s\n", p.Name); err != nil {
				return err
			}
		}
		return nil
	}
	return terminal.List(e.stdout, c.Output, list, "PATCH|STATE|SYSTEM BEHIND|KEEPS AWAY|WHICH IS|FOR", patchRow, "")
}

func patchRow(p house.PatchAt) []string {
	return []string{p.Name, p.State, cmp.Or(string(p.Behind), "-"), p.Keeps, p.Does, cmp.Or(strings.Join(p.CVEs, " "), "no CVE")}
}

type gatePatchesOnCmd struct {
	dataFlags
	Name    string   `arg:"" help:"Name of the route." completes:"gate list -o names"`
	Patches []string `arg:"" help:"Names of patches." completes:"gate patches list -o names"`
}

func (gatePatchesOnCmd) Help() string {
	return "Example:\n  collimator gate patches on PACS jpeg-ls markup"
}

func (c *gatePatchesOnCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error { return turnPatches(e, in, c.Name, c.Patches, true) })
}

type gatePatchesOffCmd struct {
	dataFlags
	Name    string   `arg:"" help:"Name of the route." completes:"gate list -o names"`
	Patches []string `arg:"" help:"Names of patches." completes:"gate patches list -o names"`
}

func (gatePatchesOffCmd) Help() string {
	return `For a caller that needs what a patch refuses: the record names the patch
('collimator audit search --route PACS --failed').

Example:
  collimator gate patches off PACS geometry`
}

func (c *gatePatchesOffCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error { return turnPatches(e, in, c.Name, c.Patches, false) })
}

func turnPatches(e *env, in *house.Installation, route string, names []string, on bool) error {
	changed, err := in.SetPatches(e.ctx, route, names, on)
	if err != nil {
		return err
	}

	state := "off"
	if on {
		state = "on"
	}
	if len(changed) == 0 {
		return e.say("%s: that was so already.\n", route)
	}
	return e.say("%s: %s turned %s: %s. %s\n",
		route, phrase.Count(len(changed), "patch", "patches"), state, strings.Join(changed, ", "), takenUp)
}
