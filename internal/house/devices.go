package house

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

// ApproveDevice lets a caller in that was refused, by its number or its title, with the
// certificate it showed. One that is registered already keeps what is not granted
// anew: it only shows another certificate or address.
func (in *Installation) ApproveDevice(ctx context.Context, who string, g Grant, shortKey bool) (d identity.Device, err error) {
	p, err := in.pending(ctx, who)
	if err != nil {
		return d, err
	}
	if (g.Plaintext || g.NoCertificateUntil != "") && g.Address == "" {
		g.Address = p.Address
	}
	if d, err = in.approved(ctx, p, g); err != nil {
		return d, err
	}

	approve := in.Registry.Approve
	if shortKey {
		approve = in.Registry.InsecureApprove
	}
	if err := approve(ctx, p.ID, d); err != nil {
		return d, err
	}
	return d, in.noteDevice(ctx, audit.Create, d, "approved"+shortKeyNote(shortKey))
}

// approved makes the entry of an approved caller. One that is registered already
// keeps what is not given: it only shows another certificate or address.
func (in *Installation) approved(ctx context.Context, p identity.Pending, g Grant) (identity.Device, error) {
	old, err := in.Registry.Device(ctx, p.CallingAETitle)
	if fault.Of(err) == fault.NotFound {
		return g.Device(p.CallingAETitle)
	}
	if err != nil {
		return identity.Device{}, err
	}

	if old.Address != "" && g.Address == "" && !sameAddress(old.Address, p.Address) {
		return identity.Device{}, fault.Usage("%s is registered for %s and came from %s; "+
			"if that is right, name the address with --address", p.CallingAETitle, old.Address, p.Address)
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

func sameAddress(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err1 == nil && err2 == nil && x.Unmap() == y.Unmap()
}

// pending finds who was refused, by number or title.
func (in *Installation) pending(ctx context.Context, who string) (identity.Pending, error) {
	list, err := in.Registry.ListPending(ctx)
	if err != nil {
		return identity.Pending{}, err
	}

	var found []identity.Pending
	for _, p := range list {
		if fmt.Sprint(p.ID) == who {
			return p, nil
		}
		if p.CallingAETitle == who {
			found = append(found, p)
		}
	}

	switch len(found) {
	case 0:
		return identity.Pending{}, fmt.Errorf("nobody called %q was refused; see 'collimator device pending'", who)
	case 1:
		return found[0], nil
	}

	return identity.Pending{}, fmt.Errorf("%s refused under the title %q; "+
		"give the number from 'collimator device pending', after comparing the certificates",
		phrase.Count(len(found), "caller was", "callers were"), who)
}

// ChangeDevice changes a device; it gives it as it is now. refused says that it cannot
// come in, and is empty where it can.
func (in *Installation) ChangeDevice(ctx context.Context, aeTitle string, c Changed) (d identity.Device, refused string, err error) {
	old, err := in.Registry.Device(ctx, aeTitle)
	if err != nil {
		return d, "", err
	}
	if d, err = c.Apply(old); err != nil {
		return d, "", err
	}
	if err := in.Registry.Put(ctx, d); err != nil {
		return d, "", err
	}

	now := time.Now()
	if len(old.Certificates) == 0 && !d.Plaintext(now) && !d.WithoutCertificate(now) {
		refused = fmt.Sprintf("%[1]s has neither a certificate nor an exception and is refused; "+
			"'collimator device renew %[1]s --out DIR' makes a certificate", aeTitle)
	}
	return d, refused, in.noteDevice(ctx, audit.Update, d, "changed")
}

// RemoveDevice takes a device out for good.
func (in *Installation) RemoveDevice(ctx context.Context, aeTitle string) error {
	if err := in.Registry.Remove(ctx, aeTitle); err != nil {
		return err
	}
	return in.noteDevice(ctx, audit.Delete, identity.Device{AETitle: aeTitle}, "removed")
}

// AdviseDevice names what was taken of a device and will not do what was meant.
func (in *Installation) AdviseDevice(ctx context.Context, d identity.Device) (advice []string, err error) {
	for _, to := range d.Destinations {
		there, err := in.Registry.Device(ctx, to)
		switch {
		case fault.Of(err) == fault.NotFound:
			advice = append(advice,
				fmt.Sprintf("%s is not registered: nothing is sent to it until it is ('collimator device add %s "+
					"--listen HOST:PORT')", to, to))
		case err != nil:
			return nil, err
		case there.Listen == "":
			advice = append(advice, fmt.Sprintf("%s has no address to send to: 'collimator device set %s --listen HOST:PORT'", to, to))
		}
	}
	return advice, nil
}

// noteDevice records a change of a device, with the verbs and exceptions that it has
// now.
func (in *Installation) noteDevice(ctx context.Context, action audit.Action, d identity.Device, detail string) error {
	words := []string{detail}
	for _, v := range d.Verbs {
		words = append(words, string(v))
	}
	if !d.PlaintextUntil.IsZero() {
		words = append(words, "without TLS until "+terminal.LastDay(d.PlaintextUntil))
	}
	if !d.NoCertificateUntil.IsZero() {
		words = append(words, "without a certificate until "+terminal.LastDay(d.NoCertificateUntil))
	}
	return in.Note(ctx, audit.DeviceChanged, action, audit.Object{Device: d.AETitle, Detail: strings.Join(words, " ")})
}
