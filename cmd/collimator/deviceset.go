package main

import (
	"cmp"
	"fmt"

	"collimator/internal/enrolment"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/policy"
)

// deviceSetCmd changes a device. Its flags have no defaults: what is not given stays.
type deviceSetCmd struct {
	dataFlags
	AETitle string `arg:"" name:"aet" help:"AE title."`
	changeFlags
}

// changeFlags are what a enrolment.Changed is made of.
type changeFlags struct {
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
	if enrolment.Changed(c.changeFlags).Empty() {
		return fault.Usage("name what to change, such as --allow or --address; 'collimator device set --help' lists it")
	}
	return c.with(e, func(in *house.Installation) error {
		d, refused, err := in.ChangeDevice(e.ctx, c.AETitle, enrolment.Changed(c.changeFlags))
		if err != nil {
			return err
		}

		if _, err := fmt.Fprintf(e.stdout, "%s is changed; it may: %s.\n", c.AETitle,
			cmp.Or(policy.Join(d.Verbs, ", "), "nothing")); err != nil {
			return err
		}
		e.hint(refused)
		return adviseDevice(e, in, d)
	})
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
		files, err := in.Renew(e.ctx, house.Renewing{AETitle: c.AETitle, Out: c.Out, Days: c.Days, Revoke: c.Revoke})
		if err != nil {
			return err
		}
		return e.say("%s", in.FilesText(files))
	})
}
