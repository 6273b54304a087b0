package main

import (
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/house"
)

type deleteCmd struct {
	dataFlags
	Study    string `help:"Study Instance UID." required:"" placeholder:"UID"`
	Series   string `help:"Only this series." placeholder:"UID"`
	Instance string `help:"Only this instance." placeholder:"UID"`
	Reason   string `help:"Why, in 5 to 200 characters; it stands in the audit trail." required:"" placeholder:"TEXT"`
}

func (deleteCmd) Help() string {
	return `Removes images and their files. The ledger keeps a tombstone of each: its UIDs and digest, who
deleted it and when. There is no way back but from a backup. Exit code 2 where the reason or a UID
makes no sense; nothing is deleted then.

Example:
  collimator delete --study 1.2.3 --reason "sent to the wrong archive, request 4711"`
}

func (c *deleteCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		done, err := a.Delete(e.ctx, archive.Deletion{
			StudyUID:       c.Study,
			SeriesUID:      c.Series,
			SOPInstanceUID: c.Instance,
			Why:            c.Reason,
			By:             archive.Source{Principal: house.Operator()},
			Scope:          archive.Everything(),
		})
		if err != nil {
			return fault.Misuse(err)
		}
		_, err = fmt.Fprint(e.stdout, done.Text())

		return err
	})
}
