package main

import (
	"fmt"

	"collimator/internal/house"
	"collimator/internal/inventory"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

type advisoryImportCmd struct {
	dataFlags
	outputFlag
	From             string `arg:"" name:"from" help:"A CSAF 2.0 document, a folder of them, or an https address."`
	Key              string `help:"File with the publisher's OpenPGP key; only documents with a signature (.asc) of it are taken." placeholder:"FILE"`
	RequireSignature bool   `help:"Take only what carries a signature that verifies; with --key that is so." hidden:""`
	Only             string `help:"Only documents whose file name begins so." placeholder:"PREFIX"`
}

func (advisoryImportCmd) Help() string {
	return `A hash beside a document (.sha256, .sha512) is always checked. A document whose hash or signature is
wrong is refused and named, and with --key one without a signature, too. Without a key what is unsigned is said. ` +
		`The facts are kept (products, versions, CVEs,
scores), not the texts, which may quote passwords. Exit code 3 when something was refused.

Examples:
  collimator advisory import ./csaf --key publisher.asc
  collimator advisory import https://HOST/csaf/icsma-26-001-01.json`
}

func (c *advisoryImportCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		taken, err := in.TakeAdvisories(e.ctx, c.From, c.Key, c.Only, c.RequireSignature)
		if err != nil {
			return err
		}
		return reportTaken(e, c.Output, taken)
	})
}

// reportTaken prints what an intake took and, on standard error, each document that
// it refused. It returns the verdict on the intake.
func reportTaken(e *env, form string, t inventory.Taken) error {
	if err := terminal.Show(e.stdout, form, t, t.Print); err != nil {
		return err
	}

	for _, line := range t.Refused {
		fmt.Fprintln(e.stderr, shown.Text(line))
	}

	return t.Verdict()
}

type advisoryUpdateCmd struct {
	dataFlags
	outputFlag
}

func (advisoryUpdateCmd) Help() string {
	return `Asks only the sources that stand in collimator.yaml; without one it asks nobody:

  advisories:
    sources: [https://www.cisa.gov/sites/default/files/csaf/provider-metadata.json]
    only: icsma-            # medical advisories
    key: publisher.asc      # OpenPGP key of the publisher: what it did not sign is refused
    roots: ca.pem           # who vouches for the source, where the system does not know it

A source is a provider-metadata.json, a folder with index.txt or changes.csv, a ROLIE feed or a document.

Example:
  collimator advisory update`
}

func (c *advisoryUpdateCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		all, err := in.UpdateAdvisories(e.ctx)
		if err != nil {
			return err
		}
		return reportTaken(e, c.Output, all)
	})
}
