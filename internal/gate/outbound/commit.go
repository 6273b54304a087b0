package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/outbox"
)

// Bounds of requests of a modality for storage commitment.
const (
	requestsMost  = 10_000 // of one route that are not answered
	instancesMost = 10_000 // of one request
	requestFor    = 30 * 24 * time.Hour
	answerEvery   = 5 * time.Second
	reportAgain   = time.Minute
	frontsMost    = 1000 // associations that are remembered
)

// instance is one that a modality wants committed to.
type instance struct {
	Class string `json:"class"`
	UID   string `json:"uid"`
}

// request is a modality's for storage commitment.
type request struct {
	route, transaction string
	instances          []instance
	created            time.Time
}

// commit takes a request of a modality for storage commitment (PS3.4 J.3.2). It is answered
// when all it names is decided.
func (b *Outbound) commit(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	r, err := b.of(a)
	if err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}
	if rq.DataSet == nil || !uid.Tolerable(rq.DataSet.Text(tag.TransactionUID)) {
		return dimse.NResponse{Status: dimse.InvalidArgumentValue.With("TransactionUID is missing or malformed")}
	}
	if err := b.Judge.DataSet(ctx, rq.DataSet); err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}

	asked := request{route: r.Name, transaction: rq.DataSet.Text(tag.TransactionUID), created: b.Now()}
	for _, item := range rq.DataSet.Items(tag.ReferencedSOPSequence) {
		i := instance{item.Text(tag.ReferencedSOPClassUID), item.Text(tag.ReferencedSOPInstanceUID)}
		if !uid.Tolerable(i.Class) || !uid.Tolerable(i.UID) {
			return dimse.NResponse{Status: dimse.InvalidArgumentValue.With("a referenced UID is missing or malformed")}
		}
		asked.instances = append(asked.instances, i)
	}
	if len(asked.instances) == 0 || len(asked.instances) > instancesMost {
		return dimse.NResponse{Status: dimse.InvalidArgumentValue.With(fmt.Sprintf("it names none, or more than %d", instancesMost))}
	}
	if err := b.remember(ctx, asked); err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}

	b.front(asked, a)
	rq.After = func(context.Context) { b.wake() }
	return dimse.NResponse{}
}

func (b *Outbound) wake() {
	select {
	case b.answers <- struct{}{}:
	default:
	}
}

var errRequests = fault.New(fault.Busy, "gate: too many requests for storage commitment wait for their answer")

// remember keeps a request until it is answered.
func (b *Outbound) remember(ctx context.Context, asked request) error {
	text, err := json.Marshal(asked.instances)
	if err != nil {
		return err
	}
	return b.DB.Write(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM outbound_commitment WHERE route = ?1`, asked.route).Scan(&n); err != nil {
			return err
		}
		if n >= requestsMost {
			return errRequests
		}
		_, err := tx.Exec(ctx, `INSERT INTO outbound_commitment (route, transaction_uid, instances, created) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (route, transaction_uid) DO UPDATE SET instances = ?3, created = ?4`,
			asked.route, asked.transaction, string(text), db.Millis(asked.created))
		return err
	})
}

// front remembers on which association a request came, as long as that is open.
func (b *Outbound) front(asked request, a *dimse.Association) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.fronts, func(_ [2]string, a *dimse.Association) bool { return a.Err() != nil })
	if len(b.fronts) < frontsMost {
		b.fronts[[2]string{asked.route, asked.transaction}] = a
	}
}

// Run answers requests for storage commitment until ctx ends.
func (b *Outbound) Run(ctx context.Context) {
	ticker := time.NewTicker(answerEvery)
	defer ticker.Stop()
	later := map[[2]string]time.Time{} // reports that were not taken
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.answers:
		case <-b.Outbox.Woken():
		case <-ticker.C:
		}
		if err := b.answer(ctx, later); err != nil && ctx.Err() == nil {
			b.Log.Error("a request for storage commitment is not answered yet", "error", err)
		}
	}
}

// answer reports on what is decided.
func (b *Outbound) answer(ctx context.Context, later map[[2]string]time.Time) error {
	list, err := b.requests(ctx)
	if err != nil {
		return err
	}
	for _, asked := range list {
		key := [2]string{asked.route, asked.transaction}
		b.mu.Lock()
		r := b.routes[asked.route]
		front := b.fronts[key]
		b.mu.Unlock()
		if r == nil || r.Closed || b.Now().Before(later[key]) {
			continue
		}
		if b.Now().Sub(asked.created) > requestFor {
			err = errors.Join(err, b.forget(ctx, asked))
			continue
		}

		report, decided, one := b.decide(ctx, r, asked)
		if one != nil || !decided {
			err = errors.Join(err, one)
			continue
		}
		if one := b.tell(ctx, r, front, report); one != nil {
			b.Log.Info("storage commitment report not delivered", "route", r.Name, "error", one)
			later[key] = b.Now().Add(reportAgain)
			continue
		}
		delete(later, key)
		err = errors.Join(err, b.forget(ctx, asked))
	}
	return err
}

// requests lists those that are not answered.
func (b *Outbound) requests(ctx context.Context) (list []request, err error) {
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, func(scan db.Scan) (r request, err error) {
			var text string
			var created int64
			if err := scan(&r.route, &r.transaction, &text, &created); err != nil {
				return r, err
			}
			r.created = db.Instant(created)
			return r, json.Unmarshal([]byte(text), &r.instances)
		}, `SELECT route, transaction_uid, instances, created FROM outbound_commitment ORDER BY created LIMIT 1000`)
		return err
	})
	return list, err
}

func (b *Outbound) forget(ctx context.Context, asked request) error {
	b.mu.Lock()
	delete(b.fronts, [2]string{asked.route, asked.transaction})
	b.mu.Unlock()
	return b.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM outbound_commitment WHERE route = ?1 AND transaction_uid = ?2`, asked.route, asked.transaction)
		return err
	})
}

