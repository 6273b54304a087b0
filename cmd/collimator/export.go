package main

import (
	"fmt"

	"collimator/dicom/pixel"
	"collimator/dicom/sign"
	"collimator/internal/archive"
	"collimator/internal/export"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

type exportCmd struct {
	dataFlags
	Study    string `help:"Study Instance UID." required:"" placeholder:"UID"`
	Series   string `help:"Only this series." placeholder:"UID"`
	Instance string `help:"Only this instance." placeholder:"UID"`
	Out      string `help:"Directory for the files; it is made." required:"" placeholder:"DIR"`
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

Examples:
  collimator export --study 1.2.3 --out ./study
  collimator export --study 1.2.3 --out ./study --sign --key clinic.key.pem --cert clinic.cert.pem`
}

func (c *exportCmd) Run(e *env) error {
	signer, err := c.signer()
	if err != nil {
		return err
	}
	if c.Syntax != "" && !pixel.Convertible(c.Syntax) {
		return fault.Usage("--syntax: nothing is converted to %s", c.Syntax)
	}

	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		refs, err := export.Find(e.ctx, a, c.query())
		if err != nil {
			return err
		}

		p := terminal.NewProgress(e.stderr, "exported", len(refs))
		r, err := in.Export(e.ctx, refs, export.Options{Archive: a, Dir: c.Out, Syntax: c.Syntax, Signer: signer, Progress: p.Add})
		p.End()
		if err != nil {
			return err
		}

		return c.finish(e, r)
	})
}

// signer is what the flags say to sign with; nil is not to sign.
func (c *exportCmd) signer() (*sign.Signer, error) {
	if !c.Sign {
		if c.Key != "" || c.Cert != "" {
			return nil, fault.Usage("--key and --cert go with --sign")
		}
		return nil, nil
	}
	if c.Key == "" || c.Cert == "" {
		return nil, fault.Usage("--sign needs --key and --cert")
	}

	return export.ReadSigner(c.Key, c.Cert)
}

// query names what the flags name.
func (c *exportCmd) query() archive.RetrieveQuery {
	q := archive.RetrieveQuery{StudyUIDs: []string{c.Study}, Scope: archive.Everything()}
	if c.Series != "" {
		q.SeriesUIDs = []string{c.Series}
	}
	if c.Instance != "" {
		q.SOPInstanceUIDs = []string{c.Instance}
	}
	return q
}

// finish prints the report and gives the exit code.
func (c *exportCmd) finish(e *env, r export.Report) error {
	if c.Output == "json" {
		if err := terminal.JSON(e.stdout, r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.stdout, "Wrote %s to %s; %d failed.\n",
			phrase.Count(r.Written, "file", "files"), c.Out, len(r.Failed))
	}

	return r.Verdict(e.ctx)
}
