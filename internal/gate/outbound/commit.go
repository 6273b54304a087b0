package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/firstwrite"
	"collimator/internal/outbox"
)

// Bounds of requests of a modality for storage commitment.
const (
	requestsMost  = 2000      // of one route that are not answered
	requestsBytes = 256 << 20 // of what they name
	instancesMost = 10_000    // of one request
	requestFor    = 30 * 24 * time.Hour
	answerEvery   = 5 * time.Second
	reportAgain   = time.Minute
	reportMost    = 30 * time.Second // for the modality to take a report
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

	rq.After = func(context.Context) { b.wake() }
	b.fronts.Asked(asked.route, asked.transaction, a, rq)
	if err := b.remember(ctx, asked); err != nil {
		return dimse.NResponse{Status: statusOf(err)}
	}
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
		var n, bytes int64
		// Of the others: one that comes again takes the place of the one before.
		err := tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(octet_length(instances)), 0) FROM outbound_commitment
			WHERE route = ?1 AND transaction_uid <> ?2`, asked.route, asked.transaction).Scan(&n, &bytes)
		if err != nil {
			return err
		}
		if n >= requestsMost || bytes+int64(len(text)) > requestsBytes {
			return errRequests
		}
		_, err = tx.Exec(ctx, `INSERT INTO outbound_commitment (route, transaction_uid, instances, created) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (route, transaction_uid) DO UPDATE SET instances = ?3, created = ?4`,
			asked.route, asked.transaction, string(text), db.Millis(asked.created))
		return err
	})
}

// Run answers requests for storage commitment until ctx ends. A modality that takes no report holds up
// nobody else's.
func (b *Outbound) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	ticker := time.NewTicker(answerEvery)
	defer ticker.Stop()
	var expired time.Time

	for {
		select {
		case <-ctx.Done():
			return
		case <-b.answers:
		case <-b.Outbox.Woken():
		case <-ticker.C:
		}
		if time.Since(expired) > time.Hour {
			expired = time.Now()
			if err := b.expire(ctx); err != nil && ctx.Err() == nil {
				b.Log.Error("old requests for storage commitment are not dropped", "error", err)
			}
		}

		for _, r := range b.idle() {
			all.Go(func() { b.answerOne(ctx, r) })
		}
	}
}

func (b *Outbound) answerOne(ctx context.Context, r *route) {
	defer b.answered(r)
	if err := b.answer(ctx, r); err != nil && ctx.Err() == nil {
		b.Log.Error("a request for storage commitment is not answered yet", "route", r.Name, "error", err)
	}
}

// idle are the routes whose requests nobody answers now; answered has to be called for each.
func (b *Outbound) idle() (list []*route) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, r := range b.routes {
		if !r.Closed && !b.answering[name] && !b.Now().Before(b.later[name]) {
			b.answering[name] = true
			list = append(list, r)
		}
	}
	maps.DeleteFunc(b.later, func(name string, _ time.Time) bool { return b.routes[name] == nil })
	return list
}

func (b *Outbound) answered(r *route) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.answering, r.Name)
}

// answer reports to the modality of a route on what is decided.
func (b *Outbound) answer(ctx context.Context, r *route) error {
	list, err := b.requests(ctx, r)
	if err != nil {
		return err
	}
	for _, asked := range list {
		front := b.fronts.Of(ctx, asked.route, asked.transaction)
		if front == nil && r.from.Port() == 0 {
			continue // until it asks again
		}

		report, decided, err := b.decide(ctx, r, asked)
		if err != nil {
			return err
		}
		if !decided {
			continue
		}
		if err := b.tell(ctx, r, front, report); err != nil {
			b.Log.Info("storage commitment report not delivered", "route", r.Name, "error", err)
			b.mu.Lock()
			b.later[r.Name] = b.Now().Add(reportAgain)
			b.mu.Unlock()
			return nil
		}
		if err := b.forget(ctx, asked); err != nil {
			return err
		}
	}
	return nil
}

// requests lists those of a route that are not answered, without what they name.
func (b *Outbound) requests(ctx context.Context, r *route) (list []request, err error) {
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, func(scan db.Scan) (one request, err error) {
			one.route = r.Name
			err = scan(&one.transaction)
			return one, err
		}, `SELECT transaction_uid FROM outbound_commitment WHERE route = ?1 ORDER BY created`, r.Name)
		return err
	})
	return list, err
}

// named reads what a request names.
func named(ctx context.Context, tx *db.Tx, asked request) (list []instance, err error) {
	var text string
	err = tx.QueryRow(ctx, `SELECT instances FROM outbound_commitment WHERE route = ?1 AND transaction_uid = ?2`,
		asked.route, asked.transaction).Scan(&text)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal([]byte(text), &list)
	return list, err
}

// expire drops requests that were not answered for too long, of routes that are gone, too.
func (b *Outbound) expire(ctx context.Context) error {
	return b.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM outbound_commitment WHERE created < ?1`, db.Millis(b.Now().Add(-requestFor)))
		return err
	})
}

