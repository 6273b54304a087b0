package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"collimator/internal/advisory"
	"collimator/internal/house"
	"collimator/internal/inventory"
	"collimator/internal/shown"
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
	var list []advisory.Advisory
	for _, a := range table.Advisories {
		if c.wants(table, &a) {
			list = append(list, a)
		}
	}
	return printList(e.stdout, c.Output, list, "ID|PUBLISHED|SCORE|VENDOR|UPDATE|TITLE", func(a advisory.Advisory) []string {
		return []string{a.ID, dash(a.Initial), score(a.MaxScore()), a.Vendor(), string(a.Update), a.Title}
	}, "No advisory of this kind is known here. Take more in with 'collimator advisory import'.")
}

func (c *advisoryListCmd) wants(table *advisory.Table, a *advisory.Advisory) bool {
	vendor, hhs := c.Vendor == "", !c.HHS
	for _, r := range a.Rules {
		hhs = hhs || r.HHS
		for _, v := range r.Vendors {
			vendor = vendor || table.Vendor(v) == table.Vendor(c.Vendor)
		}
	}
	return vendor && hhs
}

func score(n float64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", n)
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
		return fmt.Errorf("no advisory %q is known here; see 'collimator advisory list', or take it in with 'collimator advisory import'", shown.Text(c.ID))
	}
	if c.Output == "json" {
		return printJSON(e.stdout, list)
	}
	for _, a := range list {
		if err := showAdvisory(e.stdout, &a); err != nil {
			return err
		}
	}
	return nil
}

func showAdvisory(w io.Writer, a *advisory.Advisory) error {
	fmt.Fprintf(w, "%s  %s\npublished %s, changed %s, %s\n\n%s\n\n", a.ID, shown.Text(a.Title), dash(a.Initial), dash(a.Current), shown.Text(a.Source), shown.Text(a.Fix))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "VENDOR\tPRODUCT\tAFFECTED\tCLASS\tSCORE\tFIXED IN\tUPDATE\tCVES")
	for _, r := range a.Rules {
		g := r.Range()
		ids := r.IDs()
		for i, cve := range r.CVEs {
			if cve.Exploited {
				ids[i] += " (exploited)"
			}
		}
		if len(ids) > 4 {
			ids = append(ids[:4:4], fmt.Sprintf("and %d more", len(ids)-4))
		}
		fmt.Fprintln(tw, strings.Join([]string{
			shown.Text(r.Vendors[0]), shown.Text(r.Product), shown.Text(g.String()), string(g.Class), score(r.Score), dash(shown.Text(r.Fixed)), string(r.Update), strings.Join(ids, " "),
		}, "\t"))
	}
	return tw.Flush()
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

// matched is one answer.
type matched struct {
	Vendor  string `json:"vendor,omitempty"`
	Product string `json:"product"`
	Version string `json:"version,omitempty"`
	advisory.Result
}

func (c *advisoryMatchCmd) Run(e *env) error {
	if (c.CSV == "") == (c.Product == "") {
		return usageError("give VENDOR and PRODUCT (VENDOR may be \"\"), or --csv FILE")
	}

	table, err := c.advisories(e)
	if err != nil {
		return err
	}

	ids := []advisory.Identity{{Vendor: c.Vendor, Product: c.Product, Version: c.Version}}
	if c.CSV != "" {
		if ids, err = identities(e, c.CSV); err != nil {
			return err
		}
	}

	var list []matched
	worst := advisory.NotListed
	for _, id := range ids {
		m := matched{id.Vendor, id.Product, id.Version, table.Match(id)}
		list = append(list, m)
		if m.Answer == advisory.Affected || worst == advisory.NotListed {
			worst = m.Answer
		}
	}

	if err := c.print(e, list); err != nil {
		return err
	}
	return failOn(c.FailOn, worst)
}

// failOn ends a command for a pipeline.
func failOn(limit string, worst advisory.Answer) error {
	if limit == "" || worst == advisory.NotListed || limit == "affected" && worst != advisory.Affected {
		return nil
	}
	return &exitError{exitPartial, fmt.Errorf("something is %s", map[advisory.Answer]string{advisory.Affected: "affected", advisory.Possibly: "possibly affected"}[worst])}
}

func (c *advisoryMatchCmd) print(e *env, list []matched) error {
	if c.Output == "json" {
		return printJSON(e.stdout, list)
	}
	for _, m := range list {
		fmt.Fprintf(e.stdout, "%s: %s\n", shown.Text(strings.TrimSpace(strings.Join(strings.Fields(m.Vendor+" "+m.Product+" "+m.Version), " "))), m.Answer)
		for _, x := range m.Matches {
			writeMatch(e.stdout, x)
		}
		for _, x := range m.Outside {
			fmt.Fprintf(e.stdout, "  %s names %s %s, and this version is not among them\n", x.Advisory, shown.Text(x.Product), shown.Text(x.Versions))
		}
		if m.Answer == advisory.NotListed {
			what := "it"
			if len(m.Outside) > 0 {
				what = "this version"
			}
			fmt.Fprintf(e.stdout, "  No advisory known here names %s. That does not mean that it has no weakness.\n", what)
		}
	}
	return nil
}

// writeMatch prints one match under the product it belongs to.
func writeMatch(w io.Writer, m advisory.Match) {
	fmt.Fprintf(w, "  %-8s  %s  %s: %s  score %s  %s\n", m.Answer, m.Advisory, shown.Text(m.Product), shown.Text(m.Versions), score(m.Score), better(m))
	if m.Read != "" {
		fmt.Fprintf(w, "            read: %s\n", shown.Text(m.Read))
	}
	fmt.Fprintf(w, "            do: %s\n", shown.Text(m.Fix))
}

// better says what the vendor has.
func better(m advisory.Match) string {
	switch {
	case m.Fixed != "":
		return "fixed in " + shown.Text(m.Fixed)
	case m.Update == advisory.NoUpdate:
		return "no update: isolate behind a gate"
	case m.Update == advisory.Request:
		return "update on request"
	case m.Update == advisory.Mitigate:
		return "no update: settings only"
	case m.Update == advisory.Planned:
		return "update announced"
	case m.Update == advisory.Available:
		return "update available"
	}
	return "update not known"
}

// identities reads vendor, product and version out of a register.
func identities(e *env, name string) ([]advisory.Identity, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, troubles, err := inventory.ReadCSV(f)
	if err != nil {
		return nil, err
	}
	printTroubles(e, troubles)
	out := make([]advisory.Identity, 0, len(list))
	for _, o := range list {
		product := o.Product
		if product == "" {
			product = o.Name
		}
		out = append(out, advisory.Identity{Vendor: o.Vendor, Product: product, Version: o.Version})
	}
	return out, nil
}

func printTroubles(e *env, troubles []inventory.Trouble) {
	for _, t := range troubles {
		fmt.Fprintf(e.stderr, "line %d: %s\n", t.Line, shown.Text(t.Why))
	}
}
