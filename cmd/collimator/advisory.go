package main

import (
	"fmt"
	"os"
	"path/filepath"

	"collimator/internal/advisory"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/inventory"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

type advisoryCmd struct {
	List   advisoryListCmd   `cmd:"" help:"List the advisories that are known here."`
	Show   advisoryShowCmd   `cmd:"" help:"Show one advisory: products, versions, CVEs, what to do."`
	Match  advisoryMatchCmd  `cmd:"" help:"Say whether an advisory speaks of a product."`
	Import advisoryImportCmd `cmd:"" help:"Take in CSAF 2.0 documents."`
	Update advisoryUpdateCmd `cmd:"" help:"Take in what the configured sources have."`
}

// advisories is the table of the data directory, or without one the built-in one.
func (f dataFlags) advisories(e *env) (*advisory.Table, error) {
	c, err := f.loadChecked()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(c.Data, house.IndexFile)); err != nil {
		return advisory.Default(), nil
	}

	var table *advisory.Table
	err = f.with(e, func(in *house.Installation) (err error) {
		table, err = in.Inventory.Advisories(e.ctx)
		return err
	})
	return table, err
}

type advisoryListCmd struct {
	dataFlags
	outputFlag
	Vendor string `help:"Only this vendor, however it is written." placeholder:"NAME"`
	HHS    bool   `name:"hhs" help:"Only what the sector alert of June 2021 names."`
}

func (advisoryListCmd) Help() string {
	return "Works without a data directory too.\n\nExample:\n  collimator advisory list --vendor GEHC"
}

func (c *advisoryListCmd) Run(e *env) error {
	table, err := c.advisories(e)
	if err != nil {
		return err
	}
	return terminal.List(e.stdout, c.Output, table.Select(c.Vendor, c.HHS),
		"ID|PUBLISHED|SCORE|VENDOR|UPDATE|TITLE", func(a advisory.Advisory) []string {
			return []string{a.ID, terminal.Dash(a.Initial), advisory.Score(a.MaxScore()), a.Vendor(), string(a.Update), a.Title}
		}, "No advisory of this kind is known here. Take more in with 'collimator advisory import'.")
}

type advisoryShowCmd struct {
	dataFlags
	outputFlag
	ID string `arg:"" help:"Id of an advisory, or a CVE."`
}

func (advisoryShowCmd) Help() string {
	return "Works without a data directory too.\n\nExample:\n  collimator advisory show ICSMA-18-037-02"
}

func (c *advisoryShowCmd) Run(e *env) error {
	table, err := c.advisories(e)
	if err != nil {
		return err
	}

	list := table.Find(c.ID)
	if len(list) == 0 {
		return fmt.Errorf("no advisory %q is known here; see 'collimator advisory list', "+
			"or take it in with 'collimator advisory import'", shown.Text(c.ID))
	}

	if c.Output == "json" {
		return terminal.JSON(e.stdout, list)
	}

	for _, a := range list {
		if err := a.Write(e.stdout); err != nil {
			return err
		}
	}
	return nil
}

type advisoryMatchCmd struct {
	dataFlags
	outputFlag
	Vendor  string `arg:"" optional:"" help:"Who made it, however it is written; \"\" where it is not known."`
	Product string `arg:"" optional:"" help:"What it is."`
	Version string `arg:"" optional:"" help:"Its version."`
	CSV     string `name:"csv" help:"Look up every line of a register instead." placeholder:"FILE"`
	FailOn  string `help:"End with code 3 when an answer is this or worse: affected or possibly." placeholder:"ANSWER" enum:",affected,possibly" default:""`
}

func (advisoryMatchCmd) Help() string {
	return `The answers are affected, possibly (with what to compare) and not listed. There is no "safe".
Works without a data directory too.

Examples:
  collimator advisory match GEHC "OPTIMA XR680"
  collimator advisory match --csv devices.csv --fail-on possibly`
}

func (c *advisoryMatchCmd) Run(e *env) error {
	if (c.CSV == "") == (c.Product == "") {
		return fault.Usage("give VENDOR and PRODUCT (VENDOR may be \"\"), or --csv FILE")
	}

	table, err := c.advisories(e)
	if err != nil {
		return err
	}

	ids := []advisory.Identity{{Vendor: c.Vendor, Product: c.Product, Version: c.Version}}
	if c.CSV != "" {
		var troubles []inventory.Trouble
		if ids, troubles, err = inventory.ReadIdentities(c.CSV); err != nil {
			return err
		}
		inventory.PrintTroubles(e.stderr, troubles)
	}

	list, worst := table.MatchAll(ids)

	if c.Output == "json" {
		err = terminal.JSON(e.stdout, list)
	} else {
		advisory.WriteNamed(e.stdout, list)
	}
	if err != nil {
		return err
	}
	return worst.Verdict(c.FailOn)
}
