package main

import (
	"strings"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/gate/kind"
	"collimator/internal/gate/outbound"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

// outboundFlags are those of 'gate add' for a modality that sends elsewhere.
type outboundFlags struct {
	Outbound    bool   `help:"The route is of a modality that sends elsewhere, with --from and --to."`
	From        string `help:"The modality, with its IP address; with a port where it takes reports of storage commitment." placeholder:"AET@ADDRESS"`
	CA          string `help:"File with the authorities that vouch for the target, PEM." placeholder:"FILE"`
	Commit      string `help:"Ask the target for storage commitment: required, if-offered or no; default: if-offered." enum:"required,if-offered,no," default:""`
	CommitAfter string `help:"When the modality's own request for storage commitment is answered: here or target; default: target." enum:"here,target," default:""`
}

// targetFlags are those of 'gate add' for routes that lead elsewhere: of a modality, and of messages.
type targetFlags struct {
	To    string `help:"With --outbound where the modality sends, AET@HOST:PORT; with --messages the system that takes them, HOST:PORT." placeholder:"TARGET"`
	Trust string `help:"SHA-256 of the certificate of the target; with --outbound it is shown without this flag." placeholder:"FINGERPRINT"`
	Plain bool   `help:"Unsafe: with --outbound the target is reached without TLS, with --messages senders come without TLS, and --allow names addresses, as 10.0.0.9:ADT."`
}

// fingerprint is Trust as blocks write it.
func (f targetFlags) fingerprint() string {
	if f.Trust == "" {
		return ""
	}
	return kind.FingerprintPrefix + strings.TrimPrefix(strings.ToLower(f.Trust), kind.FingerprintPrefix)
}

// outbound is the route that the flags say. How the target is known may be missing.
func (c *gateAddCmd) outbound() (r gate.Route, err error) {
	switch {
	case c.Messages || c.Listen != "":
		return r, fault.Usage("--outbound and --messages are two kinds of routes: make two")
	case c.Protect != "" || c.Associations != 0 || c.DICOMweb || c.DICOMwebAs != "":
		return r, fault.Usage("--outbound goes with --from and --to, not with what is for --protect")
	case c.From == "" || c.To == "":
		return r, fault.Usage("--outbound needs --from AET@ADDRESS, the modality, and --to AET@HOST:PORT, where it sends")
	}

	b := &outbound.Block{From: c.From, To: c.To, As: c.As, CA: c.CA, Plain: c.Plain, Commit: c.Commit, CommitAfter: c.CommitAfter}
	for _, words := range c.Allow {
		b.Allow = append(b.Allow, strings.Split(words, ",")...)
	}
	b.Fingerprint = c.fingerprint()
	return gate.Route{Name: c.Name, Outbound: b}, nil
}

// meet connects to the target once where nothing says how it is known, shows its certificate,
// and takes it when a person says so, or where nothing is going to be written. A route that
// does not fit beside others is told before anybody compares fingerprints.
func (c *gateAddCmd) meet(e *env, r *gate.Route) error {
	b := r.Outbound
	if b == nil || b.Fingerprint != "" || b.CA != "" || b.Plain {
		return nil
	}
	_, address, err := b.Target()
	if err != nil {
		return fault.Usage("--to: %w", err)
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if err := house.RouteFits(cfg, *r); err != nil {
		return err
	}
	met, err := house.MeetTarget(e.ctx, address)
	if err != nil {
		return fault.Ended(fault.Refused, err)
	}

	if err := e.say("%s shows this certificate:\n  %s\n  SHA-256 %s\n"+
		"Compare it with what the people there tell you on another way, such as by telephone.\n",
		address, met.Subject, met.Fingerprint); err != nil {
		return err
	}
	if c.DryRun {
		b.Fingerprint = "sha256:" + met.Fingerprint
		return e.say("\n")
	}
	if !terminal.Attended(e.stdin) {
		return fault.Usage("nothing is written: when the fingerprint is right, give --trust %s", met.Fingerprint)
	}
	if err := e.confirm("Is it theirs?", fault.New(fault.Canceled, "nothing is written")); err != nil {
		return err
	}
	b.Fingerprint = kind.FingerprintPrefix + met.Fingerprint
	return nil
}
