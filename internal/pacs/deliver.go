package pacs

import (
	"context"
	"time"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// How reports are delivered on associations of our own: after a minute first,
// then ever more rarely, for two days.
const (
	deliverFirst    = time.Minute
	deliverMost     = time.Hour
	deliverAttempts = 60
	deliverBatch    = 32
	deliverTimeout  = time.Minute
)

// waitingReports and waitingBytes are how much may wait for one device.
const (
	waitingReports = 10_000
	waitingBytes   = 64 << 20
)

// errTooManyReports is a device that asks for commitment and takes no reports.
var errTooManyReports = fault.New(fault.TooLarge, "pacs: too many storage commitment reports wait for this device")

// queue keeps a report until it was delivered. It is first due when the
// association of the request has had its chance.
func (s *Service) queue(ctx context.Context, aeTitle string, report *dicom.DataSet, event uint16) (id int64, err error) {
	b, err := encodeReport(report)
	if err != nil {
		return 0, err
	}

	now := s.Now()

	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		var waiting, bytes int
		if err := tx.QueryRow(ctx,
			`SELECT COUNT(*), COALESCE(SUM(LENGTH(report)), 0) FROM commitment_report WHERE ae_title = ?1`,
			aeTitle).Scan(&waiting, &bytes); err != nil {
			return err
		}
		if waiting >= waitingReports || bytes+len(b) > waitingBytes {
			return errTooManyReports
		}

		_, err := s.Registers.Exec(ctx, tx, `INSERT INTO commitment_report (ae_title, report, event_type, created, attempts, next)
			VALUES (?1, ?2, ?3, ?4, 0, ?5)`, aeTitle, b, int(event), db.Millis(now), db.Millis(now.Add(2*reportWait)))
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT MAX(id) FROM commitment_report`).Scan(&id)
	})
	return id, err
}

func (s *Service) delivered(ctx context.Context, id int64) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := s.Registers.Exec(ctx, tx, `DELETE FROM commitment_report WHERE id = ?1`, id)
		return err
	})
}

// release makes a report due now and wakes Deliver.
func (s *Service) release(ctx context.Context, id int64) {
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := s.Registers.Touch(ctx, tx, `UPDATE commitment_report SET next = ?2 WHERE id = ?1`, id, db.Millis(s.Now()))
		return err
	})
	if err != nil {
		s.Log.Error("storage commitment report not released", "error", err)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Deliver sends queued reports on associations of our own until ctx ends
// (PS3.4 J.3.3: the SCP takes the SCP role as requestor).
func (s *Service) Deliver(ctx context.Context) {
	for {
		next, err := s.deliverDue(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("storage commitment reports not delivered", "error", err)
		}

		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

type dueReport struct {
	id       int64
	aeTitle  string
	report   []byte
	event    uint16
	attempts int
}

func scanDue(scan db.Scan) (d dueReport, err error) {
	err = scan(&d.id, &d.aeTitle, &d.report, &d.event, &d.attempts)
	return d, err
}

// deliverDue tries what is due and says how long to wait for the next.
func (s *Service) deliverDue(ctx context.Context) (time.Duration, error) {
	var due []dueReport
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		due, err = db.All(ctx, tx, scanDue, `SELECT id, ae_title, report, event_type, attempts FROM commitment_report
			WHERE next <= ?1 ORDER BY next LIMIT ?2`, db.Millis(s.Now()), deliverBatch)

		return err
	})
	if err != nil {
		return deliverFirst, err
	}

	failed := map[string]error{} // a device that is not there holds up the others once
	for _, d := range due {
		err, again := failed[d.aeTitle]
		if !again {
			err = s.send(ctx, d)
		}
		if err != nil {
			failed[d.aeTitle] = err
		}
		if err := s.settle(ctx, d, err); err != nil {
			return deliverFirst, err
		}
	}

	if len(due) == deliverBatch {
		return 0, nil
	}
	return deliverFirst, nil
}

// settle ticks a report off, or puts it off.
func (s *Service) settle(ctx context.Context, d dueReport, err error) error {
	if err == nil {
		return s.delivered(ctx, d.id)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if d.attempts+1 >= deliverAttempts {
		s.Log.Error("storage commitment report given up", "device", d.aeTitle, "attempts", d.attempts+1, "error", err)
		return s.delivered(ctx, d.id)
	}

	s.Log.Info("storage commitment report not delivered yet", "device", d.aeTitle, "attempts", d.attempts+1, "error", err)
	wait := min(deliverFirst<<min(d.attempts, 10), deliverMost)
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := s.Registers.Touch(ctx, tx,
			`UPDATE commitment_report SET attempts = attempts + 1, next = ?2 WHERE id = ?1`, d.id, db.Millis(s.Now().Add(wait)))
		return err
	})
}

func (s *Service) send(ctx context.Context, d dueReport) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()

	report, err := decodeReport(d.report)
	if err != nil {
		return err
	}
	destination, err := s.Destinations.Destination(ctx, d.aeTitle)
	if err != nil {
		return err
	}

	if dialer, ok := destination.(dimse.Dialer); ok {
		dialer.Config.Roles = []ul.RoleSelection{{SOPClassUID: uid.StorageCommitmentPushModel, SCP: true}}
		destination = dialer
	}

	a, err := destination.Dial(ctx, dimse.Propose([]string{uid.StorageCommitmentPushModel}, uid.NativeSyntaxes()[:2], false))
	if err != nil {
		return err
	}

	if err := s.report(ctx, a, report, d.event); err != nil {
		a.Abort()
		return err
	}
	// The device has the report: how it closes the association changes nothing.
	if err := a.Release(ctx); err != nil {
		s.Log.Debug("association of a storage commitment report not released", "device", d.aeTitle, "error", err)
	}
	return nil
}
