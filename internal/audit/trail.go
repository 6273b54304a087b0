package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"collimator/internal/db"
	"collimator/internal/ledger"
)

// LeafKind is the kind of the ledger's leaves that are audit records; their
// data are the record as JSON.
const LeafKind = "audit"

// Trail writes and reads the records of one database. Each record is a leaf of
// the ledger, so that none can be changed or removed unnoticed. Safe for
// concurrent use.
type Trail struct {
	db  *db.DB
	log *ledger.Log
	now func() time.Time
}

// New makes a trail over an open database and its ledger.
func New(d *db.DB, log *ledger.Log, now func() time.Time) *Trail {
	return &Trail{db: d, log: log, now: now}
}

// Write adds records in their order. They are durable when it returns nil.
func (t *Trail) Write(ctx context.Context, records ...Record) error {
	if len(records) == 0 {
		return nil
	}

	err := t.db.Write(ctx, func(tx *db.Tx) error { return t.WriteTx(ctx, tx, records...) })
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// WriteTx adds records in a transaction of the caller's, so that a change and
// its record stand or fall together.
func (t *Trail) WriteTx(ctx context.Context, tx *db.Tx, records ...Record) error {
	for _, r := range records {
		if r.Time.IsZero() {
			r.Time = t.now()
		}
		r.Time = r.Time.UTC().Truncate(time.Millisecond)
		r.Sequence = 0

		b, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("audit: encode record: %w", err)
		}

		at, err := t.log.Append(ctx, tx, ledger.Leaf{Kind: LeafKind, Data: string(b)})
		if err != nil {
			return err
		}

		_, err = tx.Exec(ctx, `INSERT INTO audit_record (sequence, time, event, outcome, principal, address)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
			at, db.Millis(r.Time), string(r.Event), int(r.Outcome), r.Principal, r.Peer.Address)
		if err != nil {
			return err
		}
	}
	return nil
}

// pageSize is how many records one read transaction fetches.
const pageSize = 500

// After walks the records with a sequence number above after, oldest first.
// It holds no transaction while the caller looks at them.
func (t *Trail) After(ctx context.Context, after int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			page, err := t.page(ctx, after)
			if err != nil {
				yield(Record{}, fmt.Errorf("audit: %w", err))
				return
			}

			for _, r := range page {
				if !yield(r, nil) {
					return
				}
				after = r.Sequence
			}

			if len(page) < pageSize {
				return
			}
		}
	}
}

func (t *Trail) page(ctx context.Context, after int64) (page []Record, err error) {
	err = t.db.Read(ctx, func(tx *db.Tx) error {
		page, err = db.All(ctx, tx, scanRecord,
			`SELECT a.sequence, l.data FROM audit_record a JOIN ledger_leaf l ON l.position = a.sequence
			WHERE a.sequence > ?1 ORDER BY a.sequence LIMIT ?2`, after, pageSize)

		return err
	})

	return page, err
}

func scanRecord(scan db.Scan) (r Record, err error) {
	var seq int64
	var b []byte
	if err := scan(&seq, &b); err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("record %d: %w", seq, err)
	}
	r.Sequence = seq

	return r, nil
}

// Coded are records of an event with a code since a time, the newest first, of the most newest
// refusals of that event.
func (t *Trail) Coded(ctx context.Context, event Event, code Code, since time.Time, most int) (list []Record, err error) {
	err = t.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanRecord,
			`SELECT a.sequence, l.data FROM audit_record a JOIN ledger_leaf l ON l.position = a.sequence
			WHERE a.time >= ?1 AND a.event = ?2 AND a.outcome <> 0 ORDER BY a.time DESC LIMIT ?3`, db.Millis(since), string(event), most)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return slices.DeleteFunc(list, func(r Record) bool { return r.Code != code }), nil
}

// Last is the sequence number of the newest record; -1 when there is none.
func (t *Trail) Last(ctx context.Context) (seq int64, err error) {
	err = t.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(MAX(sequence), -1) FROM audit_record`).Scan(&seq)
	})
	return seq, err
}
