package main

import (
	"time"

	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

type backupCmd struct {
	dataFlags
	outputFlag
	Dir         string `arg:"" name:"dir" help:"Directory of the backup: empty, not there yet, or a backup already."`
	Keep        int    `help:"How many copies of the index to keep." default:"7" bounds:"1 to 1000"`
	WithoutKeys bool   `help:"Leave keys and settings out."`
}

func (backupCmd) Help() string {
	return `Copies what the directory lacks, beside the server: each image once, held against its digest, and the
index as it was at one moment. Keys and settings are sealed to the recovery key. Images that no kept
copy of the index names are removed from the backup; a cut-off run leaves the copies before it whole.

Images and index are not encrypted: the directory belongs onto an encrypted disk.

Exit code 3 when images were missing or damaged; the rest is copied, and they are listed.

Example:
  collimator backup /backup/pacs --data ./data`
}

func (c *backupCmd) Run(e *env) error {

	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		p := terminal.NewProgress(e.stderr, "files looked at", 0)
		began := time.Now()
		r, s, err := in.BackUp(e.ctx, a, house.BackingUp{Dir: c.Dir, Keep: c.Keep, WithoutKeys: c.WithoutKeys, Progress: p.Count})
		p.End()
		if err != nil {
			return err
		}

		if c.Output == "json" {
			err = terminal.JSON(e.stdout, r)
		} else {
			err = r.Print(e.stdout, c.Dir, !s.Confirmed.IsZero(), time.Since(began))
		}

		if err != nil {
			return err
		}
		return r.Verdict()
	})
}
