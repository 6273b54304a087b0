// Package enrolment registers the devices that may connect: what each may do, by which
// certificate or exception it is recognised, and who of those that were refused is let in. The
// commands and the JSON API do it by the same functions; each records it in its own name.
package enrolment

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
)

// Desk is where devices are enrolled. Safe for concurrent use.
type Desk struct {
	Registry  *identity.Registry
	Authority *identity.Authority // signs their certificates
}

// Free fails with fault.Conflict where a title is registered already.
func (x Desk) Free(ctx context.Context, aeTitle string) error {
	_, err := x.Registry.Device(ctx, aeTitle)
	switch fault.Of(err) {
	case fault.NotFound:
		return nil
	case fault.None:
		if err == nil {
			err = fault.New(fault.Conflict, "enrolment: this AE title is registered already; change the device, or renew its certificate")
		}
	}
	return err
}

// Add registers a device that is not there yet, and binds its certificate where it has one. With a
// short key, one that can be broken is taken too.
func (x Desk) Add(ctx context.Context, d identity.Device, cert *x509.Certificate, shortKey bool) error {
	if err := x.Registry.Add(ctx, d); err != nil || cert == nil {
		return err
	}

	bind := x.Registry.Bind
	if shortKey {
		bind = x.Registry.InsecureBind
	}
	if err := bind(ctx, d.AETitle, cert); err != nil {
		return errors.Join(err, x.Registry.Remove(context.WithoutCancel(ctx), d.AETitle))
	}
	return nil
}

// Issue makes a key and a certificate for a device; one that listens is called with it, too.
func (x Desk) Issue(d identity.Device, days int) (*identity.Issued, error) {
	return x.Authority.IssueDevice(d.AETitle, time.Duration(days)*24*time.Hour, d.Listen != "")
}

// Renewed binds another certificate to a device. With revoke the earlier ones end at once, else
// they count until they end by themselves. It gives the words of the record.
func (x Desk) Renewed(ctx context.Context, aeTitle string, cert *x509.Certificate, revoke bool) (string, error) {
	if err := x.Registry.Bind(ctx, aeTitle, cert); err != nil {
		return "", err
	}
	if !revoke {
		return "certificate renewed", nil
	}
	return "certificate replaced", x.Registry.Supersede(ctx, aeTitle, cert)
}

// Change changes a device and gives it as it is now. refused says that it cannot come in any more.
func (x Desk) Change(ctx context.Context, aeTitle string, c Changed) (d identity.Device, refused bool, err error) {
	old, d, err := x.Registry.Change(ctx, aeTitle, c.Apply)
	if err != nil {
		return d, false, err
	}

	now := time.Now()
	d.Certificates = old.Certificates
	return d, len(old.Certificates) == 0 && !d.Plaintext(now) && !d.WithoutCertificate(now), nil
}

// Approve lets a caller in that was refused, with the certificate it showed. One that is
// registered already keeps what is not granted anew: it only shows another certificate or address.
func (x Desk) Approve(ctx context.Context, p identity.Pending, g Grant, shortKey bool) (d identity.Device, err error) {
	if (g.Plaintext || g.NoCertificateUntil != "") && g.Address == "" {
		g.Address = p.Address
	}
	if d, err = x.approved(ctx, p, g); err != nil {
		return d, err
	}

	approve := x.Registry.Approve
	if shortKey {
		approve = x.Registry.InsecureApprove
	}
	return d, approve(ctx, p.ID, d)
}

// approved makes the entry of an approved caller.
func (x Desk) approved(ctx context.Context, p identity.Pending, g Grant) (identity.Device, error) {
	old, err := x.Registry.Device(ctx, p.CallingAETitle)
	if fault.Of(err) == fault.NotFound {
		return g.Device(p.CallingAETitle)
	}
	if err != nil {
		return identity.Device{}, err
	}

	if old.Address != "" && g.Address == "" && !SameAddress(old.Address, p.Address) {
		return identity.Device{}, &WrongError{
			Field: "address",
			Text:  "the device is registered for " + old.Address + " and came from " + p.Address + "; if that is right, name the address",
			Flags: p.CallingAETitle + " is registered for " + old.Address + " and came from " + p.Address +
				"; if that is right, name the address with --address",
		}
	}

	if g.Allow == nil {
		g.Allow = allowed(old)
	}
	g.Address = cmp.Or(g.Address, old.Address)
	g.Listen = cmp.Or(g.Listen, old.Listen)
	if g.MoveTo == nil {
		g.MoveTo = old.Destinations
	}

	d, err := g.Device(p.CallingAETitle)
	if !g.Plaintext {
		d.PlaintextUntil = old.PlaintextUntil
	}
	if g.NoCertificateUntil == "" {
		d.NoCertificateUntil = old.NoCertificateUntil
	}
	return d, err
}

// SameAddress reports two ways of writing one IP address.
func SameAddress(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err1 == nil && err2 == nil && x.Unmap() == y.Unmap()
}

// Words are the object of a record about a device: with the verbs and exceptions it has now.
func Words(d identity.Device, detail string) audit.Object {
	words := []string{detail}
	for _, v := range d.Verbs {
		words = append(words, string(v))
	}
	if !d.PlaintextUntil.IsZero() {
		words = append(words, "without TLS until "+lastDay(d.PlaintextUntil))
	}
	if !d.NoCertificateUntil.IsZero() {
		words = append(words, "without a certificate until "+lastDay(d.NoCertificateUntil))
	}
	return audit.Object{Device: d.AETitle, Detail: strings.Join(words, " ")}
}

// lastDay is the last day of an exception that ends with it.
func lastDay(end time.Time) string { return end.Add(-time.Second).Local().Format(time.DateOnly) }
