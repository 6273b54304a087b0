package main

import (
	"fmt"
	"os"

	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/phrase"
)

type ledgerCmd struct {
	Checkpoint  ledgerCheckpointCmd  `cmd:"" help:"Print the signed checkpoint; keep it where this machine cannot write."`
	Key         ledgerKeyCmd         `cmd:"" help:"Print the key by which checkpoints and proofs are verified."`
	Prove       ledgerProveCmd       `cmd:"" help:"Prove that an instance is in the log, checkable without it."`
	Consistency ledgerConsistencyCmd `cmd:"" help:"Prove that the log has only grown since a checkpoint."`
	Tiles       ledgerTilesCmd       `cmd:"" help:"Write the log as tiles for a monitor."`
}

type ledgerCheckpointCmd struct{ dataFlags }

func (ledgerCheckpointCmd) Help() string {
	return "The form is C2SP tlog-checkpoint.\n\nExample:\n  collimator ledger checkpoint > /mnt/elsewhere/checkpoint-$(date +%F)"
}

func (c *ledgerCheckpointCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		signed, err := in.Ledger.Checkpoint(e.ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(e.stdout, signed)
		return err
	})
}

type ledgerKeyCmd struct{ dataFlags }

func (ledgerKeyCmd) Help() string { return "Example:\n  collimator ledger key > ledger.pub" }

func (c *ledgerKeyCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		_, err := fmt.Fprintln(e.stdout, in.LedgerKey.Public)
		return err
	})
}

type ledgerProveCmd struct {
	dataFlags
	UID string `arg:"" name:"uid" help:"SOP Instance UID."`
}

func (ledgerProveCmd) Help() string {
	return "The form is C2SP tlog-proof.\n\nExample:\n  collimator ledger prove 1.2.3 > image.tlog-proof"
}

func (c *ledgerProveCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		proof, err := in.Ledger.Prove(e.ctx, c.UID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(e.stdout, proof)
		return err
	})
}

type ledgerConsistencyCmd struct {
	dataFlags
	Since string `arg:"" help:"File with the older checkpoint." placeholder:"FILE"`
}

func (ledgerConsistencyCmd) Help() string {
	return "Fails where the log was rewritten or shortened since.\n\n" +
		"Example:\n  collimator ledger consistency /mnt/elsewhere/checkpoint-2026-11-01 > since.proof"
}

func (c *ledgerConsistencyCmd) Run(e *env) error {
	older, err := os.ReadFile(c.Since)
	if err != nil {
		return fault.Usage("checkpoint: %w", err)
	}

	return c.with(e, func(in *house.Installation) error {
		proof, err := in.Ledger.Consistency(e.ctx, string(older))
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(e.stdout, proof)
		return err
	})
}

type ledgerTilesCmd struct {
	dataFlags
	Out string `arg:"" help:"Directory." placeholder:"DIR"`
}

func (ledgerTilesCmd) Help() string {
	return "The layout is C2SP tlog-tiles.\n\nExample:\n  collimator ledger tiles ./log"
}

func (c *ledgerTilesCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		n, err := in.Ledger.ExportTiles(e.ctx, c.Out)
		if err != nil {
			return err
		}
		return e.say("%s written to %s.\n", phrase.Count(n, "leaf", "leaves"), c.Out)
	})
}
