package main

import (
	"fmt"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/house"
	"collimator/internal/identity"
)

// deviceSetCmd changes a device. Its flags have no defaults: what is not given stays.
type deviceSetCmd struct {
	dataFlags
	AETitle   string    `arg:"" name:"aet" help:"AE title."`
	Allow     *string   `help:"What it may do, joined with commas." placeholder:"VERBS"`
	Address   *string   `help:"The only IP address it may come from; empty for any." placeholder:"IP"`
	Listen    *string   `help:"Where it accepts associations; empty for nowhere." placeholder:"HOST:PORT"`
	MoveTo    *[]string `help:"AE titles to which its C-MOVE may send." placeholder:"AET"`
	Plaintext bool      `help:"Let it in without TLS until --until." xor:"plain"`
	Until     string    `help:"Last day without TLS, as 2026-12-31." placeholder:"DATE"`
	OnlyTLS   bool      `name:"only-tls" help:"End the exception for associations without TLS." xor:"plain"`

	NoCertificateUntil *string `help:"Let it in with TLS and without a certificate up to and including this day; empty ends the exception." placeholder:"DATE"`
}

func (deviceSetCmd) Help() string {
	return "Example:\n  collimator device set WS1 --allow echo,query,retrieve --move-to WS2"
}

func (c *deviceSetCmd) Run(e *env) error {
	if c.nothing() {
		return usageError("name what to change, such as --allow or --address; 'collimator device set --help' lists it")
	}
	return c.with(e, func(in *house.Installation) error {
		old, err := in.Registry.Device(e.ctx, c.AETitle)
		if err != nil {
			return err
		}
		d, err := c.apply(old)
		if err != nil {
			return err
		}

		if err := in.Registry.Put(e.ctx, d); err != nil {
			return err
		}
		if err := in.Record(e.ctx, deviceRecord(audit.Update, d, "changed")); err != nil {
			return err
		}

		if _, err := fmt.Fprintf(e.stdout, "%s is changed; it may: %s.\n", c.AETitle, verbsOrNone(d.Verbs)); err != nil {
			return err
		}
		if len(old.Certificates) == 0 && !d.Plaintext(time.Now()) && !d.WithoutCertificate(time.Now()) {
			fmt.Fprintf(e.stderr, "collimator: %s has neither a certificate nor an exception and is refused; 'collimator device renew %s --out DIR' makes a certificate\n", c.AETitle, c.AETitle)
		}
		return adviseDevice(e, in, d)
	})
}

// nothing reports whether no flag names a change.
func (c *deviceSetCmd) nothing() bool {
	given := c.Allow != nil || c.Address != nil || c.Listen != nil || c.MoveTo != nil || c.NoCertificateUntil != nil
	return !given && !c.Plaintext && c.Until == "" && !c.OnlyTLS
}

func (c *deviceSetCmd) apply(old *identity.Device) (identity.Device, error) {
	g := grantFlags{Allow: c.Allow, Address: old.Address, Listen: old.Listen, MoveTo: old.Destinations, Plaintext: c.Plaintext, Until: c.Until}
	if g.Allow == nil {
		g.Allow = allowed(old)
	}
	for _, s := range []struct{ from, to *string }{{c.Address, &g.Address}, {c.Listen, &g.Listen}} {
		if s.from != nil {
			*s.to = *s.from
		}
	}
	if c.MoveTo != nil {
		g.MoveTo = *c.MoveTo
	}
	if c.NoCertificateUntil != nil {
		g.NoCertificateUntil = *c.NoCertificateUntil
	}
	d, err := g.device(c.AETitle)
	if c.NoCertificateUntil == nil {
		d.NoCertificateUntil = old.NoCertificateUntil
	}
	if !c.Plaintext && !c.OnlyTLS {
		d.PlaintextUntil = old.PlaintextUntil
	}
	return d, err
}

// allowed are the verbs of a device in the form of --allow.
func allowed(d *identity.Device) *string {
	words := make([]string, len(d.Verbs))
	for i, v := range d.Verbs {
		words[i] = string(v)
	}
	list := strings.Join(words, ",")
	return &list
}

type deviceRenewCmd struct {
	dataFlags
	AETitle string `arg:"" name:"aet" help:"AE title."`
	Out     string `help:"Directory for the new files; those of the same name are replaced." default:"." placeholder:"DIR"`
	Days    int    `help:"Days for which the new certificate is valid." default:"730" bounds:"1 to 3650"`
	Revoke  bool   `help:"Take the old certificates out at once, for example when the key was lost."`
}

func (deviceRenewCmd) Help() string {
	return `The old certificate works on until it ends, so that the device can be changed over in peace;
--revoke ends it now.

Example:
  collimator device renew CT1 --out ./ct1 --revoke`
}

func (c *deviceRenewCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		d, err := in.Registry.Device(e.ctx, c.AETitle)
		if err != nil {
			return err
		}
		cert, files, err := issueFiles(in, issue{c.AETitle, c.Out, c.Days, d.Listen != "", true})
		if err != nil {
			return err
		}
		if err := in.Registry.Bind(e.ctx, c.AETitle, cert); err != nil {
			return err
		}
		detail := "certificate renewed"
		if c.Revoke {
			detail = "certificate replaced"
			if err := in.Registry.Supersede(e.ctx, c.AETitle, cert); err != nil {
				return err
			}
		}
		if err := in.Record(e.ctx, deviceRecord(audit.Update, *d, detail)); err != nil {
			return err
		}
		return files.report(e, in)
	})
}
