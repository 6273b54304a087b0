package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"collimator/dicom/sign"
	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/shown"
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
		return usageError("name files, or a study with --study")
	}
	roots, err := readTrusted(c.Trust)
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

	err = printList(e.stdout, c.Output, k.Found, "OBJECT|STATE|SIGNER|TIME|PURPOSE|PIXELS|SIGNED|UNSIGNED|WHY", signatureRow, "")

	return errors.Join(err, signatureVerdict(k.Found))
}

// stored checks what is stored of a study.
func (c *signatureCheckCmd) stored(e *env, k *verify.Signatures) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		p := newProgress(e, "checked", 0)
		defer p.end()
		return k.Study(e.ctx, a, c.Study, func(bytes int64) { p.add(bytes, false) })
	})
}

func signatureRow(s verify.Signature) []string {
	when := "-"
	if !s.Time.IsZero() {
		when = minute(s.Time)
	}
	pixels := "no"
	if s.PixelData {
		pixels = "yes"
	}

	return []string{s.Object + s.Path, s.State, dash(s.Subject), when, dash(s.Purpose), pixels,
		fmt.Sprint(len(s.Signed)), fmt.Sprint(s.Unsigned), dash(s.Reason)}
}

// signatureVerdict is the exit code.
func signatureVerdict(found []verify.Signature) error {
	altered := 0
	doubtful := 0
	for _, s := range found {
		switch s.Verdict {
		case sign.Valid:
		case sign.Altered:
			altered++
		default:
			doubtful++
		}
	}

	if altered > 0 {
		return fmt.Errorf("signatures that do not fit, what was signed was altered after it was signed: %d", altered)
	}
	if doubtful > 0 {
		return &exitError{exitPartial, fmt.Errorf("without a valid signature: %d of %d", doubtful, len(found))}
	}

	return nil
}

// readTrusted reads certificates in PEM.
func readTrusted(files []string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("--trust: %w", err)
		}
		if !pool.AppendCertsFromPEM(b) {
			return nil, usageError("--trust: %s holds no certificate in PEM", name)
		}
	}

	return pool, nil
}

// readSigner reads a key and its certificate in PEM, and sees whether they can
// sign.
func readSigner(key, certificate string) (*sign.Signer, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, usageError("--key, --cert: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	private, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, usageError("--key: the key cannot sign")
	}

	s := &sign.Signer{Key: private, Certificate: pair.Leaf, Purpose: sign.Source}
	if err := s.Check(); err != nil {
		return nil, usageError("--key, --cert: %w", err)
	}

	return s, nil
}
