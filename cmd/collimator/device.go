package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
)

type deviceCmd struct {
	Add     deviceAddCmd     `cmd:"" help:"Register a device and make its certificate."`
	Set     deviceSetCmd     `cmd:"" help:"Change what a device may do."`
	List    deviceListCmd    `cmd:"" help:"List the registered devices."`
	Pending devicePendingCmd `cmd:"" help:"List callers that were refused and could be approved."`
	Approve deviceApproveCmd `cmd:"" help:"Register a refused caller as it is."`
	Renew   deviceRenewCmd   `cmd:"" help:"Make a new certificate for a device."`
	Remove  deviceRemoveCmd  `cmd:"" help:"Take a device out; it cannot come in again."`
}

type deviceListCmd struct {
	dataFlags
	outputFlag
}

func (deviceListCmd) Help() string { return "Example:\n  collimator device list -o json" }

func (c *deviceListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Registry.Devices(e.ctx)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "AE TITLE|ALLOW|ADDRESS|LISTENS AT|MAY SEND TO|CERTIFICATE UNTIL|WITHOUT TLS UNTIL|WITHOUT CERTIFICATE UNTIL", deviceRow,
			"No device is registered. Register one with 'collimator device add AET'.")
	})
}

func deviceRow(d *identity.Device) []string {
	until := "none"
	if n := len(d.Certificates); n > 0 {
		until = day(d.Certificates[n-1].NotAfter)
	}
	for _, c := range d.Certificates {
		if c.Weakness != "" {
			until += ", INSECURE: " + c.Weakness
		}
	}
	verbs := make([]string, len(d.Verbs))
	for i, v := range d.Verbs {
		verbs[i] = string(v)
	}
	return []string{d.AETitle, dash(strings.Join(verbs, ",")), dash(d.Address), dash(d.Listen), dash(strings.Join(d.Destinations, ",")), until, lastDay(d.PlaintextUntil), lastDay(d.NoCertificateUntil)}
}

type devicePendingCmd struct {
	dataFlags
	outputFlag
	Forget int64 `help:"Delete the entry with this number." placeholder:"NUMBER"`
}

func (devicePendingCmd) Help() string { return "Example:\n  collimator device pending" }

func (c *devicePendingCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if c.Forget != 0 {
			if err := in.Registry.Forget(e.ctx, c.Forget); err != nil {
				return err
			}
			_, err := fmt.Fprintf(e.stdout, "Number %d is forgotten; it appears again when it calls again.\n", c.Forget)
			return err
		}
		list, err := in.Registry.ListPending(e.ctx)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "NUMBER|AE TITLE|ADDRESS|CERTIFICATE|ASKED FOR|WHY IT WAS REFUSED|LAST SEEN|TIMES", pendingRow,
			"Nobody waits for approval. A device that is refused appears here.")
	})
}

func pendingRow(p identity.Pending) []string {
	cert := "none"
	if p.Fingerprint != "" {
		cert = p.Fingerprint[:16] + "..."
	}
	return []string{fmt.Sprint(p.ID), p.CallingAETitle, p.Address, cert,
		phrase.Count(len(p.Contexts), "context", "contexts"), p.Reason, minute(p.LastSeen), fmt.Sprint(p.Attempts)}
}

type deviceApproveCmd struct {
	dataFlags
	grantFlags
	keyFlags
	Who string `arg:"" help:"Number or AE title from 'device pending'."`
}

func (deviceApproveCmd) Help() string {
	return `The caller is let in from now on with the certificate it showed; compare the fingerprint first.
A device that is registered already keeps its grants where no flag changes them. One that came
without TLS needs --plaintext --until DATE, one with TLS and no certificate --no-certificate-until
DATE, or better a certificate ('collimator device add').

Example:
  collimator device approve CT1 --allow echo,store,commit`
}

func (c *deviceApproveCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		p, err := findPending(e, in, c.Who)
		if err != nil {
			return err
		}
		if (c.Plaintext || c.NoCertificateUntil != "") && c.Address == "" {
			c.Address = p.Address
		}
		d, err := c.grant(e, in, p)
		if err != nil {
			return err
		}
		approve := in.Registry.Approve
		if c.InsecureShortKey {
			approve = in.Registry.InsecureApprove
		}
		if err := approve(e.ctx, p.ID, d); err != nil {
			return err
		}
		if err := in.Record(e.ctx, deviceRecord(audit.Create, d, "approved"+c.note())); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s is let in from now on; it may: %s.\n", p.CallingAETitle, verbsOrNone(d.Verbs))
		return err
	})
}

// grant makes the entry of an approved caller. One that is registered already
// keeps what is not given: it only shows another certificate or address.
func (c *deviceApproveCmd) grant(e *env, in *house.Installation, p identity.Pending) (identity.Device, error) {
	old, err := in.Registry.Device(e.ctx, p.CallingAETitle)
	if fault.Of(err) == fault.NotFound {
		return c.device(p.CallingAETitle)
	}
	if err != nil {
		return identity.Device{}, err
	}
	if old.Address != "" && c.Address == "" && !sameAddress(old.Address, p.Address) {
		return identity.Device{}, usageError("%s is registered for %s and came from %s; if that is right, name the address with --address", p.CallingAETitle, old.Address, p.Address)
	}
	g := c.grantFlags
	if g.Allow == nil {
		g.Allow = allowed(old)
	}
	g.Address, g.Listen = cmp.Or(g.Address, old.Address), cmp.Or(g.Listen, old.Listen)
	if g.MoveTo == nil {
		g.MoveTo = old.Destinations
	}
	d, err := g.device(p.CallingAETitle)
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

func findPending(e *env, in *house.Installation, who string) (identity.Pending, error) {
	list, err := in.Registry.ListPending(e.ctx)
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
	return identity.Pending{}, fmt.Errorf("%s refused under the title %q; give the number from 'collimator device pending', after comparing the certificates",
		phrase.Count(len(found), "caller was", "callers were"), who)
}

type deviceRemoveCmd struct {
	dataFlags
	AETitle string `arg:"" name:"aet" help:"AE title."`
}

func (deviceRemoveCmd) Help() string {
	return "Its certificates are never taken again; what it stored stays.\n\nExample:\n  collimator device remove CT1"
}

func (c *deviceRemoveCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.Registry.Remove(e.ctx, c.AETitle); err != nil {
			return err
		}
		if err := in.Record(e.ctx, deviceRecord(audit.Delete, identity.Device{AETitle: c.AETitle}, "removed")); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "%s is removed. An association it has open ends at its next request.\n", c.AETitle)
		return err
	})
}

func deviceRecord(action audit.Action, d identity.Device, detail string) audit.Record {
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
	return audit.Record{Event: audit.DeviceChanged, Action: action, Objects: []audit.Object{{Device: d.AETitle, Detail: strings.Join(words, " ")}}}
}

// verbsOrNone is for messages.
func verbsOrNone(verbs []policy.Verb) string {
	if len(verbs) == 0 {
		return "nothing"
	}
	words := make([]string, len(verbs))
	for i, v := range verbs {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}
