package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

// CheckLeaf holds the index row of a record against its leaf and says what is
// wrong with it; empty means nothing.
func (t *Trail) CheckLeaf(ctx context.Context, leaf ledger.Leaf) (problem string, err error) {
	var r Record
	if err := json.Unmarshal([]byte(leaf.Data), &r); err != nil {
		return "audit record cannot be read", nil
	}

	var row struct {
		time      int64
		event     string
		outcome   int
		principal string
		address   string
	}

	err = t.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx,
			`SELECT time, event, outcome, principal, address FROM audit_record WHERE sequence = ?1`, leaf.Position).
			Scan(&row.time, &row.event, &row.outcome, &row.principal, &row.address)
	})
	switch kind := fault.Of(err); {
	case kind == fault.NotFound:
		return "audit index: row of the record is missing", nil
	case kind == fault.Unavailable, kind == fault.Canceled:
		return "", err
	case err != nil: // a value of another type than the column has
		return "audit index: row of the record is changed", nil
	case row.time != db.Millis(r.Time) || row.event != string(r.Event) || row.outcome != int(r.Outcome) ||
		row.principal != r.Principal || row.address != r.Peer.Address:
		return "audit index: row of the record is changed", nil
	}
	return "", nil
}

// Strays are rows of the index below a position that belong to no record.
func (t *Trail) Strays(ctx context.Context, below int64) (problems []string, err error) {
	err = t.db.Read(ctx, func(tx *db.Tx) error {
		strays, err := db.Column[int64](ctx, tx, `SELECT a.sequence FROM audit_record a
   LEFT JOIN ledger_leaf l ON l.position = a.sequence AND l.kind = ?2
   WHERE l.position IS NULL AND (a.sequence < ?1 OR a.sequence > (SELECT COALESCE(MAX(position), -1) FROM ledger_leaf))
   ORDER BY 1`, below, LeafKind)
		for _, n := range strays {
			problems = append(problems, fmt.Sprintf("audit index: row %d does not belong to a record", n))
		}

		return err
	})
	return problems, err
}
