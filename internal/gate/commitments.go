package gate

import (
	"context"
	"time"

	"collimator/dimse"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/gate/kind"
)

// Bounds of requests for storage commitment whose report did not come.
const (
	commitmentFor   = 30 * 24 * time.Hour
	commitmentsMost = 100_000 // of one device at one route
)

// errTaken refuses a transaction that another device has open: its report would go to
// the wrong one.
var errTaken = fault.New(fault.Conflict, "gate: another device has a transaction with this UID")

var errCommitments = fault.New(fault.Busy, "gate: too many reports of storage commitment wait for this device")

// commitment is a request that went through a route.
type commitment struct{ route, transaction, device string }

// commitments are the requests whose report is awaited. They outlive the process: a
// report may come days later. Safe for concurrent use.
type commitments struct {
	gate   *Gate
	fronts kind.Fronts
}

// open remembers a request before it goes on, and the association it came on.
func (c *commitments) open(ctx context.Context, asked commitment, front *dimse.Association, rq *dimse.NRequest) error {
	err := c.gate.DB.Write(ctx, func(tx *db.Tx) error { return c.insert(ctx, tx, asked) })
	if err != nil {
		return err
	}

	c.fronts.Asked(asked.route, asked.transaction, front, rq)
	return nil
}

// insert writes the row of a request, unless it is there.
func (c *commitments) insert(ctx context.Context, tx *db.Tx, asked commitment) error {
	now := c.gate.Now()
	_, err := c.gate.Registers.Exec(ctx, tx, `DELETE FROM gate_commitment WHERE created < ?1`, db.Millis(now.Add(-commitmentFor)))
	if err != nil {
		return err
	}

	device := ""
	err = tx.QueryRow(ctx, `SELECT device FROM gate_commitment WHERE route = ?1 AND transaction_uid = ?2`,
		asked.route, asked.transaction).Scan(&device)
	switch {
	case err == nil && device == asked.device:
		return nil
	case err == nil:
		return errTaken
	case fault.Of(err) != fault.NotFound:
		return err
	}

	var open int
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM gate_commitment WHERE route = ?1 AND device = ?2`,
		asked.route, asked.device).Scan(&open)
	if err != nil {
		return err
	}
	if open >= commitmentsMost {
		return errCommitments
	}

	_, err = c.gate.Registers.Exec(ctx, tx, `INSERT INTO gate_commitment (route, transaction_uid, device, created)
		VALUES (?1, ?2, ?3, ?4)`, asked.route, asked.transaction, asked.device, db.Millis(now))
	return err
}

// of is the request of a transaction, and the association it came on, if this
// process had it.
func (c *commitments) of(ctx context.Context, route, transaction string) (commitment, *dimse.Association, error) {
	asked := commitment{route: route, transaction: transaction}
	err := c.gate.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT device FROM gate_commitment WHERE route = ?1 AND transaction_uid = ?2`,
			route, transaction).Scan(&asked.device)
	})
	if fault.Of(err) == fault.NotFound {
		return asked, nil, errTransaction
	}
	if err != nil {
		return asked, nil, err
	}
	return asked, c.fronts.Of(ctx, route, transaction), nil
}

// close forgets a request: its report was delivered, or none will come.
func (c *commitments) close(ctx context.Context, route, transaction string) {
	c.fronts.Forget(route, transaction)
	err := c.gate.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		_, err := c.gate.Registers.Exec(ctx, tx, `DELETE FROM gate_commitment WHERE route = ?1 AND transaction_uid = ?2`,
			route, transaction)
		return err
	})
	if err != nil {
		c.gate.Log.Error("storage commitment not ticked off", "route", route, "error", err)
	}
}
