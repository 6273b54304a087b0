package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// grantFlags say what a device may do and how it is recognised.
type grantFlags struct {
	Allow     *string  `help:"What it may do: echo, store, query, retrieve, commit, joined with commas. Default: echo,store,commit." placeholder:"VERBS"`
	Address   string   `help:"The only IP address it may come from." placeholder:"IP"`
	Listen    string   `help:"Where it accepts associations, as a destination of C-MOVE." placeholder:"HOST:PORT"`
	MoveTo    []string `help:"AE titles to which its C-MOVE may send, besides itself." placeholder:"AET"`
	Plaintext bool     `help:"Let it in without TLS, from --address and until --until only. It is shown as a weakness as long as it lasts."`
	Until     string   `help:"Last day without TLS, as 2026-12-31." placeholder:"DATE"`

	NoCertificateUntil string `help:"Let it in with TLS and without a certificate, from --address alone, up to and including this day. It is shown as a weakness as long as it lasts." placeholder:"DATE"`
}

// keyFlags say what is taken of a certificate that the device has already.
type keyFlags struct {
	InsecureShortKey bool `help:"Insecure: bind a certificate with a key that can be broken (RSA below 2048 bits). The device is marked."`
}

// note is what the audit trail says of it.
func (k keyFlags) note() string {
	if k.InsecureShortKey {
		return " (a short key is allowed)"
	}
	return ""
}

// defaultAllow is what a modality needs.
const defaultAllow = "echo,store,commit"

// device checks the flags and makes the entry.
func (g *grantFlags) device(aeTitle string) (identity.Device, error) {
	d := identity.Device{AETitle: aeTitle, Address: g.Address, Listen: g.Listen, Destinations: g.MoveTo}
	if !config.ValidAE(aeTitle) {
		return d, usageError("%q is no AE title: it has 1 to 16 printable ASCII characters without backslash", aeTitle)
	}
	for _, to := range g.MoveTo {
		if !config.ValidAE(to) {
			return d, usageError("--move-to: %q is no AE title", to)
		}
	}

	allow := defaultAllow
	if g.Allow != nil {
		allow = *g.Allow
	}
	var err error
	if d.Verbs, err = policy.ParseVerbs(allow); err != nil {
		return d, usageError("--allow: %w", err)
	}

	if g.Address != "" {
		if _, err := netip.ParseAddr(g.Address); err != nil {
			return d, usageError("--address: want an IP address, without port")
		}
	}
	if g.Listen != "" {
		if _, _, err := net.SplitHostPort(g.Listen); err != nil {
			return d, usageError("--listen: want HOST:PORT")
		}
	}

	if g.Plaintext != (g.Until != "") {
		return d, usageError("--plaintext and --until DATE go together: an exception needs an end")
	}
	if g.Plaintext && g.Address == "" {
		return d, usageError("--plaintext needs --address: without TLS the address is all that tells the device from others")
	}

	if g.NoCertificateUntil != "" && g.Address == "" {
		return d, usageError("--no-certificate-until needs --address: without a certificate the address is all that tells the device from others")
	}
	for _, x := range []struct {
		flag, day string
		to        *time.Time
	}{{"--until", g.Until, &d.PlaintextUntil}, {"--no-certificate-until", g.NoCertificateUntil, &d.NoCertificateUntil}} {
		if x.day == "" {
			continue
		}
		if *x.to, err = endOf(x.flag, x.day); err != nil {
			return d, err
		}
	}
	return d, nil
}

// adviseDevice names what was taken, and will not do what was meant.
func adviseDevice(e *env, in *house.Installation, d identity.Device) error {
	for _, to := range d.Destinations {
		there, err := in.Registry.Device(e.ctx, to)
		switch {
		case fault.Of(err) == fault.NotFound:
			fmt.Fprintf(e.stderr, "collimator: %s is not registered: nothing is sent to it until it is ('collimator device add %s --listen HOST:PORT')\n", to, to)
		case err != nil:
			return err
		case there.Listen == "":
			fmt.Fprintf(e.stderr, "collimator: %s has no address to send to: 'collimator device set %s --listen HOST:PORT'\n", to, to)
		}
	}
	return nil
}

// endOf is the end of the last day of an exception.
func endOf(flag, last string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, last, time.Local)
	if err != nil {
		return time.Time{}, usageError("%s: want a date as 2026-12-31", flag)
	}
	end := day.AddDate(0, 0, 1)
	if !end.After(time.Now()) {
		return time.Time{}, usageError("%s: %s is over", flag, last)
	}
	return end, nil
}

type deviceAddCmd struct {
	dataFlags
	grantFlags
	keyFlags
	AETitle string `arg:"" name:"aet" help:"AE title."`
	Out     string `help:"Directory for AET.key.pem, AET.cert.pem and ca.pem." default:"." placeholder:"DIR"`
	Cert    string `help:"Bind this certificate (PEM), which the device has already, instead of making one." placeholder:"FILE"`
	// Days: the authority that signs is made for fifteen years, and a device lives for
	// about ten.
	Days int `help:"Days for which the new certificate is valid." default:"730" bounds:"1 to 3650"`
}

