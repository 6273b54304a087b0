package house

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/audit"
	"collimator/internal/durable"
	"collimator/internal/enrolment"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// Enrolling is a device that is registered by command.
type Enrolling struct {
	enrolment.Grant
	AETitle          string
	Out              string // directory for AET.key.pem, AET.cert.pem and ca.pem
	Cert             string // file with the certificate it has already, PEM; empty to make one
	Days             int    // for which a new certificate is valid
	InsecureShortKey bool   // takes a certificate with a key that can be broken
}

// Enrol registers a device that is not there yet, and makes its key and certificate,
// unless it has one or is let in without. files is nil where none were written.
func (in *Installation) Enrol(ctx context.Context, w Enrolling) (d identity.Device, files *DeviceFiles, err error) {
	if d, err = GrantedDevice(w.AETitle, w.Grant); err != nil {
		return d, nil, err
	}
	if err := in.desk().Free(ctx, w.AETitle); err != nil {
		if fault.Of(err) != fault.Conflict {
			return d, nil, err
		}
		return d, nil, fmt.Errorf("%s is registered already; "+
			"change it with 'collimator device set', its certificate with 'collimator device renew'", w.AETitle)
	}

	cert, files, err := in.certificateOf(w)
	if err != nil {
		return d, nil, err
	}
	if err = in.desk().Add(ctx, d, cert, w.InsecureShortKey); err == nil {
		err = in.noteDevice(ctx, audit.Create, d, "added"+shortKeyNote(w.InsecureShortKey))
	}
	if err != nil {
		return d, nil, errors.Join(err, files.remove())
	}
	return d, files, nil
}

// shortKeyNote is what the audit trail says of a short key.
func shortKeyNote(allowed bool) string {
	if allowed {
		return " (a short key is allowed)"
	}
	return ""
}

// certificateOf reads the certificate that was given, or makes one and writes its
// files. A device that needs none gets none.
func (in *Installation) certificateOf(w Enrolling) (*x509.Certificate, *DeviceFiles, error) {
	switch {
	case w.Cert != "":
		b, err := os.ReadFile(w.Cert)
		if err != nil {
			return nil, nil, fault.Usage("--cert: %w", err)
		}
		cert, err := identity.ParseCertificate(b)
		return cert, nil, err
	case w.Plaintext, w.NoCertificateUntil != "":
		return nil, nil, nil
	}
	return in.issueFiles(issue{w.AETitle, w.Out, w.Days, w.Listen != "", false})
}

// Renewing is a device that gets another certificate by command.
type Renewing struct {
	AETitle string
	Out     string // directory for the new files; those of the same name are replaced
	Days    int    // for which it is valid
	Revoke  bool   // takes the old certificates out at once
}

// Renew makes a new certificate for a device. Without Revoke the old one works on
// until it ends.
func (in *Installation) Renew(ctx context.Context, w Renewing) (*DeviceFiles, error) {
	d, err := in.Registry.Device(ctx, w.AETitle)
	if err != nil {
		return nil, err
	}
	cert, files, err := in.issueFiles(issue{w.AETitle, w.Out, w.Days, d.Listen != "", true})
	if err != nil {
		return nil, err
	}
	detail, err := in.desk().Renewed(ctx, w.AETitle, cert, w.Revoke)
	if err != nil {
		return nil, err
	}
	return files, in.noteDevice(ctx, audit.Update, *d, detail)
}

// DeviceFiles are the files a device is given, by their paths.
type DeviceFiles struct{ Key, Cert, CA string }

// issue says for whom a key and a certificate are made, into which directory, for
// how long, whether the device is called with it, too, and whether files that are
// there are replaced.
type issue struct {
	aeTitle, dir    string
	days            int
	called, replace bool
}

// issueFiles makes a key and a certificate and writes them.
func (in *Installation) issueFiles(w issue) (*x509.Certificate, *DeviceFiles, error) {
	if info, err := os.Stat(w.dir); err == nil && !info.IsDir() {
		return nil, nil, fault.Usage("--out: %s is a file; want a directory, in which AET.key.pem, AET.cert.pem and ca.pem are made", w.dir)
	}

	name := shown.FileName(w.aeTitle)
	f := &DeviceFiles{filepath.Join(w.dir, name+".key.pem"), filepath.Join(w.dir, name+".cert.pem"), filepath.Join(w.dir, "ca.pem")}
	if !w.replace {
		if _, err := os.Stat(f.Key); !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s exists already and is not overwritten; name another directory with --out", f.Key)
		}
	}

	issued, err := in.Authority.IssueDevice(w.aeTitle, time.Duration(w.days)*24*time.Hour, w.called)
	if err != nil {
		return nil, nil, err
	}

	if err := durable.Directory(w.dir); err != nil {
		return nil, nil, err
	}
	for _, file := range []struct {
		path    string
		content []byte
		mode    fs.FileMode
	}{{f.Key, issued.KeyPEM, 0o600}, {f.Cert, issued.CertPEM, 0o644}, {f.CA, in.Authority.CertPEM(), 0o644}} {
		if err := durable.Whole(file.path, file.content, file.mode); err != nil {
			return nil, nil, err
		}
	}
	return issued.Certificate, f, nil
}

// remove takes key and certificate away again.
func (f *DeviceFiles) remove() error {
	if f == nil {
		return nil
	}
	return errors.Join(os.Remove(f.Key), os.Remove(f.Cert))
}

// WaysIn says by which exceptions a device that was enrolled may come in, a sentence or
// two on a line each; empty where it has none.
func (in *Installation) WaysIn(d identity.Device) string {
	c := in.Config
	var text string
	if !d.PlaintextUntil.IsZero() {
		text += fmt.Sprintf("It may come without TLS from %s to %s until %s.\n",
			d.Address, c.PlainDICOM, terminal.LastDay(d.PlaintextUntil))
	}
	if !d.NoCertificateUntil.IsZero() {
		text += fmt.Sprintf("It may come with TLS and without a certificate from %s to AE title %s at %s until %s.\n"+
			"The certificate of the archive is of %s.\n",
			d.Address, c.AE, c.DICOM, terminal.LastDay(d.NoCertificateUntil), filepath.Join(c.Data, KeysDir, "ca.cert.pem"))
	}
	return text
}

// FilesText says what is to be carried to a device; empty where no files were written.
func (in *Installation) FilesText(f *DeviceFiles) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("Wrote %s, %s and %s.\nThe device connects with these to AE title %s at %s.\n",
		f.Key, f.Cert, f.CA, in.Config.AE, in.Config.DICOM)
}
