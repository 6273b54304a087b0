package export

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"

	"collimator/dicom/sign"
	"collimator/internal/fault"
	"collimator/internal/phrase"
	"collimator/internal/shown"
)

// Verdict says how an export ended: fault.Partly where some files were written and some
// not. An export whose ctx ended was interrupted.
func (r Report) Verdict(ctx context.Context) error {
	var failed []error
	for _, f := range r.Failed {
		failed = append(failed, fmt.Errorf("%s: %s", shown.Text(f.File), f.Reason))
	}

	if ctx.Err() != nil {
		failed = append(failed, errors.New("interrupted: the rest was not written"))
	}

	if len(failed) > 0 && r.Written > 0 {
		return fault.Ended(fault.Partly, errors.Join(failed...))
	}

	return errors.Join(failed...)
}

// ReadSigner reads a key and its certificate in PEM, and sees whether they can
// sign.
func ReadSigner(key, certificate string) (*sign.Signer, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fault.Usage("--key, --cert: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	private, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fault.Usage("--key: the key cannot sign")
	}

	s := &sign.Signer{Key: private, Certificate: pair.Leaf, Purpose: sign.Source}
	if err := s.Check(); err != nil {
		return nil, fault.Usage("--key, --cert: %w", err)
	}

	return s, nil
}

// Verdict says how a de-identification ended, as that of a Report does. Nothing found
// is an error, too.
func (r CleanReport) Verdict(ctx context.Context) error {
	var failed []error
	for _, f := range r.Failed {
		failed = append(failed, fmt.Errorf("%s: %s", shown.Text(f.File), f.Reason))
	}
	if err := ctx.Err(); err != nil {
		failed = append(failed, errors.New("interrupted: the rest was not looked at"))
	}

	switch {
	case len(failed) == 0 && r.Written == 0:
		return errors.New("no DICOM objects were found")
	case len(failed) > 0 && r.Written > 0:
		return fault.Ended(fault.Partly, errors.Join(failed...))
	}
	return errors.Join(failed...)
}

// SignerOf is the signer that the flags of an export name; nil where nothing is to be
// signed.
func SignerOf(wanted bool, key, certificate string) (*sign.Signer, error) {
	given := key != "" || certificate != ""
	switch {
	case !wanted && given:
		return nil, fault.Usage("--key and --cert go with --sign")
	case !wanted:
		return nil, nil
	case key == "" || certificate == "":
		return nil, fault.Usage("--sign needs --key and --cert")
	}
	return ReadSigner(key, certificate)
}

// Print says in words how much was written into a directory.
func (r Report) Print(w io.Writer, dir string) error {
	_, err := fmt.Fprintf(w, "Wrote %s to %s; %d failed.\n", phrase.Count(r.Written, "file", "files"), dir, len(r.Failed))
	return err
}
