package main

type auditVerifyCmd struct {
	dataFlags
	outputFlag
	Witness string `help:"File of checkpoints that was kept elsewhere; the default is the setting ledger.witness." placeholder:"FILE"`
}

func (auditVerifyCmd) Help() string {
	return `Computes the ledger's tree anew and holds the index of the trail against it: a record that was
changed, removed, added or moved is named. 'collimator verify' does the same for the images too.
Exit code 1 when something differs.

Example:
  collimator audit verify --witness /mnt/elsewhere/collimator.checkpoints`
}

func (c *auditVerifyCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		v := &verification{in: in, witness: c.Witness, progress: newProgress(e, "verified", 0)}
		if v.witness == "" {
			v.witness = in.config.Ledger.Witness
		}
		return v.report(e, c.Output)
	})
}
