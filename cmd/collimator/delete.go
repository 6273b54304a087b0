package main

import (
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/audit"
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
deleted it and when. There is no way back but from a backup.

Example:
  collimator delete --study 1.2.3 --reason "sent to the wrong archive, request 4711"`
}

func (c *deleteCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *installation, a *archive.Archive) error {
		n, err := a.Delete(e.ctx, archive.Deletion{
			StudyUID: c.Study, SeriesUID: c.Series, SOPInstanceUID: c.Instance, Why: c.Reason, By: archive.Source{Principal: operator()},
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%d deleted.\n", n)
		return err
	})
}

// deletionRecord is one record of all instances that were deleted together.
func deletionRecord(r audit.Record, ev archive.Event) audit.Record {
	r.Event, r.Action, r.Reason = audit.InstancesDeleted, audit.Delete, ev.Together.Why
	if ev.Together.Whole {
		r.Event = audit.StudyDeleted
	}
	if r.Door == "" {
		r.Door, r.Kind = "command", "person"
	}
	r.Objects = []audit.Object{{Study: ev.Together.StudyUID, SOPClasses: ev.Together.SOPClasses, Instances: ev.Together.Instances}}
	return r
}
