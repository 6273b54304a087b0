package main

import (
	"collimator/internal/house"
	"collimator/internal/inventory"
	"collimator/internal/terminal"
)

type inventoryCheckCmd struct {
	dataFlags
	outputFlag
	FailOn string `help:"End with code 3 when an answer that is neither patched nor accepted is this or worse: affected or possibly." placeholder:"ANSWER" enum:",affected,possibly" default:""`
	All    bool   `help:"Also print the systems that are not listed."`
}

func (inventoryCheckCmd) Help() string {
	return `For each system: affected, possibly (with what to compare) or not listed; by which advisory, what to do,
and which questions of the warning are still open. There is no "safe". What is found is kept as issues;
what is gone since the last check becomes fixed.

Example:
  collimator inventory check --fail-on affected`
}

func (c *inventoryCheckCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Inventory.Check(e.ctx)
		if err != nil {
			return err
		}

		if c.Output == "json" {
			err = terminal.JSON(e.stdout, list)
		} else {
			inventory.WriteChecked(e.stdout, list, c.All)
		}
		if err != nil {
			return err
		}

		return inventory.Worst(list).Verdict(c.FailOn)
	})
}

type inventoryIssuesCmd struct {
	dataFlags
	outputFlag
	Asset string `arg:"" optional:"" help:"Only of this system."`
	Fixed bool   `help:"Also those that are fixed."`
}

func (inventoryIssuesCmd) Help() string { return "Example:\n  collimator inventory issues A12" }

func (c *inventoryIssuesCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		all, err := in.Inventory.Issues(e.ctx, c.Asset)
		if err != nil {
			return err
		}

		var list []inventory.Issue
		for _, i := range all {
			if c.Fixed || i.State != inventory.Fixed {
				list = append(list, i)
			}
		}

		return terminal.List(e.stdout, c.Output, list, "ISSUE|ASSET|SEVERITY|STATE|CHECK|TITLE|FIRST SEEN|LAST SEEN", issueRow,
			"There is no open issue. 'collimator inventory check' holds the systems against the advisories.")
	})
}

func issueRow(i inventory.Issue) []string {
	return []string{i.ID, i.Asset, i.Severity.String(), i.Standing(), i.Check, i.Title,
		terminal.Minute(i.FirstSeen), terminal.Minute(i.LastSeen)}
}

type inventoryShowCmd struct {
	dataFlags
	outputFlag
	Asset string `arg:"" help:"The system, such as A12."`
}

func (inventoryShowCmd) Help() string { return "Example:\n  collimator inventory show A12" }

// assetDetail is one system with its issues, for programs.
type assetDetail struct {
	*inventory.Asset
	Issues []inventory.Issue `json:"issues"`
}

func (c *inventoryShowCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		a, err := in.Inventory.Asset(e.ctx, c.Asset)
		if err != nil {
			return err
		}
		issues, err := in.Inventory.Issues(e.ctx, c.Asset)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return terminal.JSON(e.stdout, assetDetail{a, issues})
		}
		inventory.WriteAsset(e.stdout, a, issues)
		return nil
	})
}
