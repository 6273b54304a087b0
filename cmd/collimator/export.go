package main

import (
	"io"

	"collimator/dicom/pixel"
	"collimator/internal/archive"
	"collimator/internal/disc"
	"collimator/internal/export"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

type exportCmd struct {
	dataFlags
	Study    string `help:"Study Instance UID." required:"" placeholder:"UID"`
	Series   string `help:"Only this series." placeholder:"UID"`
	Instance string `help:"Only this instance." placeholder:"UID"`
	Out      string `help:"Directory for the files, or the file for zip and iso; it is made." required:"" placeholder:"PATH"`
	Format   string `help:"files; zip or iso: one file with a DICOMDIR, and pages that any browser shows." enum:"files,zip,iso" default:"files"`
	Language string `help:"Of the pages: en or de." enum:"en,de" default:"en"`
	Syntax   string `help:"Transfer syntax UID to convert to; the default is as stored." placeholder:"UID"`
	Sign     bool   `help:"Add a digital signature to each file; needs --key and --cert."`
	Key      string `help:"RSA key to sign with, PEM, 2048 bits or more." placeholder:"FILE"`
	Cert     string `help:"Certificate of the key, PEM." placeholder:"FILE"`
	Output   string `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (exportCmd) Help() string {
	return `Writes plain DICOM files, with the names of the patients in them, numbered from 000001.dcm on. No
file is replaced. Without --syntax and --sign they are bit for bit what is stored. What is exported
stands in the audit trail.

With --sign each file gets a signature over its elements and pixel data (PS3.15 C.2); the stored object
stays as it is. Uncompressed objects are then written in Explicit VR Little Endian.

With --format zip or iso it is what the console gives as a download: INDEX.HTM shows the images without a
program, and the image can be burned.

Examples:
  collimator export --study 1.2.3 --out ./study
  collimator export --study 1.2.3 --format iso --out study.iso
  collimator export --study 1.2.3 --out ./study --sign --key clinic.key.pem --cert clinic.cert.pem`
}

func (c *exportCmd) Run(e *env) error {
	signer, err := export.SignerOf(c.Sign, c.Key, c.Cert)
	if err != nil {
		return err
	}
	if c.Syntax != "" && !pixel.Convertible(c.Syntax) {
		return fault.Usage("--syntax: nothing is converted to %s", c.Syntax)
	}

	if c.Format != "files" && (c.Syntax != "" || c.Sign) {
		return fault.Usage("--syntax and --sign go with --format files")
	}

	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		refs, err := export.Find(e.ctx, a, export.Query(archive.Everything(), c.Study, c.Series, c.Instance))
		if err != nil {
			return err
		}

		p := terminal.NewProgress(e.stderr, "exported", len(refs))
		if c.Format != "files" {
			made, err := in.ExportMedium(e.ctx, refs, house.Medium{
				Archive: a, Study: c.Study, Series: c.Series, Instance: c.Instance,
				Form: c.Format, File: c.Out, Language: c.Language, Progress: p.Add,
			})
			p.End()
			return c.made(e, made, err)
		}
		r, err := in.Export(e.ctx, refs, export.Options{Archive: a, Dir: c.Out, Syntax: c.Syntax, Signer: signer, Progress: p.Add})
		p.End()
		if err != nil {
			return err
		}

		err = terminal.Show(e.stdout, c.Output, r, func(w io.Writer) error { return r.Print(w, c.Out) })
		if err != nil {
			return err
		}
		return r.Verdict(e.ctx)
	})
}

// made prints what came of a medium.
func (c *exportCmd) made(e *env, m *disc.Made, err error) error {
	if err != nil {
		return err
	}
	if err := terminal.Show(e.stdout, c.Output, m, func(w io.Writer) error { return m.Print(w, c.Out) }); err != nil {
		return err
	}
	return m.Verdict()
}