// decide looks what became of the instances of a request; false where that is open for one.
func (b *Outbound) decide(ctx context.Context, r *route, asked request) (report dimse.NRequest, decided bool, err error) {
	var kept, failed []*dicom.DataSet
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		for _, i := range asked.instances {
			reason, open, err := fate(ctx, tx, r, i)
			if err != nil || open {
				decided = false
				return err
			}
			item := dicom.NewDataSet()
			err = errors.Join(item.SetText(tag.ReferencedSOPClassUID, i.Class), item.SetText(tag.ReferencedSOPInstanceUID, i.UID))
			if reason == dimse.Success {
				kept = append(kept, item)
			} else {
				err = errors.Join(err, item.SetInt(tag.FailureReason, int64(reason)))
				failed = append(failed, item)
			}
			if err != nil {
				return err
			}
		}
		decided = true
		return nil
	})
	if err != nil || !decided {
		return report, false, err
	}

	ds := dicom.NewDataSet()
	err = ds.SetText(tag.TransactionUID, asked.transaction)
	report = dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds,
	}
	if len(kept) > 0 {
		ds.SetItems(tag.ReferencedSOPSequence, kept...)
	}
	if len(failed) > 0 { // PS3.4 J.3.3.1.1
		report.TypeID = 2
		ds.SetItems(tag.FailedSOPSequence, failed...)
	}
	return report, true, err
}

// fate is what became of an instance: Success where it is kept, a Failure Reason
// (PS3.3 C.14.1.1), or open.
func fate(ctx context.Context, tx *db.Tx, r *route, i instance) (reason dimse.StatusCode, open bool, err error) {
	item, err := outbox.Have(ctx, tx, r.Name, i.UID)
	switch {
	case err != nil && fault.Of(err) != fault.NotFound:
		return 0, false, err
	case err == nil && item.SOPClassUID != i.Class:
		return dimse.ClassInstanceConflict, false, nil
	case err == nil && item.State == outbox.Aside:
		return dimse.ProcessingFailure, false, nil
	case err == nil:
		return dimse.Success, r.CommitAfter != AfterHere, nil
	}

	var n int
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM first_write WHERE route = ?1 AND uid = ?2 AND hash <> ''`, r.Name, i.UID).Scan(&n)
	if err == nil && n == 0 {
		return dimse.NoSuchSOPInstance, false, nil
	}
	return dimse.Success, false, err
}

var errNowhere = fault.New(fault.Unavailable, "gate: the association on which it asked is over, and its route names no port for reports")

// tell reports to the modality: on the association on which it asked, where that is open,
// else on another one to its address, in the role of SCP (PS3.4 J.3.3).
func (b *Outbound) tell(ctx context.Context, r *route, front *dimse.Association, report dimse.NRequest) error {
	if front != nil && front.Err() == nil {
		_, err := front.EventReport(ctx, report)
		if _, answered := answer(err); err == nil || answered {
			return nil
		}
	}
	if r.from.Port() == 0 {
		return errNowhere
	}

	a, err := dimse.Dial(ctx, r.from.String(), dimse.Config{
		CallingAETitle: r.target, CalledAETitle: r.modality, Contexts: outbox.Reports(),
		Roles:  []ul.RoleSelection{{SOPClassUID: uid.StorageCommitmentPushModel, SCP: true}},
		Limits: dimse.Limits{ARTIM: connectMost, Response: connectMost},
	})
	if err != nil {
		return err
	}
	defer a.Abort() // does nothing after the release
	if _, err := a.EventReport(ctx, report); err != nil {
		if _, answered := answer(err); !answered {
			return err
		}
	}
	return a.Release(ctx)
}
