package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dicom/sign"
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/shown"
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

// checkedSignature is one line of the answer.
type checkedSignature struct {
	Object    string    `json:"object"` // file, or SOP Instance UID
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	Path      string    `json:"path,omitempty"`
	UID       string    `json:"uid,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Time      time.Time `json:"time,omitzero"`
	Purpose   string    `json:"purpose,omitempty"`
	Algorithm string    `json:"algorithm,omitempty"`
	Signed    []string  `json:"signed,omitempty"` // keywords
	Unsigned  int       `json:"unsigned"`
	PixelData bool      `json:"pixelData"`
	state     sign.State
}

// unsignedObject is the state of an object without signatures.
const unsignedObject = "no signature"

func (c *signatureCheckCmd) Run(e *env) error {
	if (len(c.Files) == 0) == (c.Study == "") {
		return usageError("name files, or a study with --study")
	}
	roots, err := readTrusted(c.Trust)
	if err != nil {
		return err
	}

	k := &signatureCheck{options: sign.Options{Roots: roots}}
	if c.Study == "" {
		for _, name := range c.Files {
			if err := k.file(e.ctx, name); err != nil {
				return fmt.Errorf("%s: %w", shown.Text(name), err)
			}
		}
	} else if err := c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error { return k.study(e, a, c.Study) }); err != nil {
		return err
	}

	err = printList(e.stdout, c.Output, k.found, "OBJECT|STATE|SIGNER|TIME|PURPOSE|PIXELS|SIGNED|UNSIGNED|WHY", signatureRow, "")

	return errors.Join(err, k.verdict())
}

func signatureRow(s checkedSignature) []string {
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

// signatureCheck is one run.
type signatureCheck struct {
	options sign.Options
	found   []checkedSignature
}

func (k *signatureCheck) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}

	return k.object(ctx, name, f, info.Size())
}

func (k *signatureCheck) study(e *env, a *archive.Archive, study string) error {
	p := newProgress(e, "checked", 0)
	defer p.end()

	for ref, err := range a.Retrieve(e.ctx, archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: archive.Everything()}) {
		if err != nil {
			return err
		}
		o, err := a.Open(e.ctx, ref)
		if err != nil {
			return err
		}
		if err := errors.Join(k.object(e.ctx, ref.SOPInstanceUID, o, o.Size()), o.Close()); err != nil {
			return err
		}
		p.add(ref.Size, false)
	}
	if len(k.found) == 0 {
		return fault.New(fault.NotFound, "nothing of that study is stored; look for studies with 'collimator find'")
	}

	return nil
}

// object checks the signatures of one object.
func (k *signatureCheck) object(ctx context.Context, name string, r io.ReaderAt, size int64) error {
	f, err := dicom.OpenFile(r, size, dicom.DecodeOptions{BulkThreshold: 64 << 10})
	if err != nil {
		return err
	}

	before := len(k.found)
	for s, err := range sign.Verify(ctx, f.DataSet, k.options) {
		if err != nil {
			return err
		}
		c := checkedSignature{Object: name, State: s.State.String(), Reason: s.Reason, Path: s.Path, UID: s.UID, Subject: s.Subject,
			Time: s.Time, Purpose: s.Purpose.String(), Algorithm: s.Algorithm, Unsigned: s.Unsigned, PixelData: s.PixelData, state: s.State}
		for _, t := range s.Signed {
			c.Signed = append(c.Signed, t.Keyword())
		}
		k.found = append(k.found, c)
	}
	if len(k.found) == before {
		k.found = append(k.found, checkedSignature{Object: name, State: unsignedObject})
	}

	return nil
}

// verdict is the exit code.
func (k *signatureCheck) verdict() error {
	altered := 0
	doubtful := 0
	for _, s := range k.found {
		switch s.state {
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
		return &exitError{exitPartial, fmt.Errorf("without a valid signature: %d of %d", doubtful, len(k.found))}
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
