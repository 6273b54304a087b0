package main

import (
	"fmt"
	"strings"
	"time"

	"collimator/internal/house"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
	"collimator/internal/posture"
	"collimator/internal/terminal"
)

type inventoryCmd struct {
	Add     inventoryAddCmd     `cmd:"" help:"Note a system, or what is known about one."`
	Import  inventoryImportCmd  `cmd:"" help:"Take in a register (CSV), a scan of nmap (XML) or an export (JSON)."`
	List    inventoryListCmd    `cmd:"" help:"List the systems."`
	Show    inventoryShowCmd    `cmd:"" help:"Show a system: who says what, its issues, what was decided."`
	Check   inventoryCheckCmd   `cmd:"" help:"Hold every system against the advisories."`
	Issues  inventoryIssuesCmd  `cmd:"" help:"List the issues, the worst first."`
	Set     inventorySetCmd     `cmd:"" help:"Answer the warning's questions: patched, protected, behind a gate?"`
	Accept  inventoryAcceptCmd  `cmd:"" help:"Live with an issue until a day."`
	Changes inventoryChangesCmd `cmd:"" help:"Say what changed since a day."`
	Merge   inventoryMergeCmd   `cmd:"" help:"Make one system of two that are the same."`
	Split   inventorySplitCmd   `cmd:"" help:"Take apart what one source says about a system."`
	Remove  inventoryRemoveCmd  `cmd:"" help:"Take a system out."`
	Export  inventoryExportCmd  `cmd:"" help:"Write the register as CSV or JSON."`
}

type inventoryAddCmd struct {
	dataFlags
	Asset    string   `arg:"" optional:"" help:"A system that is known already, such as A12; its values are changed."`
	Name     string   `help:"What it is called in the house."`
	Vendor   string   `help:"Who made it."`
	Product  string   `help:"What it is."`
	Version  string   `help:"Its software version." name:"product-version"`
	Serial   string   `help:"Its serial number."`
	Location string   `help:"Where it stands."`
	Zone     string   `help:"The network it is in."`
	Owner    string   `help:"Who looks after it."`
	Hostname string   `help:"Its name in the network."`
	Note     string   `help:"What else is worth knowing. No patient data."`
	Address  []string `help:"IP addresses." placeholder:"IP"`
	MAC      []string `name:"mac" help:"Hardware addresses." placeholder:"MAC"`
	AETitle  []string `name:"aet" help:"AE titles." placeholder:"AET"`
	Port     []uint16 `help:"Ports on which it listens." placeholder:"PORT"`
}

func (inventoryAddCmd) Help() string {
	return "A system that is known by MAC, serial number, AE title with address, address or host name is not\n" +
		"added a second time.\n\n" +
		"Example:\n  collimator inventory add --vendor GEHC --product \"Optima 680\" --address 10.20.1.11 --aet CT1"
}

func (c *inventoryAddCmd) Run(e *env) error {
	o := inventory.Observation{
		Asset:    c.Asset,
		Name:     c.Name,
		Vendor:   c.Vendor,
		Product:  c.Product,
		Version:  c.Version,
		Serial:   c.Serial,
		Location: c.Location,
		Zone:     c.Zone,
		Owner:    c.Owner,
		Hostname: c.Hostname,
		Note:     c.Note,
		MACs:     c.MAC,
		Ports:    c.Port,
		AETitles: c.AETitle,
	}

	if err := house.CheckTyped(&o, c.Address); err != nil {
		return err
	}

	return c.with(e, func(in *house.Installation) error {
		id, isNew, err := in.NoteSystem(e.ctx, o)
		if err != nil {
			return err
		}

		if isNew {
			_, err = fmt.Fprintf(e.stdout, "%s is new.\n", id)
		} else {
			_, err = fmt.Fprintf(e.stdout, "%s was known; it is changed.\n", id)
		}
		return err
	})
}

type inventoryImportCmd struct {
	dataFlags
	outputFlag
	File   string `arg:"" type:"existingfile" help:"A register as CSV, the XML of 'nmap -oX', the output of 'scan -o json', or an export of 'inventory export -o json'."`
	DryRun bool   `help:"Change nothing; say what would come of it."`
}

func (inventoryImportCmd) Help() string {
	return `Columns in English and German, separated by comma, semicolon or tab, in UTF-8, UTF-16 or Windows-1252.
Every line that is not understood is named with its number; nothing is lost: the rest goes to the notes.
Reading the same list again changes only what changed.

Examples:
  collimator inventory import devices.csv --dry-run
  collimator inventory import scan.xml
  collimator inventory import scan.json`
}

