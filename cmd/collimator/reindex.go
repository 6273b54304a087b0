package main

import (
	"collimator/internal/house"
	"collimator/internal/terminal"
)

type reindexCmd struct {
	dataFlags
	outputFlag
}

func (reindexCmd) Help() string {
	return `Makes the index anew from the ledger and the images, while no server runs. What the ledger does not
know is taken in as if it had been sent: inspected, recorded, and held back where it contradicts what
is stored. What was deleted stays out. No image is removed.

Without an index (index.db is missing or empty) a new one is made of the images alone; a damaged one
is moved aside. Devices, people and the audit trail are in the index: if there is a backup, put its newest
copies/NAME/index.db in place first.

Exit code 3 when some images could not be brought back; they are listed. A run that was cut off is run
again.

Example:
  collimator reindex --data ./data`
}

func (c *reindexCmd) Run(e *env) error {
	cfg, err := c.loadChecked()
	if err != nil {
		return err
	}
	log, err := house.NewLog(e.stderr, cfg.Log)
	if err != nil {
		return err
	}

	p := terminal.NewProgress(e.stderr, "indexed", 0)
	r, err := house.Reindex(e.ctx, cfg, log, p.Count)
	p.End()
	if err != nil {
		return err
	}

	if err := terminal.Show(e.stdout, c.Output, r, r.Print); err != nil {
		return err
	}
	return r.Verdict()
}