func (deviceAddCmd) Help() string {
	return `Works beside a running server. Carry the three files to the device; the key is nowhere else.

Examples:
  collimator device add CT1 --out ./ct1
  collimator device add WS1 --allow echo,query,retrieve --listen 192.168.1.20:11112 --out ./ws1
  collimator device add OLD_US --plaintext --address 192.168.1.77 --until 2026-12-31
  collimator device add XR2 --no-certificate-until 2026-12-31 --address 192.168.1.78`
}

func (c *deviceAddCmd) Run(e *env) error {
	d, err := c.device(c.AETitle)
	if err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		if _, err := in.Registry.Device(e.ctx, c.AETitle); fault.Of(err) != fault.NotFound {
			if err != nil {
				return err
			}
			return fmt.Errorf("%s is registered already; change it with 'collimator device set', its certificate with 'collimator device renew'", c.AETitle)
		}

		cert, files, err := c.certificate(in)
		if err != nil {
			return err
		}
		if err := register(e, in, d, cert, c.keyFlags, "added"+c.note()); err != nil {
			return errors.Join(err, files.remove())
		}

		fmt.Fprintf(e.stdout, "%s is registered; it may: %s.\n", c.AETitle, verbsOrNone(d.Verbs))
		if !d.PlaintextUntil.IsZero() {
			fmt.Fprintf(e.stdout, "It may come without TLS from %s to %s until %s.\n", d.Address, in.Config.PlainDICOM, c.Until)
		}
		if !d.NoCertificateUntil.IsZero() {
			fmt.Fprintf(e.stdout, "It may come with TLS and without a certificate from %s to AE title %s at %s until %s.\nThe certificate of the archive is of %s.\n",
				d.Address, in.Config.AE, in.Config.DICOM, c.NoCertificateUntil, filepath.Join(in.Config.Data, house.KeysDir, "ca.cert.pem"))
		}

		if err := adviseDevice(e, in, d); err != nil {
			return err
		}
		return files.report(e, in)
	})
}

// register stores the device and binds the certificate, if there is one.
func register(e *env, in *house.Installation, d identity.Device, cert *x509.Certificate, key keyFlags, detail string) error {
	if err := in.Registry.Put(e.ctx, d); err != nil {
		return err
	}
	if cert != nil {
		bind := in.Registry.Bind
		if key.InsecureShortKey {
			bind = in.Registry.InsecureBind
		}
		if err := bind(e.ctx, d.AETitle, cert); err != nil {
			return errors.Join(err, in.Registry.Remove(context.WithoutCancel(e.ctx), d.AETitle))
		}
	}
	return in.Record(e.ctx, deviceRecord(audit.Create, d, detail))
}

// certificate reads the one that was given, or makes one and writes its files.
// A device that needs none gets none.
func (c *deviceAddCmd) certificate(in *house.Installation) (*x509.Certificate, *deviceFiles, error) {
	switch {
	case c.Cert != "":
		b, err := os.ReadFile(c.Cert)
		if err != nil {
			return nil, nil, usageError("--cert: %w", err)
		}
		cert, err := identity.ParseCertificate(b)
		return cert, nil, err
	case c.Plaintext, c.NoCertificateUntil != "":
		return nil, nil, nil
	}
	return issueFiles(in, issue{c.AETitle, c.Out, c.Days, c.Listen != "", false})
}

// deviceFiles are the files a device is given.
type deviceFiles struct{ key, cert, ca string }

// issue says for whom a key and a certificate are made, into which directory, for
// how long, whether the device is called with it, too, and whether files that are
// there are replaced.
type issue struct {
	aeTitle, dir    string
	days            int
	called, replace bool
}

// issueFiles makes a key and a certificate and writes them.
func issueFiles(in *house.Installation, w issue) (*x509.Certificate, *deviceFiles, error) {
	if info, err := os.Stat(w.dir); err == nil && !info.IsDir() {
		return nil, nil, usageError("--out: %s is a file; want a directory, in which AET.key.pem, AET.cert.pem and ca.pem are made", w.dir)
	}

	name := fileName(w.aeTitle)
	f := &deviceFiles{filepath.Join(w.dir, name+".key.pem"), filepath.Join(w.dir, name+".cert.pem"), filepath.Join(w.dir, "ca.pem")}
	if !w.replace {
		if _, err := os.Stat(f.key); !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s exists already and is not overwritten; name another directory with --out", f.key)
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
	}{{f.key, issued.KeyPEM, 0o600}, {f.cert, issued.CertPEM, 0o644}, {f.ca, in.Authority.CertPEM(), 0o644}} {
		if err := durable.Whole(file.path, file.content, file.mode); err != nil {
			return nil, nil, err
		}
	}
	return issued.Certificate, f, nil
}

// fileName keeps what is safe in a file name; an AE title may hold a slash.
func fileName(aeTitle string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, aeTitle)
}

func (f *deviceFiles) remove() error {
	if f == nil {
		return nil
	}
	return errors.Join(os.Remove(f.key), os.Remove(f.cert))
}

func (f *deviceFiles) report(e *env, in *house.Installation) error {
	if f == nil {
		return nil
	}
	_, err := fmt.Fprintf(e.stdout, "Wrote %s, %s and %s.\nThe device connects with these to AE title %s at %s.\n", f.key, f.cert, f.ca, in.Config.AE, in.Config.DICOM)
	return err
}
