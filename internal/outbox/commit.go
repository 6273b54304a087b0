package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Bounds of storage commitment: how many objects one request names, how long its
// report is waited for on the association, when it is asked again, and how often an
// object is sent that is not kept.
const (
	commitBatch = 500
	reportWait  = 5 * time.Second
	askAgain    = 6 * time.Hour
	commitTries = 5
)

// errTransaction refuses a report nobody asked for: to believe it means to drop
// objects that are safe nowhere.
var errTransaction = fault.New(fault.Denied, "outbox: nobody asked for this report")

// commit drops what was stored, or asks the destination to commit to it first. more reports
// that there may be others.
func (c *courier) commit(ctx context.Context) (more bool, err error) {
	list, err := c.b.uncommitted(ctx, c.name, c.way.Target)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if c.way.Commit == No {
		return true, c.b.arrived(ctx, list)
	}

	offered, err := c.offered(ctx, list)
	switch {
	case err != nil:
		return false, c.unreached(ctx, err)
	case offered:
		return c.ask(ctx, list)
	case c.way.Commit == Required:
		return true, c.b.putOff(ctx, list, "the destination does not take requests for storage commitment, which is required")
	}
	return true, c.b.arrived(ctx, list)
}

// uncommitted lists what was stored and of which nobody knows whether it is kept: not asked
// about yet, or asked about so long ago that no report will come.
func (b *Outbox) uncommitted(ctx context.Context, name, target string) (list []Item, err error) {
	now := b.Now()
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanItem, `SELECT `+columns+` FROM outbox
			WHERE destination = ?1 AND target = ?2 AND state = 'sent'
			AND (due <= ?3 OR due >= ?4) AND (transaction_uid = '' OR asked < ?5 OR asked > ?3)
			ORDER BY id LIMIT ?6`, // asked, or put off, by a wrong clock, too
			name, target, db.Millis(now), db.Millis(now.Add(pauseLongest)), db.Millis(now.Add(-askAgain)), commitBatch)
		return err
	})
	return list, failed(err, "look what was stored")
}

// offered sees to an association and reports whether the destination takes requests on it.
func (c *courier) offered(ctx context.Context, list []Item) (bool, error) {
	if c.session == nil || c.broken() {
		c.drop()
		// An object beside it: what takes no class at all rejects the association.
		s, err := c.way.Open(ctx, proposals(list[:1], c.way.Commit))
		if err != nil {
			return false, err
		}
		c.session = s
	}
	return slices.ContainsFunc(c.session.Contexts(), func(pc dimse.PresentationContext) bool {
		return pc.AbstractSyntax == uid.StorageCommitmentPushModel
	}), nil
}

// ask asks for storage commitment (PS3.4 J.3.2), and waits a moment for the report.
func (c *courier) ask(ctx context.Context, list []Item) (going bool, err error) {
	transaction := uid.New()
	if err := c.b.asking(ctx, list, transaction); err != nil {
		return false, err
	}

	request, err := commitRequest(transaction, list)
	if err != nil {
		return false, err
	}
	if _, err = c.session.NAction(ctx, request); err != nil {
		if ctx.Err() != nil {
			return false, nil
		}
		why := "it was asked for storage commitment: " + reasonOf(err)
		if answer, ok := errors.AsType[*dimse.StatusError](err); ok {
			why = "asked for storage commitment, the destination answered " + answer.Status.Code.String()
		}
		c.drop()
		return false, c.b.putOff(ctx, list, why)
	}
	return true, c.await(ctx, transaction)
}

// commitRequest is the request for storage commitment of objects.
func commitRequest(transaction string, list []Item) (rq dimse.NRequest, err error) {
	ds := dicom.NewDataSet()
	err = ds.SetText(tag.TransactionUID, transaction)
	items := make([]*dicom.DataSet, len(list))
	for n, i := range list {
		items[n] = dicom.NewDataSet()
		err = errors.Join(err, items[n].SetText(tag.ReferencedSOPClassUID, i.SOPClassUID),
			items[n].SetText(tag.ReferencedSOPInstanceUID, i.SOPInstanceUID))
	}
	ds.SetItems(tag.ReferencedSOPSequence, items...)
	return dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds,
	}, err
}

