package main

import (
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/mark"
)

type labelCmd struct {
	dataFlags
	Study  string   `arg:"" name:"study" help:"Study Instance UID."`
	Labels []string `arg:"" optional:"" help:"Labels, at most 32 of 64 characters."`
	Status string   `help:"A word for how far the study is." placeholder:"STATUS"`
	Note   string   `help:"A note of at most 4 KiB." placeholder:"TEXT"`
}

func (labelCmd) Help() string {
	return `What is said takes the place of what was said before; without labels, status and note nothing is left.
An index that is made anew leaves it as it is. It goes with the study when that is deleted.

Examples:
  collimator label 1.2.3 Tumorboard urgent --status 'to report'
  collimator label 1.2.3`
}

func (c *labelCmd) Run(e *env) error {
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		if _, err := a.Study(e.ctx, c.Study, archive.Everything()); err != nil {
			return err
		}
		err := in.MarkStudy(e.ctx, c.Study, mark.Mark{Labels: c.Labels, Status: c.Status, Note: c.Note})
		if err != nil {
			return fault.Misuse(err)
		}
		return e.say("Said of the study.\n")
	})
}