func (b *Outbound) forget(ctx context.Context, asked request) error {
	b.fronts.Forget(asked.route, asked.transaction)
	return b.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM outbound_commitment WHERE route = ?1 AND transaction_uid = ?2`, asked.route, asked.transaction)
		return err
	})
}

// settled is an instance of which it is known what became: Success, or a Failure Reason.
type settled struct {
	instance
	reason dimse.StatusCode
}

// decide looks what became of the instances of a request; false where that is open for one.
func (b *Outbound) decide(ctx context.Context, r *route, asked request) (report dimse.NRequest, decided bool, err error) {
	var list []settled
	err = b.DB.Read(ctx, func(tx *db.Tx) (err error) {
		list, decided, err = fates(ctx, tx, r, asked)
		return err
	})
	if err != nil || !decided {
		return report, false, err
	}
	report, err = reportOn(asked.transaction, list)
	return report, true, err
}

// fates is what became of each instance of a request; decided is false where that is open for one.
func fates(ctx context.Context, tx *db.Tx, r *route, asked request) (list []settled, decided bool, err error) {
	all, err := named(ctx, tx, asked)
	if err != nil {
		return nil, false, err
	}
	for _, i := range all {
		reason, open, err := fate(ctx, tx, r, i)
		if err != nil || open {
			return nil, false, err
		}
		list = append(list, settled{i, reason})
	}
	return list, true, nil
}

// reportOn is the report of a transaction (PS3.4 J.3.3.1.1).
func reportOn(transaction string, list []settled) (report dimse.NRequest, err error) {
	ds := dicom.NewDataSet()
	err = ds.SetText(tag.TransactionUID, transaction)
	report = dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds,
	}

	var kept, failed []*dicom.DataSet
	for _, i := range list {
		item := dicom.NewDataSet()
		err = errors.Join(err, item.SetText(tag.ReferencedSOPClassUID, i.Class), item.SetText(tag.ReferencedSOPInstanceUID, i.UID))
		if i.reason == dimse.Success {
			kept = append(kept, item)
			continue
		}
		err = errors.Join(err, item.SetInt(tag.FailureReason, int64(i.reason)))
		failed = append(failed, item)
	}
	if len(kept) > 0 {
		ds.SetItems(tag.ReferencedSOPSequence, kept...)
	}
	if len(failed) > 0 {
		report.TypeID = 2
		ds.SetItems(tag.FailedSOPSequence, failed...)
	}
	return report, err
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

	kept, err := firstwrite.Kept(ctx, tx, r.Name, i.UID)
	if err == nil && !kept {
		return dimse.NoSuchSOPInstance, false, nil
	}
	return dimse.Success, false, err
}

var errNowhere = fault.New(fault.Unavailable, "gate: the association on which it asked is over, and its route names no port for reports")

// tell reports to the modality: on the association on which it asked, where that is open,
// else on another one to its address, in the role of SCP (PS3.4 J.3.3).
func (b *Outbound) tell(ctx context.Context, r *route, front *dimse.Association, report dimse.NRequest) error {
	ctx, cancel := context.WithTimeout(ctx, reportMost)
	defer cancel()
	if front != nil {
		_, err := front.EventReport(ctx, report)
		if _, answered := peerStatus(err); err == nil || answered {
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
		if _, answered := peerStatus(err); !answered {
			return err
		}
	}
	return a.Release(ctx)
}
