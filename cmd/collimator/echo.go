package main

import (
	"fmt"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
)

type echoCmd struct {
	connectFlags
	Count int `help:"How many times." default:"1" bounds:"1 to 1000000"`
}

func (echoCmd) Help() string {
	return "Example:\n  collimator echo COLLIMATOR@127.0.0.1:2762 --as ./ws1"
}

func (c *echoCmd) Run(e *env) error {
	d, err := c.dialer()
	if err != nil {
		return err
	}
	a, err := d.dial(e.ctx, dimse.Propose([]string{uid.Verification}, []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}, false), nil)
	if err != nil {
		return err
	}
	for range c.Count {
		start := time.Now()
		if err := a.Echo(e.ctx); err != nil {
			a.Abort()
			return d.explain(err)
		}
		if _, err := fmt.Fprintf(e.stdout, "%s answered in %s.\n", d.config.CalledAETitle, time.Since(start).Round(10*time.Microsecond)); err != nil {
			return err
		}
	}
	return d.explain(a.Release(e.ctx))
}
