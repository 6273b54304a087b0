package house

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/inventory"
	"collimator/internal/outward"
	"collimator/internal/phrase"
)

// TakeAdvisories takes in advisories of a CSAF 2.0 document, a folder of them or an https
// address, and records which. key is the file with the key of the publisher, empty
// for none; only is how names of files begin.
func (in *Installation) TakeAdvisories(ctx context.Context, from, key, only string, requireSignature bool) (inventory.Taken, error) {
	intake, err := intakeOf(key, only, requireSignature)
	if err != nil {
		return inventory.Taken{}, err
	}

	var taken inventory.Taken
	if strings.Contains(from, "://") {
		var client *http.Client
		if client, err = advisoryClient(in.Config); err == nil {
			taken, err = in.Inventory.Fetch(ctx, from, intake, client)
		}
	} else {
		taken, err = in.Inventory.ImportPath(ctx, from, intake)
	}
	if err != nil {
		return inventory.Taken{}, err
	}
	return taken, in.noteTaken(ctx, taken)
}

// UpdateAdvisories takes in what the sources of the settings have, and records it. A
// source that cannot be asked is among what was refused.
func (in *Installation) UpdateAdvisories(ctx context.Context) (inventory.Taken, error) {
	a := in.Config.Advisories
	if len(a.Sources) == 0 {
		return inventory.Taken{}, fault.Usage("no source is configured, and none is asked by itself. " +
			"Name one in collimator.yaml, for instance CISA's:\n" +
			"\n  advisories:\n" +
			"    sources: [https://www.cisa.gov/sites/default/files/csaf/provider-metadata.json]\n    only: icsma-\n\n" +
			"or take a file in with 'collimator advisory import FILE'")
	}
	intake, err := intakeOf(a.Key, a.Only, false)
	if err != nil {
		return inventory.Taken{}, err
	}
	client, err := advisoryClient(in.Config)
	if err != nil {
		return inventory.Taken{}, err
	}
	asking, cancel := context.WithTimeout(ctx, updateMost)
	defer cancel()

	var all inventory.Taken
	for _, source := range a.Sources {
		t, err := in.Inventory.Fetch(asking, source, intake, client)
		if err != nil {
			all.Refused = append(all.Refused, source+": "+err.Error())
		}
		all.Add(t)
	}
	return all, in.noteTaken(ctx, all)
}

// noteTaken records what was taken in.
func (in *Installation) noteTaken(ctx context.Context, t inventory.Taken) error {
	if len(t.Imported) == 0 {
		return nil
	}
	ids := make([]string, 0, 20)
	for _, i := range t.Imported[:min(len(t.Imported), 20)] {
		ids = append(ids, i.ID)
	}
	detail := phrase.Count(len(t.Imported), "advisory", "advisories") + " taken in: " + strings.Join(ids, " ")
	return in.Note(ctx, audit.InventoryChanged, audit.Create, audit.Object{Detail: detail})
}

// intakeOf reads the key of a publisher.
func intakeOf(key, only string, require bool) (inventory.Intake, error) {
	// Whoever can alter a folder leaves the signature out: a key that is given is
	// the word that there has to be one.
	intake := inventory.Intake{Only: only, RequireSignature: require || key != ""}
	if key == "" {
		if require {
			return intake, fault.Usage("--require-signature needs --key FILE")
		}
		return intake, nil
	}

	f, err := os.Open(key)
	if err != nil {
		return intake, fault.Usage("--key: %w", err)
	}
	defer f.Close()

	if intake.Keys, err = inventory.ReadKeys(f); err != nil {
		return intake, fault.Usage("--key: %w", err)
	}
	return intake, nil
}

// updateMost is how long all sources together may take, and sourceMost one file.
const (
	updateMost = 15 * time.Minute
	sourceMost = time.Minute
)

// advisoryClient asks sources; it believes the authorities of the settings, or
// those of the system.
func advisoryClient(c config.Config) (*http.Client, error) {
	roots, err := RootsOf("advisories.roots", c.Advisories.Roots)
	if err != nil {
		return nil, err
	}
	way, err := outward.New(c.Outward.Options())
	if err != nil {
		return nil, fault.Usage("%w", err)
	}
	return way.Client(sourceMost, &tls.Config{RootCAs: roots}), nil
}
