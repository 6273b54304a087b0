package main

import (
	"errors"
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/ledger"
	"collimator/internal/terminal"
	"collimator/internal/verify"
)

type verifyCmd struct {
	dataFlags
	outputFlag
	Sample  string `help:"Read only so many of the files, chosen at random." placeholder:"N%"`
	Witness string `help:"File of checkpoints that was kept elsewhere; the default is the setting ledger.witness." placeholder:"FILE"`
	Bundle  string `help:"Only check this proof, without a data directory." placeholder:"FILE"`
	Key     string `help:"Key for --bundle, as 'collimator ledger key' printed it." placeholder:"FILE"`
}

func (verifyCmd) Help() string {
	return `Reads every file, computes the ledger's tree anew, builds the index again from files and ledger,
repeats who was registered (devices, people, factors, tokens, links), and names whatever differs. Exit code 1 when something does. ` +
		`It cannot find what somebody changed
who holds the ledger's key and rewrote everything; the checkpoints of a witness can, because they
were written to another place.

With --sample the ledger, the audit trail, the registers and the row of every instance are checked in full, the
size of every file, and the content of some files. The rows of patients, studies and series are
then not compared.

Examples:
  collimator verify --data ./data
  collimator verify --sample 5%
  collimator verify --bundle image.tlog-proof --key ledger.pub`
}

func (c *verifyCmd) Run(e *env) error {
	if c.Bundle != "" {
		return ledger.CheckFiles(e.stdout, c.Bundle, c.Key)
	}

	share, err := verify.ParseShare(c.Sample)
	if err != nil {
		return err
	}

	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		if err := in.MayBeJudged(e.ctx, a); err != nil {
			return err
		}
		return verifyAll(in, e, c.Output, verify.Options{Archive: a, Share: share, Witness: c.Witness})
	})
}

// verifyAll runs a verification and prints what it found.
func verifyAll(in *house.Installation, e *env, form string, o verify.Options) error {
	p := terminal.NewProgress(e.stderr, "verified", 0)
	o.Progress = p.Tick
	o = in.Verification(o)
	r, err := verify.Run(e.ctx, o)
	p.End()
	if err != nil {
		return err
	}

	aside, err := house.AsideText(e.ctx, o.Archive)
	if err != nil {
		return err
	}
	fmt.Fprint(e.stderr, aside)
	if form != "json" {
		fmt.Fprint(e.stderr, r.Remark(o))
	}
	return errors.Join(r.Show(e.stdout, form, o), verify.Verdict(len(r.Problems)))
}
