package main

import (
	"cmp"
	"fmt"
	"strings"

	"collimator/internal/enrolment"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
	"collimator/internal/terminal"
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
		return terminal.List(e.stdout, c.Output, list,
			"AE TITLE|ALLOW|ADDRESS|LISTENS AT|MAY SEND TO|CERTIFICATE UNTIL|WITHOUT TLS UNTIL|WITHOUT CERTIFICATE UNTIL", deviceRow,
			"No device is registered. Register one with 'collimator device add AET'.")
	})
}

func deviceRow(d *identity.Device) []string {
	until := "none"
	if n := len(d.Certificates); n > 0 {
		until = terminal.Day(d.Certificates[n-1].NotAfter)
	}

	for _, c := range d.Certificates {
		if c.Weakness != "" {
			until += ", INSECURE: " + c.Weakness
		}
	}

	return []string{d.AETitle, terminal.Dash(policy.Join(d.Verbs, ",")), terminal.Dash(d.Address),
		terminal.Dash(d.Listen), terminal.Dash(strings.Join(d.Destinations, ",")), until,
		terminal.LastDay(d.PlaintextUntil), terminal.LastDay(d.NoCertificateUntil)}
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
			return e.say("Number %d is forgotten; it appears again when it calls again.\n", c.Forget)
		}
		list, err := in.Registry.ListPending(e.ctx)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list,
			"NUMBER|AE TITLE|ADDRESS|CERTIFICATE|ASKED FOR|WHY IT WAS REFUSED|LAST SEEN|TIMES", pendingRow,
			"Nobody waits for approval. A device that is refused appears here.")
	})
}

func pendingRow(p identity.Pending) []string {
	cert := "none"
	if p.Fingerprint != "" {
		cert = p.Fingerprint[:16] + "..."
	}
	return []string{fmt.Sprint(p.ID), p.CallingAETitle, p.Address, cert,
		phrase.Count(len(p.Contexts), "context", "contexts"), p.Reason, terminal.Minute(p.LastSeen), fmt.Sprint(p.Attempts)}
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
		d, err := in.ApproveDevice(e.ctx, c.Who, enrolment.Grant(c.grantFlags), c.InsecureShortKey)
		if err != nil {
			return err
		}
		return e.say("%s is let in from now on; it may: %s.\n", d.AETitle, cmp.Or(policy.Join(d.Verbs, ", "), "nothing"))
	})
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
		if err := in.RemoveDevice(e.ctx, c.AETitle); err != nil {
			return err
		}
		return e.say("%s is removed. An association it has open ends at its next request.\n", c.AETitle)
	})
}
