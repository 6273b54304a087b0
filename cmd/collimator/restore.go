package main

import (
	"fmt"

	"collimator/internal/backup"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/recovery"
	"collimator/internal/terminal"
	"collimator/internal/verify"
)

type restoreCmd struct {
	dataFlags
	outputFlag
	Dir         string `arg:"" name:"dir" help:"Directory of the backup."`
	Recovery    string `help:"File with the recovery key." placeholder:"FILE"`
	Copy        string `help:"Name of the copy of the index; the default is the newest that is whole." placeholder:"NAME"`
	WithoutKeys bool   `help:"Restore without keys and settings; new ones are made."`
	List        bool   `help:"Only list the copies."`
	Rehearse    bool   `help:"Restore into a scratch directory, verify, measure, and remove it."`
	Scratch     string `help:"Where --rehearse works; it needs as much room as the archive. Default: the system's place for temporary files." placeholder:"DIR"`
}

func (restoreCmd) Help() string {
	return `Restores into the data directory, which must be empty, and verifies all of it: every file, the ledger,
and every row. The recovery key and the backup are enough.

--rehearse does the same in a scratch directory and keeps the result for the report of the posture.
Without --recovery it takes the keys of the data directory that is there.

Exit code 1 when something is not as it was recorded.

Examples:
  collimator restore /backup/pacs --data ./new --recovery /media/usb/recovery.key
  collimator restore /backup/pacs --rehearse --recovery /media/usb/recovery.key --data ./data
  collimator restore /backup/pacs --list`
}

func (c *restoreCmd) Run(e *env) error {
	d, err := backup.OpenDir(c.Dir)
	if err != nil {
		return err
	}
	if c.List {
		return c.list(e, d)
	}

	key, err := recovery.Read("--recovery", c.Recovery)
	if err != nil {
		return err
	}
	if c.Rehearse {
		return c.rehearse(e, d, key)
	}
	if key == nil && !c.WithoutKeys {
		return fault.Usage("name the file of the recovery key with --recovery, or restore without keys with --without-keys")
	}

	place := backup.Restoring{Copy: c.Copy, Data: config.DataDir(c.Data), Key: key}
	steps := &terminal.Stages{W: e.stderr}
	r, problems, err := house.Restore(e.ctx, d, place, house.StepsOn(steps))
	steps.End()
	if err != nil {
		return err
	}

	report := house.NewRestoreReport(r, problems)
	if err := terminal.Show(e.stdout, c.Output, report, report.Print); err != nil {
		return err
	}
	return verify.Verdict(len(problems))
}

func (c *restoreCmd) list(e *env, d *backup.Dir) error {
	copies, torn, err := d.Copies()
	if err != nil {
		return err
	}
	if c.Output != "json" {
		for _, name := range torn {
			fmt.Fprintf(e.stderr, "collimator: copy %s was cut off and cannot be restored; the next backup removes it\n", name)
		}
	}

	return terminal.List(e.stdout, c.Output, copies, "COPY|FILES|SIZE|LEAVES|SCHEMA|KEYS|LACKING", func(m backup.Manifest) []string {
		return []string{m.Name, fmt.Sprint(m.Files), terminal.Size(m.Bytes), fmt.Sprint(m.Leaves),
			fmt.Sprint(m.Schema), m.Sealing(), fmt.Sprint(len(m.Lacking))}
	}, "There is no copy that came to its end.")
}

// rehearse tries a restore without keeping it.
func (c *restoreCmd) rehearse(e *env, d *backup.Dir, key *recovery.Key) error {
	w := house.Rehearsing{Copy: c.Copy, From: c.Dir, Live: config.DataDir(c.Data), Scratch: c.Scratch, Key: key}
	steps := &terminal.Stages{W: e.stderr}
	result, problems, err := house.Rehearse(e.ctx, d, w, house.StepsOn(steps))
	steps.End()
	if err != nil {
		return err
	}

	report := house.RehearsalReport{Rehearsal: result, Found: problems}
	if err := terminal.Show(e.stdout, c.Output, report, report.Print); err != nil {
		return err
	}
	return verify.Verdict(result.Problems)
}