// await waits a moment for the report on the association, which some destinations send on no
// other.
func (c *courier) await(ctx context.Context, transaction string) error {
	deadline := time.NewTimer(reportWait)
	defer deadline.Stop()
	defer nudge(c.wake) // what came meanwhile has its turn then
	for {
		open, err := c.b.open(ctx, c.name, transaction)
		if err != nil || !open {
			return err
		}
		select {
		case <-c.wake: // of a report, or of another object: that waits for its turn
		case <-deadline.C:
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// open reports whether a transaction was not reported on.
func (b *Outbox) open(ctx context.Context, name, transaction string) (open bool, err error) {
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		var n int
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM outbox WHERE destination = ?1 AND transaction_uid = ?2`, name, transaction).Scan(&n)
		open = n > 0
		return err
	})
	return open, failed(err, "look at a transaction")
}

// asking keeps by which transaction objects are asked about, before they are.
func (b *Outbox) asking(ctx context.Context, list []Item, transaction string) error {
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		for _, i := range list {
			_, err := change(ctx, tx, i, Sent, `transaction_uid = ?5, asked = ?6, reason = ?7`,
				transaction, db.Millis(b.Now()), "stored there; its report of storage commitment is awaited")
			if err != nil {
				return err
			}
		}
		return nil
	}), "keep what is asked")
}

// putOff has objects that were stored wait before they are asked about again.
func (b *Outbox) putOff(ctx context.Context, list []Item, why string) error {
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		for _, i := range list {
			_, err := change(ctx, tx, i, Sent, `transaction_uid = '', asked = 0, broken = broken + 1, due = ?5, reason = ?6`,
				db.Millis(b.Now().Add(pause(i.Broken+1))), why)
			if err != nil {
				return err
			}
		}
		return nil
	}), "keep why it is not committed to")
}

// Report takes a report of storage commitment of a destination (PS3.4 J.3.3): what is
// kept there is dropped here, what is not is sent again. A transaction that nobody
// asked for is fault.Denied.
func (b *Outbox) Report(ctx context.Context, name string, report *dicom.DataSet) error {
	transaction := report.Text(tag.TransactionUID)
	if transaction == "" {
		return errTransaction
	}
	var list []Item
	err := b.DB.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = db.All(ctx, tx, scanItem, `SELECT `+columns+` FROM outbox WHERE destination = ?1 AND transaction_uid = ?2`,
			name, transaction)
		return err
	})
	if err != nil {
		return failed(err, "look what was asked")
	}
	if len(list) == 0 {
		return errTransaction
	}

	kept, reasons := committed(report)
	var arrived, missing []Item
	for _, i := range list {
		if kept[i.SOPInstanceUID] {
			arrived = append(arrived, i)
		} else {
			missing = append(missing, i)
		}
	}
	if err := errors.Join(b.arrived(ctx, arrived), b.sendAgain(ctx, missing, reasons)); err != nil {
		return err
	}
	b.nudgeWay(name)
	return nil
}

// committed reads which instances a report says are kept, and why others are not. One that
// it names as both is not.
func committed(report *dicom.DataSet) (kept map[string]bool, reasons map[string]int64) {
	kept = map[string]bool{}
	for _, item := range report.Items(tag.ReferencedSOPSequence) {
		kept[item.Text(tag.ReferencedSOPInstanceUID)] = true
	}

	reasons = map[string]int64{}
	for _, item := range report.Items(tag.FailedSOPSequence) {
		n, _ := item.Int(tag.FailureReason)
		reasons[item.Text(tag.ReferencedSOPInstanceUID)] = n
		delete(kept, item.Text(tag.ReferencedSOPInstanceUID))
	}
	return kept, reasons
}

// sendAgain has objects sent again that the destination does not keep; one that it never keeps is set
// aside.
func (b *Outbox) sendAgain(ctx context.Context, list []Item, reasons map[string]int64) error {
	if len(list) == 0 {
		return nil
	}
	defer b.awake()
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		for _, i := range list {
			why := "the destination did not commit to its storage"
			if n, told := reasons[i.SOPInstanceUID]; told {
				why = fmt.Sprintf("%s: reason %04XH", why, uint16(n))
			}

			if i.Tries >= commitTries {
				if err := setAside(ctx, tx, i, Sent, fmt.Sprintf("%s, although it was sent %d times", why, i.Tries)); err != nil {
					return err
				}
				continue
			}

			_, err := change(ctx, tx, i, Sent, `state = 'waiting', transaction_uid = '', asked = 0, broken = 0, due = ?5, reason = ?6`,
				db.Millis(b.Now().Add(pause(i.Tries))), why)
			if err != nil {
				return err
			}
		}
		return nil
	}), "send again what is not kept")
}

// Reports are the contexts on which a destination reports by itself.
func Reports() []ul.ProposedContext {
	return dimse.Propose([]string{uid.StorageCommitmentPushModel}, uid.NativeSyntaxes()[:2], false)
}
