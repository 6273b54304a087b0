package main

import (
	"io"

	"collimator/dicom/deid"
	"collimator/internal/export"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

type deidentifyCmd struct {
	Paths           []string `arg:"" help:"DICOM files and directories of them." placeholder:"FILE"`
	Out             string   `help:"Directory for the copies; it is made." required:"" placeholder:"DIR"`
	ProjectKey      string   `help:"File with the secret of the project. The same key gives the same pseudonyms." required:"" placeholder:"FILE"`
	NewKey          bool     `help:"Make the key file, which must not be there yet."`
	Keep            []string `help:"What to keep: dates or shifted-dates, uids, devices, institutions, characteristics, descriptors, structured, graphics, safe-private." enum:"dates,shifted-dates,uids,devices,institutions,characteristics,descriptors,structured,graphics,safe-private" placeholder:"WHAT"`
	AllowBurnedIn   bool     `help:"Let images pass that may show their patient in the pixels. They are flagged."`
	RemoveDocuments bool     `help:"Put an empty document in the place of an encapsulated one; else its file is refused."`
	Output          string   `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (deidentifyCmd) Help() string {
	return `Follows the Basic Application Level Confidentiality Profile of PS3.15 E. Pixels are not changed: an
image that may show its patient's name is refused, look at it before you allow it. Free text that is
kept (descriptors) is cleaned by rules, which do not find every name. Keep the project key apart from the
copies: whoever has both can link them to the originals.

Example:
  collimator deidentify --project-key trial.key --new-key --keep shifted-dates --out ./clean ./study`
}

func (c *deidentifyCmd) Run(e *env) error {
	profile, err := c.profile()
	if err != nil {
		return err
	}
	key, err := house.ProjectKey(c.ProjectKey, c.NewKey)
	if err != nil {
		return err
	}
	copies, err := export.NotAmong(c.Out)
	if err != nil {
		return err
	}

	// Files are found before anything is written, and not among the copies.
	found, err := lookBelow(e, c.Paths, copies)
	if err != nil {
		return err
	}

	p := terminal.NewProgress(e.stderr, "de-identified", len(found.Files))
	report := export.Deidentify(e.ctx, found, export.CleanOptions{By: deid.New(key, profile), Dir: c.Out, Progress: p.Add})
	p.End()

	err = terminal.Show(e.stdout, c.Output, report, func(w io.Writer) error { return report.Print(w, c.Out) })
	if err != nil {
		return err
	}
	return report.Verdict(e.ctx)
}

// profile is the options of the flags.
func (c *deidentifyCmd) profile() (deid.Profile, error) {
	p, err := house.Profile(c.Keep)
	p.InsecureAllowBurnedIn = c.AllowBurnedIn
	p.RemoveDocuments = c.RemoveDocuments
	return p, err
}
