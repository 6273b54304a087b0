package main

import (
	"errors"
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/ledger"
	"collimator/internal/phrase"
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
	if o.Witness == "" {
		o.Witness = in.Config.Ledger.Witness
	}
	p := terminal.NewProgress(e.stderr, "verified", 0)
	o.Progress = p.Tick
	r, err := verify.Run(e.ctx, in.Verification(o))
	p.End()
	if err != nil {
		return err
	}

	if err := noteAside(e, o.Archive); err != nil {
		return err
	}
	return errors.Join(printVerified(e, form, o, r), verify.Verdict(len(r.Problems)))
}

// verifyReport is what a verification found, for programs.
type verifyReport struct {
	Problems    []verify.Problem `json:"problems"`
	Leaves      int64            `json:"leaves"`
	Sample      bool             `json:"sample"`             // not every file was read
	FilesRead   int64            `json:"filesRead,omitzero"` // of Files
	Files       int64            `json:"files,omitzero"`
	Checkpoints int              `json:"checkpoints,omitzero"` // of the witness
}

// printVerified says what was found, and of a sample that it is one.
func printVerified(e *env, form string, o verify.Options, r verify.Result) error {
	isSample := o.Sample()
	if form == "json" {
		return terminal.JSON(e.stdout, verifyReport{append([]verify.Problem{}, r.Problems...), r.Leaves, isSample,
			r.Files, r.Stored, r.Checkpoints})
	}
	if isSample && len(r.Problems) > 0 {
		fmt.Fprintf(e.stderr, "It was a sample: %s was read.\n", r.Sampled())
	}
	return terminal.List(e.stdout, form, r.Problems, "WHERE|WHAT", problemRow, r.Well(o))
}

func problemRow(p verify.Problem) []string { return []string{p.Where, p.What} }

// noteAside says how many files wait for somebody to look: that a process was
// killed, or that the index is older than the files, is not tampering.
func noteAside(e *env, a *archive.Archive) error {
	if a == nil {
		return nil // the trail alone
	}
	list, err := a.Aside(e.ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	_, err = fmt.Fprintf(e.stderr, "%s set aside; see 'collimator lost list'.\n",
		phrase.Count(len(list), "file of which the index knows nothing is", "files of which the index knows nothing are"))

	return err
}
