package main

import (
	"fmt"
	"time"

	"collimator/internal/gate/maintenance"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

type gateOpenCmd struct {
	dataFlags
	Name      string `arg:"" help:"Name of the route behind which the system stands." completes:"gate list -o names"`
	To        string `required:"" help:"Address of the system, and the port to reach. Names are not taken." placeholder:"IP:PORT"`
	Elsewhere string `help:"The same once more, where it is not the address of the system behind the route." placeholder:"IP:PORT"`
	For       string `required:"" help:"Who may come: a registered vendor or administrator with an authenticator app." placeholder:"PERSON"`
	Minutes   int    `required:"" help:"How long it is open." bounds:"1 to 480"`
	At        string `help:"Where the server is reached from outside, if the settings do not say it." placeholder:"HOST:PORT"`
	Pin       string `help:"Certificate (PEM) of the proxy that is reached there, if one ends TLS in front of the server." placeholder:"FILE"`
}

func (gateOpenCmd) Help() string {
	return `For somebody who has to reach a system with a tool of their own (VNC, RDP, SSH). Nothing listens for
it: 'collimator connect CODE' on the machine of that person comes to the HTTPS listener, asks for
password and authenticator app, shows the code, which counts once, and carries TCP to this one address
inside TLS. The door closes itself, with the server, with 'gate shut', and when the route is closed.

Example:
  collimator gate open CT2 --to 10.0.0.9:5900 --for acme --minutes 60`
}

func (c *gateOpenCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		o := maintenance.Order{Route: c.Name, To: c.To, Elsewhere: c.Elsewhere, Person: c.For, Minutes: c.Minutes}
		x, code, err := in.OpenDoor(e.ctx, o, c.At, c.Pin)
		if err != nil {
			return err
		}

		fmt.Fprintf(e.stderr, "Door %d to %s is open for %s until %s. The code is shown only now, and counts once:\n",
			x.Number, x.Target, x.Person, terminal.Minute(x.Until))
		if c.At == "" {
			e.hint(house.LinkAdvice(in.Config))
		}
		if err := e.say("%s\n", code); err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "There: collimator connect CODE --as %s\nClose it: collimator gate shut %d\n", x.Person, x.Number)
		return nil
	})
}

type gateDoorsCmd struct {
	dataFlags
	outputFlag
}

func (gateDoorsCmd) Help() string {
	return "What went through a door stands in the audit trail: collimator audit search --event maintenance-door\n\n" +
		"Example:\n  collimator gate doors"
}

func (c *gateDoorsCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Doors().List(e.ctx)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "NUMBER|ROUTE|TO|FOR|OPENED BY|UNTIL|ENTERED|FROM|STATE", doorRow,
			"There is no door, and none ended of late. Open one with 'collimator gate open ROUTE --to IP:PORT --for PERSON --minutes 60'.")
	})
}

func doorRow(x maintenance.Door) []string {
	state := "open"
	switch {
	case !x.Ended.IsZero():
		state = "closed " + terminal.Minute(x.Ended) + ": " + x.Why
	case !time.Now().Before(x.Until):
		state = "over"
	case !x.Claimed.IsZero():
		state = "in use"
	}
	return []string{fmt.Sprint(x.Number), x.Route, x.Target.String(), x.Person, x.Opener, terminal.Minute(x.Until),
		terminal.MinuteOr(x.Claimed, "-"), terminal.Dash(x.Address), state}
}

type gateShutCmd struct {
	dataFlags
	Number int64 `arg:"" help:"Number from 'gate doors'."`
}

func (gateShutCmd) Help() string {
	return "What it carries ends within a second.\n\nExample:\n  collimator gate shut 3"
}

func (c *gateShutCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		x, err := in.ShutDoor(e.ctx, c.Number)
		if err != nil {
			return err
		}
		return e.say("Door %d to %s is shut.\n", x.Number, x.Target)
	})
}
