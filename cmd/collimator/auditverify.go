package main

import (
	"collimator/internal/verify"

	"collimator/internal/house"
)

type auditVerifyCmd struct {
	dataFlags
	outputFlag
	Witness string `help:"File of checkpoints that was kept elsewhere; the default is the setting ledger.witness." placeholder:"FILE"`
}

func (auditVerifyCmd) Help() string {
	return `Computes the ledger's tree anew and holds the index of the trail and the registers of devices,
people, tokens and links against it: what was changed, removed, added or moved is named.
'collimator verify' does the same for the images too. Exit code 1 when something differs.

Example:
  collimator audit verify --witness /mnt/elsewhere/collimator.checkpoints`
}

func (c *auditVerifyCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		return verifyAll(in, e, c.Output, verify.Options{Witness: c.Witness})
	})
}
