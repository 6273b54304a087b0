package main

import (
	"fmt"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/sender"
)

type echoCmd struct {
	connectFlags
	Count int `help:"How many times." default:"1" bounds:"1 to 1000000"`
}

func (echoCmd) Help() string {
	return "Example:\n  collimator echo COLLIMATOR@127.0.0.1:2762 --as ./ws1"
}

func (c *echoCmd) Run(e *env) error {
	d, err := c.peer()
	if err != nil {
		return err
	}

	a, err := d.Dial(e.ctx, dimse.Propose([]string{uid.Verification}, sender.NativeSyntaxes(), false), nil)
	if err != nil {
		return err
	}

	for range c.Count {
		start := time.Now()
		if err := a.Echo(e.ctx); err != nil {
			a.Abort()
			return d.Explain(err)
		}
		if _, err := fmt.Fprintf(e.stdout, "%s answered in %s.\n", d.Config.CalledAETitle,
			time.Since(start).Round(10*time.Microsecond)); err != nil {
			return err
		}
	}

	return d.Explain(a.Release(e.ctx))
}