// imported is the result of an import for programs.
type imported struct {
	inventory.Outcome
	Lines    int                 `json:"lines"`
	DryRun   bool                `json:"dryRun,omitempty"`
	Troubles []inventory.Trouble `json:"troubles,omitempty"`
}

func (c *inventoryImportCmd) Run(e *env) error {
	l, err := posture.OpenList(c.File)
	if err != nil {
		return err
	}

	return c.with(e, func(in *house.Installation) error {
		out, err := in.ImportSystems(e.ctx, l, c.DryRun)
		if err != nil {
			return err
		}

		if c.Output == "json" {
			return terminal.JSON(e.stdout, imported{out, len(l.Systems), c.DryRun, l.Troubles})
		}
		inventory.PrintTroubles(e.stderr, l.Troubles)

		done := ""
		if c.DryRun {
			done = " Nothing was changed."
		}

		return e.say("%s read: %d new, %d known; %s.%s\n",
			phrase.Count(len(l.Systems), "system", "systems"), out.New, out.Seen, phrase.Count(len(l.Troubles), "remark", "remarks"), done)
	})
}

type inventoryListCmd struct {
	dataFlags
	outputFlag
	Refused bool `help:"Also those that are known only from a call that was refused."`
}

func (inventoryListCmd) Help() string { return "Example:\n  collimator inventory list" }

func (c *inventoryListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		all, err := in.Inventory.Assets(e.ctx)
		if err != nil {
			return err
		}
		var list []*inventory.Asset
		for _, a := range all {
			if c.Refused || !a.Refused {
				list = append(list, a)
			}
		}
		return terminal.List(e.stdout, c.Output, list,
			"ASSET|NAME|VENDOR|PRODUCT|VERSION|ADDRESS|AE TITLE|LOCATION|ISSUES|SOURCES|LAST SEEN", assetRow,
			"No system is known yet. Take a register in with 'collimator inventory import FILE.csv', "+
				"or note one with 'collimator inventory add'.")
	})
}

func assetRow(a *inventory.Asset) []string {
	var sources []string
	for _, s := range a.Sources {
		sources = append(sources, string(s.Source))
	}
	return []string{
		a.ID, terminal.Dash(a.Name), terminal.Dash(a.Vendor), terminal.Dash(a.Product), terminal.Dash(a.Version),
		terminal.Dash(strings.Join(a.Addresses, ",")), terminal.Dash(strings.Join(a.AETitles, ",")), terminal.Dash(a.Location),
		fmt.Sprint(a.Warning.Open), strings.Join(sources, ","), terminal.Minute(a.LastSeen),
	}
}

type inventoryExportCmd struct {
	dataFlags
	Output string `short:"o" help:"Form: csv or json." enum:"csv,json" default:"csv"`
	Out    string `help:"File to write; default: standard output." placeholder:"FILE"`
}

func (inventoryExportCmd) Help() string {
	return "Cells that a spreadsheet would run as a formula get a quotation mark in front. " +
		"'inventory import' reads\nboth forms again.\n\nExample:\n  collimator inventory export --out devices.csv"
}

func (c *inventoryExportCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		b, err := in.ExportSystems(e.ctx, c.Output)
		if err != nil {
			return err
		}
		return terminal.Deliver(e.stdout, c.Out, b, "")
	})
}

type inventoryChangesCmd struct {
	dataFlags
	outputFlag
	Since string `help:"First day, as 2026-12-31; default: seven days ago." placeholder:"DATE"`
}

func (inventoryChangesCmd) Help() string {
	return "Example:\n  collimator inventory changes --since 2026-11-01"
}

func (c *inventoryChangesCmd) Run(e *env) error {
	since := time.Now().AddDate(0, 0, -7)
	if c.Since != "" {
		var err error
		if since, err = terminal.ParseDay("--since", c.Since); err != nil {
			return err
		}
	}

	return c.with(e, func(in *house.Installation) error {
		list, err := in.Inventory.Changes(e.ctx, since, 100_000)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "WHEN|ASSET|WHAT", func(ch inventory.Change) []string {
			return []string{terminal.Minute(ch.At), ch.Asset, ch.String()}
		}, "Nothing changed since "+terminal.Day(since)+".")
	})
}
