package main

import (
	"fmt"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/identity"
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
	return c.with(e, func(in *installation) error {
		list, err := in.registry.Devices(e.ctx)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "AE TITLE|ALLOW|ADDRESS|LISTENS AT|MAY SEND TO|CERTIFICATE UNTIL|WITHOUT TLS UNTIL", deviceRow,
			"No device is registered. Register one with 'collimator device add AET'.")
	})
}

func deviceRow(d *identity.Device) []string {
	until := "none"
	if n := len(d.Certificates); n > 0 {
		until = day(d.Certificates[n-1].NotAfter)
	}
	verbs := make([]string, len(d.Verbs))
	for i, v := range d.Verbs {
		verbs[i] = string(v)
	}
	return []string{d.AETitle, dash(strings.Join(verbs, ",")), dash(d.Address), dash(d.Listen), dash(strings.Join(d.Destinations, ",")), until, day(d.PlaintextUntil)}
}

type devicePendingCmd struct {
	dataFlags
	outputFlag
	Forget int64 `help:"Delete the entry with this number." placeholder:"NUMBER"`
}

func (devicePendingCmd) Help() string { return "Example:\n  collimator device pending" }

func (c *devicePendingCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		if c.Forget != 0 {
			return in.registry.Forget(e.ctx, c.Forget)
		}
		list, err := in.registry.ListPending(e.ctx)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "NUMBER|AE TITLE|ADDRESS|CERTIFICATE|ASKED FOR|WHY IT WAS REFUSED|LAST SEEN|TIMES", pendingRow,
			"Nobody waits for approval. A device that is refused appears here.")
	})
}

func pendingRow(p identity.Pending) []string {
	cert := "none (no TLS)"
	if p.Fingerprint != "" {
		cert = p.Fingerprint[:16] + "..."
	}
	return []string{fmt.Sprint(p.ID), p.CallingAETitle, p.Address, cert, fmt.Sprintf("%d contexts", len(p.Contexts)), p.Reason, minute(p.LastSeen), fmt.Sprint(p.Attempts)}
}

type deviceApproveCmd struct {
	dataFlags
	grantFlags
	Who string `arg:"" help:"Number or AE title from 'device pending'."`
}

func (deviceApproveCmd) Help() string {
	return `The caller is let in from now on with the certificate it showed. One that came without TLS
needs --plaintext --until DATE, or better a certificate ('collimator device add').

Example:
  collimator device approve CT1 --allow echo,store,commit`
}

func (c *deviceApproveCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		p, err := findPending(e, in, c.Who)
		if err != nil {
			return err
		}
		if c.Plaintext && c.Address == "" {
			c.Address = p.Address
		}
		d, err := c.device(p.CallingAETitle)
		if err != nil {
			return err
		}
		if err := in.registry.Approve(e.ctx, p.ID, d); err != nil {
			return err
		}
		if err := in.record(e.ctx, deviceRecord(audit.Create, d, "approved")); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s is let in from now on; it may: %s.\n", p.CallingAETitle, c.Allow)
		return err
	})
}

func findPending(e *env, in *installation, who string) (identity.Pending, error) {
	list, err := in.registry.ListPending(e.ctx)
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
	return identity.Pending{}, fmt.Errorf("%d callers were refused under the title %q; give the number from 'collimator device pending', after comparing the certificates", len(found), who)
}

type deviceRemoveCmd struct {
	dataFlags
	AETitle string `arg:"" name:"aet" help:"AE title."`
}

func (deviceRemoveCmd) Help() string {
	return "Its certificates are never taken again; what it stored stays.\n\nExample:\n  collimator device remove CT1"
}

func (c *deviceRemoveCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		if err := in.registry.Remove(e.ctx, c.AETitle); err != nil {
			return err
		}
		if err := in.record(e.ctx, deviceRecord(audit.Delete, identity.Device{AETitle: c.AETitle}, "removed")); err != nil {
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
		words = append(words, "without TLS until "+day(d.PlaintextUntil))
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
