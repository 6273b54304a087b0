package main

import (
	"errors"
	"fmt"

	"collimator/dicom/pixel"
	"collimator/dicom/sign"
	"collimator/internal/archive"
	"collimator/internal/durable"
	"collimator/internal/export"
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/shown"
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
		return usageError("--syntax: nothing is converted to %s", c.Syntax)
	}

	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		refs, err := export.Find(e.ctx, a, c.query())
		if err != nil {
			return err
		}
		if err := durable.Directory(c.Out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}

		// Recorded before the first byte leaves: an export that is killed has
		// taken place as well.
		study := studyObject(e.ctx, a, refs[0].StudyUID, "files")
		if err := in.Record(e.ctx, export.Record(study, refs, 0)); err != nil {
			return err
		}
		p := newProgress(e, "exported", len(refs))
		r := export.Run(e.ctx, refs, export.Options{Archive: a, Dir: c.Out, Syntax: c.Syntax, Signer: signer, Progress: p.add})
		p.end()
		if n := len(refs) - r.Written; n > 0 {
			if err := in.Record(e.ctx, export.Record(study, refs, n)); err != nil {
				return err
			}
		}

		return c.finish(e, r)
	})
}

// signer is what the flags say to sign with; nil is not to sign.
func (c *exportCmd) signer() (*sign.Signer, error) {
	if !c.Sign {
		if c.Key != "" || c.Cert != "" {
			return nil, usageError("--key and --cert go with --sign")
		}
		return nil, nil
	}
	if c.Key == "" || c.Cert == "" {
		return nil, usageError("--sign needs --key and --cert")
	}

	return readSigner(c.Key, c.Cert)
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
		if err := printJSON(e.stdout, r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.stdout, "Wrote %s to %s; %d failed.\n",
			phrase.Count(r.Written, "file", "files"), c.Out, len(r.Failed))
	}

	var failed []error
	for _, f := range r.Failed {
		failed = append(failed, fmt.Errorf("%s: %s", shown.Text(f.File), f.Reason))
	}
	if e.ctx.Err() != nil {
		failed = append(failed, errors.New("interrupted: the rest was not written"))
	}
	if len(failed) > 0 && r.Written > 0 {
		return &exitError{exitPartial, errors.Join(failed...)}
	}

	return errors.Join(failed...)
}
