package main

import (
	"errors"
	"fmt"

	"collimator/dicom/sign"
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/shown"
	"collimator/internal/terminal"
	"collimator/internal/verify"
)

type signatureCmd struct {
	Check signatureCheckCmd `cmd:"" help:"Check the digital signatures of files or of a stored study."`
}

type signatureCheckCmd struct {
	dataFlags
	outputFlag
	Files []string `arg:"" optional:"" help:"DICOM files." placeholder:"FILE"`
	Study string   `help:"Check what is stored of this Study Instance UID instead." placeholder:"UID"`
	Trust []string `help:"Certificates that are trusted, of authorities or of signers, PEM." placeholder:"FILE"`
}

func (signatureCheckCmd) Help() string {
	return `Says of each signature whether what was signed is unchanged, who signed it, when by the signer's own
word, and what it covers. Elements that it does not cover may have been changed by anybody. Without
--trust no signer is known, and a signature that is intact is shown as not trusted.

Exit code 0 when every object has signatures and all are valid, 1 when something was altered, and 3
for everything else: no signature, not trusted, expired, weak or not to be checked.

Examples:
  collimator signature check --trust clinic.cert.pem image.dcm
  collimator signature check --trust clinic.cert.pem --study 1.2.3`
}

func (c *signatureCheckCmd) Run(e *env) error {
	if (len(c.Files) == 0) == (c.Study == "") {
		return fault.Usage("name files, or a study with --study")
	}
	roots, err := verify.ReadTrusted(c.Trust)
	if err != nil {
		return err
	}

	k := &verify.Signatures{Options: sign.Options{Roots: roots}}
	if c.Study == "" {
		for _, name := range c.Files {
			if err := k.File(e.ctx, name); err != nil {
				return fmt.Errorf("%s: %w", shown.Text(name), err)
			}
		}
	} else if err := c.stored(e, k); err != nil {
		return err
	}

	err = terminal.List(e.stdout, c.Output, k.Found, "OBJECT|STATE|SIGNER|TIME|PURPOSE|PIXELS|SIGNED|UNSIGNED|WHY", signatureRow, "")

	return errors.Join(err, k.Verdict())
}

// stored checks what is stored of a study.
func (c *signatureCheckCmd) stored(e *env, k *verify.Signatures) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		p := terminal.NewProgress(e.stderr, "checked", 0)
		defer p.End()
		return k.Study(e.ctx, a, c.Study, p.Count)
	})
}

func signatureRow(s verify.Signature) []string {
	return []string{s.Object + s.Path, s.State, terminal.Dash(s.Subject), terminal.MinuteOr(s.Time, "-"),
		terminal.Dash(s.Purpose), terminal.YesNo(s.PixelData),
		fmt.Sprint(len(s.Signed)), fmt.Sprint(s.Unsigned), terminal.Dash(s.Reason)}
}
