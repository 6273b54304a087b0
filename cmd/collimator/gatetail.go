package main

import (
	"collimator/internal/audit"
	"collimator/internal/house"
)

type gateTailCmd struct {
	dataFlags
	outputFlag
	Name   string `arg:"" help:"Name of the route." completes:"gate list -o names"`
	Lines  int64  `short:"n" help:"How many." default:"20" bounds:"0 to 100000"`
	Follow bool   `short:"f" help:"Wait for more until interrupted."`
}

func (gateTailCmd) Help() string {
	return `The newest records of what came for a route, and what became of it. Images that were stored are recorded by study, ten
seconds after the first of them.

Example:
  collimator gate tail PACS -f`
}

func (c *gateTailCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if _, _, err := in.Route(e.ctx, c.Name); err != nil {
			return err
		}
		return tail(e, in, tailing{
			lines: c.Lines, follow: c.Follow, output: c.Output,
			of: audit.Filter{Route: c.Name}, what: " of the route " + c.Name,
		})
	})
}
