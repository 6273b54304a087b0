package main

import (
	"context"
	"fmt"
	"strings"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/phrase"
	"collimator/internal/policy"
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
	return c.withArchive(e, func(_ *installation, a *archive.Archive) error {
		done, err := a.Delete(e.ctx, archive.Deletion{
			StudyUID: c.Study, SeriesUID: c.Series, SOPInstanceUID: c.Instance, Why: c.Reason, By: archive.Source{Principal: operator()},
			Scope: archive.Everything(),
		})
		if err != nil {
			return reasonUsage(err)
		}
		_, err = fmt.Fprint(e.stdout, deletionText(done))

		return err
	})
}

// reasonUsage tells a reason or a UID that makes no sense, which is wrong usage,
// from what was done and went wrong.
func reasonUsage(err error) error {
	if fault.Of(err) == fault.Invalid {
		return &exitError{exitUsage, err}
	}

	return err
}

// deletionText says what went, and what is left that somebody may look for.
func deletionText(d archive.DeletedTogether) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d deleted.\n", d.Instances)
	if d.Held > 0 {
		fmt.Fprintf(&b, "%d held back of the study destroyed with it.\n", d.Held)
	}
	if d.StillHeld > 0 {
		fmt.Fprintf(&b, "%d held back of the study stay: collimator quarantine list, collimator quarantine destroy --study %s\n", d.StillHeld, d.StudyUID)
	}
	if d.AccessEnded > 0 {
		fmt.Fprintf(&b, "%s for the study ended.\n", phrase.Count(d.AccessEnded, "link, grant or token", "links, grants and tokens"))
	}
	if d.Whole {
		b.WriteString("Copies elsewhere stay: backups made before, what was exported or sent on. The same images are taken again when they are sent again.\n")
	}

	return b.String()
}

// endAccess takes back links, grants and tokens to a study of which nothing is
// left: they would open it again if it were sent again.
func endAccess(ctx context.Context, registry *identity.Registry, tx *db.Tx, ev archive.Event) (err error) {
	if ev.Together.Whole {
		ev.Together.AccessEnded, err = registry.EndAccess(ctx, tx, ev.Together.StudyUID, ev.Time)
	}

	return err
}

// deletionRecord is one record of all instances that were deleted together.
func deletionRecord(r audit.Record, ev archive.Event) audit.Record {
	r.Event, r.Action, r.Reason = audit.InstancesDeleted, audit.Delete, ev.Together.Why
	if ev.Together.Whole {
		r.Event = audit.StudyDeleted
	}
	if r.Door == "" {
		r.Door, r.Kind = audit.DoorCommand, string(policy.Person)
	}
	r.Objects = []audit.Object{{Study: ev.Together.StudyUID, Patient: ev.Together.Patient, PatientIssuer: ev.Together.PatientIssuer, SOPClasses: ev.Together.SOPClasses, Instances: ev.Together.Instances}}
	return r
}
