package guard

import (
	"context"
	"encoding/json"
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/mark"
	"collimator/internal/policy"
	"collimator/internal/registers"
)

// RecordInstance writes what happens to instances into the trail, in the
// transaction in which it happens.
func RecordInstance(
	log *ledger.Log, trail *audit.Trail, registry *identity.Registry,
) func(context.Context, *db.Tx, archive.Event) error {
	book := registers.New(nil, log) // it writes in the transactions that it is given
	return func(ctx context.Context, tx *db.Tx, ev archive.Event) error {
		if err := instanceLeaf(ctx, log, tx, ev); err != nil {
			return err
		}

		r := instanceRecord(ev)
		switch ev.Kind {
		case archive.Stored:
			o := &r.Objects[0]
			var err error
			if o.Patient, o.PatientIssuer, err = archive.PatientIn(ctx, tx, o.Study); err != nil {
				return err
			}
		case archive.Refused:
			heldBack(&r, "refused, the quarantine has no room: "+string(ev.Reason)+found(ev))
		case archive.Quarantined:
			heldBack(&r, "held back: "+string(ev.Reason)+found(ev))
			if ev.Reason == archive.Suspicious {
				r.Code = audit.HeldSuspicious
			}
		case archive.Deleted:
			if ev.Together == nil {
				return nil
			}
			if err := endAccess(ctx, registry, tx, ev); err != nil {
				return err
			}
			if err := forgetMark(ctx, book, tx, ev); err != nil {
				return err
			}
			r = deletionRecord(r, ev)
		case archive.Released, archive.Destroyed:
			outOfQuarantine(&r, ev)
		}

		if ev.Source.Person != "" {
			r.Objects = append([]audit.Object{{Person: ev.Source.Person}}, r.Objects...)
		}
		return trail.WriteTx(ctx, tx, r)
	}
}

// instanceRecord is the audit record of an instance that was stored. The patient in it
// is the one the instance itself names. For the other events the caller changes what
// differs.
func instanceRecord(ev archive.Event) audit.Record {
	return audit.Record{
		Time:        ev.Time,
		Event:       audit.Transferred,
		Action:      audit.Create,
		Door:        audit.Door(ev.Source.Door),
		Association: ev.Source.Association,
		Principal:   ev.Source.Principal,
		Kind:        ev.Source.Kind,
		Rule:        ev.Source.Rule,
		Peer: audit.Peer{
			Address:        ev.Source.Address,
			CallingAETitle: ev.Source.AETitle,
			CalledAETitle:  ev.Source.Route,
		},
		Objects: []audit.Object{{
			Study:         ev.Instance.StudyUID,
			Patient:       ev.Whose.Patient,
			PatientIssuer: ev.Whose.PatientIssuer,
			SOPClasses:    map[string]int{ev.Instance.SOPClassUID: 1},
			Instances:     1,
			Detail:        ev.Instance.SOPInstanceUID,
		}},
	}
}

// outOfQuarantine makes of a record that of an instance that was released or
// destroyed, by somebody at the machine.
func outOfQuarantine(r *audit.Record, ev archive.Event) {
	r.Event = audit.QuarantineChanged
	r.Reason = string(ev.Kind) + " from quarantine: " + string(ev.Reason)
	switch {
	case ev.Reason == archive.Unneeded:
		r.Reason = "set aside, and removed: " + ev.Why
	case archive.HeldAtRoute(ev.Reason) && ev.Why != "": // what is kept of it ends with the decision
		r.Reason = fmt.Sprintf("released from quarantine (%s): %s", ev.Reason, ev.Why)
	case ev.Why != "":
		r.Reason += ": " + ev.Why
	}
	r.Door = audit.DoorCommand
	r.Kind = string(policy.Person)
}

// heldBack makes of a record that of an instance that was not stored.
func heldBack(r *audit.Record, reason string) {
	r.Event = audit.SecurityAlert
	r.Outcome = audit.SeriousFailure
	r.Reason = reason
}

// found is what an inspection found, behind the reason.
func found(ev archive.Event) string {
	if ev.Why == "" {
		return ""
	}
	return ": " + ev.Why
}

// instanceLeaf writes what happened to an instance into the ledger: which bytes
// are stored under its UID, or that they were held back, released or destroyed.
func instanceLeaf(ctx context.Context, log *ledger.Log, tx *db.Tx, ev archive.Event) error {
	b, err := json.Marshal(ev.Statement())
	if err != nil {
		return fmt.Errorf("encode ledger leaf: %w", err)
	}
	_, err = log.Append(ctx, tx, ledger.Leaf{Kind: archive.LeafKind, Ref: ev.Instance.SOPInstanceUID, Data: string(b)})
	return err
}

// endAccess takes back links, grants and tokens to a study of which nothing is
// left: they would open it again if it were sent again.
func endAccess(ctx context.Context, registry *identity.Registry, tx *db.Tx, ev archive.Event) (err error) {
	if ev.Together.Whole {
		ev.Together.AccessEnded, err = registry.EndAccess(ctx, tx, ev.Together.StudyUID, ev.Time)
	}

	return err
}

// forgetMark takes away what people said of a study of which nothing is left.
func forgetMark(ctx context.Context, book *registers.Book, tx *db.Tx, ev archive.Event) error {
	if !ev.Together.Whole {
		return nil
	}

	return mark.End(ctx, tx, book, ev.Together.StudyUID)
}

// deletionRecord is one record of all instances that were deleted together.
func deletionRecord(r audit.Record, ev archive.Event) audit.Record {
	r.Event = audit.InstancesDeleted
	r.Action = audit.Delete
	r.Reason = ev.Together.Why
	if ev.Together.Whole {
		r.Event = audit.StudyDeleted
	}
	if r.Door == "" {
		r.Door = audit.DoorCommand
		r.Kind = string(policy.Person)
	}

	r.Objects = []audit.Object{{
		Study:         ev.Together.StudyUID,
		Patient:       ev.Together.Patient,
		PatientIssuer: ev.Together.PatientIssuer,
		SOPClasses:    ev.Together.SOPClasses,
		Instances:     ev.Together.Instances,
	}}
	return r
}
