package main

import (
	"cmp"

	"collimator/internal/enrolment"
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
	// What makes no sense is told before the data directory is opened.
	if _, err := house.GrantedDevice(c.AETitle, enrolment.Grant(c.grantFlags)); err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		d, files, err := in.Enrol(e.ctx, house.Enrolling{
			Grant:            enrolment.Grant(c.grantFlags),
			AETitle:          c.AETitle,
			Out:              c.Out,
			Cert:             c.Cert,
			Days:             c.Days,
			InsecureShortKey: c.InsecureShortKey,
		})
		if err != nil {
			return err
		}

		may := cmp.Or(policy.Join(d.Verbs, ", "), "nothing")
		if err := e.say("%s is registered; it may: %s.\n%s", c.AETitle, may, in.WaysIn(d)); err != nil {
			return err
		}
		if err := adviseDevice(e, in, d); err != nil {
			return err
		}
		return e.say("%s", in.FilesText(files))
	})
}

// adviseDevice prints what will not do what was meant.
func adviseDevice(e *env, in *house.Installation, d identity.Device) error {
	advice, err := in.AdviseDevice(e.ctx, d)
	e.hint(advice...)
	return err
}
