package main

import (
	"errors"
	"log/slog"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

type lostCmd struct {
	List   lostListCmd   `cmd:"" help:"List what was set aside."`
	Take   lostTakeCmd   `cmd:"" help:"Take what was set aside into the archive."`
	Remove lostRemoveCmd `cmd:"" help:"Remove what was set aside; it is recorded."`
}

type lostListCmd struct {
	dataFlags
	outputFlag
}

func (lostListCmd) Help() string {
	return `Files of which the index knows nothing are set aside and never removed by themselves. A killed process
leaves a few; an index that is older than the files leaves many, and then 'collimator reindex' brings
all of them back.

Example:
  collimator lost list`
}

func (c *lostListCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		files, err := house.AsideFiles(e.ctx, a)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, files, "SHA-256|SIZE|WRITTEN|SOP CLASS", asideRow, "Nothing was set aside.")
	})
}

func asideRow(f house.AsideFile) []string {
	class := "cannot be read"
	if f.SOPClass != "" {
		class = uid.Name(f.SOPClass)
	}
	return []string{f.Digest[:16], terminal.Size(f.Size), f.Time, class}
}

// asideFlags name files that were set aside.
type asideFlags struct {
	Files []string `arg:"" optional:"" name:"sha256" help:"First digits of a digest from 'lost list', 8 or more."`
	All   bool     `help:"All of them."`
}

// choose lists those that are named of all that were set aside.
func (f *asideFlags) choose(e *env, a *archive.Archive) ([]archive.Stranger, error) {
	list, err := a.Aside(e.ctx)
	if err != nil {
		return nil, err
	}
	return house.ChooseAside(list, f.Files, f.All)
}

type lostTakeCmd struct {
	dataFlags
	asideFlags
	Output string `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (lostTakeCmd) Help() string {
	return `Takes files in as if they had been sent: inspected, recorded, held back where they contradict what is
stored. It may be run beside the server. Exit code 3 when some stay aside.

Examples:
  collimator lost take 3f5a9c0012ab
  collimator lost take --all
  collimator lost take --all -o json`
}

func (c *lostTakeCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		log := slog.New(slog.NewTextHandler(e.stderr, nil))

		return house.WithIntake(in, log, func(a *archive.Archive) error {
			if err := upToDate(e, in, a); err != nil {
				return err
			}

			return c.take(e, in, a)
		})
	})
}

func (c *lostTakeCmd) take(e *env, in *house.Installation, a *archive.Archive) error {
	list, err := c.choose(e, a)
	if err != nil {
		return err
	}

	report, failed := in.TakeAside(e.ctx, a, list)
	err = terminal.Show(e.stdout, c.Output, report, report.Print)
	if failed != nil || err != nil {
		return errors.Join(failed, err)
	}
	return report.Verdict()
}

type lostRemoveCmd struct {
	dataFlags
	asideFlags
	Reason string `help:"Why, in 5 to 200 characters; it stands in the audit trail." required:"" placeholder:"TEXT"`
}

func (lostRemoveCmd) Help() string {
	return `Removes files for good. The ledger keeps a tombstone of each: its UIDs and digest, who removed it and when.

Example:
  collimator lost remove 3f5a9c0012ab --reason "left by the crash of 3 November, sent again since"`
}

func (c *lostRemoveCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		list, err := c.choose(e, a)
		if err != nil {
			return err
		}
		return house.RemoveAside(e.ctx, a, list, c.Reason, func(digest string) error { return e.say("%s removed\n", digest[:16]) })
	})
}
