package main

import (
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/house"
)

type gateAddCmd struct {
	dataFlags
	outboundFlags
	messagesFlags
	targetFlags
	pagesFlags
	Name         string   `arg:"" help:"AE title that callers call from now on; with --outbound the name of the route."`
	Protect      string   `help:"The system behind the gate. It is reached without TLS, from this machine alone." placeholder:"AET@HOST:PORT"`
	As           string   `help:"AE title under which that system is called; default: that of each caller." placeholder:"AET"`
	Associations int      `help:"The most associations that it bears at a time; default: 4." placeholder:"N" bounds:"0 to 256"`
	Allow        []string `help:"Who may do what, as CT1,CT2:echo,store; again for more. What: echo, store, query, retrieve, commit, worklist, performed. Without it every registered device may do what its registration grants. With --outbound what the modality may do alone, as echo,store,commit,worklist,performed; default: echo,store,commit." sep:"none" placeholder:"WHO:WHAT"`
	DICOMweb     bool     `name:"dicomweb" help:"Let people, tokens and links reach it by DICOMweb, by their roles."`
	DICOMwebAs   string   `name:"dicomweb-as" help:"AE title under which it is called for them; default: that of --as, or else the name of the route." placeholder:"AET"`
	DryRun       bool     `help:"Print the block and what it means, and write nothing."`
	NoCheck      bool     `help:"Do not ask the system whether it is there (C-ECHO)."`
}

func (gateAddCmd) Help() string {
	return `Writes a block into routes.yaml of the data directory; more can be written there by hand (docs/gate.md).
Prints what to change at the system behind, and at its callers.

Examples:
  collimator gate add PACS --protect OLDPACS@10.0.0.5:104 --allow CT1,CT2:echo,store --allow WS1:query,retrieve
  collimator gate add PACS --protect OLDPACS@10.0.0.5:104 --as GATE --associations 2 --dry-run
  collimator gate add PACS --protect OLDPACS@10.0.0.5:104 --dicomweb --dicomweb-as GATEWEB
  collimator gate add PACS --protect OLDPACS@10.0.0.5:104 --web http://10.0.0.5:8042 --web-at https://pacs.hospital.example:8444
  collimator gate add CT2 --outbound --from CT2@10.0.0.9 --to PACS2@pacs.example:2762
  collimator gate add HL7 --messages --listen 192.168.1.10:2575 --to 10.0.0.7:2575 --allow SIS1:ADT,ORM^O01`
}

func (c *gateAddCmd) Run(e *env) error {
	// What makes no sense is told before the data directory is opened.
	r, err := c.route()
	if err != nil {
		return fault.Misuse(err)
	}
	if err := c.meet(e, &r); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return fault.Usage("%w", err)
	}
	return c.with(e, func(in *house.Installation) error {
		if c.DryRun {
			return c.rehearse(e, in, r)
		}
		if err := in.AddRoute(e.ctx, r); err != nil {
			return err
		}

		if err := e.say("Route %s is added. %s\n", r.Name, takenUp); err != nil {
			return err
		}
		return c.advise(e, in, r)
	})
}

// route is what the flags say.
func (c *gateAddCmd) route() (gate.Route, error) {
	if (c.Outbound || c.Messages) && (c.Web != "" || c.WebAt != "") {
		return gate.Route{}, fault.Usage("--web goes with --protect: the pages are those of the system behind")
	}
	if c.Outbound {
		return c.outbound()
	}
	if c.Messages {
		return c.messagesRoute()
	}

	pages, err := c.pages()
	if err != nil {
		return gate.Route{}, err
	}
	outbound, target := c.outboundFlags, c.targetFlags
	if pages != nil { // by which its pages are known
		outbound.CA, target.Trust = "", ""
	}
	if outbound != (outboundFlags{}) || target != (targetFlags{}) || c.Listen != "" {
		return gate.Route{}, fault.Usage("--from, --to, --trust, --ca, --plain, --commit and --commit-after go with --outbound; " +
			"--listen, --to, --trust and --plain with --messages")
	}
	if c.Protect == "" {
		return gate.Route{}, fault.Usage("say of which kind the route is: --protect AET@HOST:PORT, a system behind it; " +
			"--outbound --from AET@ADDRESS --to AET@HOST:PORT, a modality that sends elsewhere; " +
			"or --messages with --listen, --to and --allow")
	}
	rules, err := gate.RulesOf(c.Allow)
	if err != nil {
		return gate.Route{}, err
	}
	return gate.Route{
		Name: c.Name, Protect: c.Protect, As: c.As, Associations: c.Associations, Rules: rules,
		DICOMweb: c.DICOMweb, DICOMwebAs: c.DICOMwebAs, Web: pages,
	}, nil
}

// rehearse says what would be written and what that means.
func (c *gateAddCmd) rehearse(e *env, in *house.Installation, r gate.Route) error {
	block, err := in.RehearseRoute(r)
	if err != nil {
		return err
	}

	if err := e.say("Nothing is written. This would stand in %s:\n\n%s\n", house.RoutesFile(in.Config), block); err != nil {
		return err
	}
	return c.advise(e, in, r)
}

// advise says what the route lets through and what to change elsewhere, and what may be
// wrong with it.
func (c *gateAddCmd) advise(e *env, in *house.Installation, r gate.Route) error {
	a, err := in.AdviseRoute(e.ctx, r)
	if err != nil {
		return err
	}
	if err := a.Print(e.stdout, r.Leads()); err != nil {
		return err
	}

	e.hint(a.Warnings...)
	if c.NoCheck || c.Outbound || c.Messages { // nothing in HL7 v2 asks without a message
		return nil
	}
	if r.Web != nil {
		if err := house.DialPages(e.ctx, r); err != nil {
			e.hint(err.Error() + " (nobody sees them until they are; --no-check leaves this question out)")
		}
	}
	if err := house.AskBehind(e.ctx, in.Config, r, a.Callers); err != nil {
		e.hint(err.Error() + " (nobody gets through until it answers; --no-check leaves this question out)")
		return nil
	}
	return e.say("%s answers (C-ECHO).\n", r.Protect)
}
