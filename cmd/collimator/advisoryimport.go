package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/inventory"
	"collimator/internal/outward"
	"collimator/internal/phrase"
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
wrong is refused and named, and with --key one without a signature, too. Without a key what is unsigned is said. The facts are kept (products, versions, CVEs,
scores), not the texts, which may quote passwords. Exit code 3 when something was refused.

Examples:
  collimator advisory import ./csaf --key publisher.asc
  collimator advisory import https://HOST/csaf/icsma-26-001-01.json`
}

func (c *advisoryImportCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		intake, err := readIntake(c.Key, c.Only, c.RequireSignature)
		if err != nil {
			return err
		}
		var taken inventory.Taken
		if strings.Contains(c.From, "://") {
			var client *http.Client
			if client, err = advisoryClient(in.config); err == nil {
				taken, err = in.inventory.Fetch(e.ctx, c.From, intake, client)
			}
		} else {
			taken, err = in.inventory.ImportPath(e.ctx, c.From, intake)
		}
		if err != nil {
			return err
		}
		return reportTaken(e, in, c.Output, taken)
	})
}

func readIntake(key, only string, require bool) (inventory.Intake, error) {
	// Whoever can alter a folder leaves the signature out: a key that is given is
	// the word that there has to be one.
	intake := inventory.Intake{Only: only, RequireSignature: require || key != ""}
	if key == "" {
		if require {
			return intake, usageError("--require-signature needs --key FILE")
		}
		return intake, nil
	}
	f, err := os.Open(key)
	if err != nil {
		return intake, usageError("--key: %w", err)
	}
	defer f.Close()
	if intake.Keys, err = inventory.ReadKeys(f); err != nil {
		return intake, usageError("--key: %w", err)
	}
	return intake, nil
}

// reportTaken says what became of an intake, and records it.
func reportTaken(e *env, in *installation, form string, t inventory.Taken) error {
	if len(t.Imported) > 0 {
		ids := make([]string, 0, 20)
		for _, i := range t.Imported[:min(len(t.Imported), 20)] {
			ids = append(ids, i.ID)
		}
		detail := phrase.Count(len(t.Imported), "advisory", "advisories") + " taken in: " + strings.Join(ids, " ")
		r := audit.Record{Event: audit.InventoryChanged, Action: audit.Create, Objects: []audit.Object{{Detail: detail}}}
		if err := in.record(e.ctx, r); err != nil {
			return err
		}
	}

	if form == "json" {
		if err := printJSON(e.stdout, t); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.stdout, "%d taken in, %d unchanged, %d older than what is here, %d refused.\n", len(t.Imported), t.Unchanged, len(t.Older), len(t.Refused))
		if t.Unsigned > 0 {
			fmt.Fprintf(e.stdout, "%d carry no signature that was checked; --key FILE checks them.\n", t.Unsigned)
		}
		if t.Unhashed > 0 {
			fmt.Fprintf(e.stdout, "%d have no hash beside them.\n", t.Unhashed)
		}
	}

	for _, line := range t.Refused {
		fmt.Fprintln(e.stderr, printable(line))
	}
	if len(t.Refused) > 0 {
		refused := phrase.Count(len(t.Refused), "document was", "documents were")
		return &exitError{exitPartial, fmt.Errorf("%s refused", refused)}
	}
	return nil
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
	return c.with(e, func(in *installation) error {
		a := in.config.Advisories
		if len(a.Sources) == 0 {
			return usageError("no source is configured, and none is asked by itself. Name one in collimator.yaml, for instance CISA's:\n\n  advisories:\n    sources: [https://www.cisa.gov/sites/default/files/csaf/provider-metadata.json]\n    only: icsma-\n\nor take a file in with 'collimator advisory import FILE'")
		}
		intake, err := readIntake(a.Key, a.Only, false)
		if err != nil {
			return err
		}
		client, err := advisoryClient(in.config)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(e.ctx, updateMost)
		defer cancel()

		var all inventory.Taken
		for _, source := range a.Sources {
			t, err := in.inventory.Fetch(ctx, source, intake, client)
			if err != nil {
				all.Refused = append(all.Refused, source+": "+err.Error())
			}
			all.Imported, all.Older, all.Refused = append(all.Imported, t.Imported...), append(all.Older, t.Older...), append(all.Refused, t.Refused...)
			all.Unsigned, all.Unhashed, all.Unchanged = all.Unsigned+t.Unsigned, all.Unhashed+t.Unhashed, all.Unchanged+t.Unchanged
		}
		return reportTaken(e, in, c.Output, all)
	})
}

// updateMost is how long all sources together may take, and sourceMost one file.
const (
	updateMost = 15 * time.Minute
	sourceMost = time.Minute
)

// advisoryClient asks sources; it believes the authorities of the settings, or
// those of the system.
func advisoryClient(c config.Config) (*http.Client, error) {
	roots, err := rootsOf("advisories.roots", c.Advisories.Roots)
	if err != nil {
		return nil, err
	}
	way, err := outward.New(c.Outward.Options())
	if err != nil {
		return nil, usageError("%w", err)
	}
	return way.Client(sourceMost, &tls.Config{RootCAs: roots}), nil
}
