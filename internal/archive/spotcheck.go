package archive

import (
	"context"

	"collimator/internal/archive/index"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// SpotCheck holds the row of every instance against the ledger's statements
// without reading files. What it keeps in memory grows with what differs and
// not with the archive. Not safe for concurrent use.
type SpotCheck struct {
	archive *Archive
	matched int64
	differs map[content]bool // stored by the ledger's word, and the row says something else
}

// NewSpotCheck begins a check.
func (a *Archive) NewSpotCheck() *SpotCheck {
	return &SpotCheck{archive: a, differs: map[content]bool{}}
}

// Apply takes the next statements of the ledger, in one transaction. failed is as
// in Replay.Apply.
func (c *SpotCheck) Apply(ctx context.Context, batch []Statement, failed func(Statement, error)) error {
	return c.archive.o.DB.Read(ctx, func(tx *db.Tx) error {
		for _, s := range batch {
			if err := tellFailed(s, c.apply(ctx, tx, s), failed); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *SpotCheck) apply(ctx context.Context, tx *db.Tx, s Statement) error {
	f := contentOf(s)
	switch {
	case s.Event == Stored:
		same, err := asStated(ctx, tx, s)
		if err != nil {
			return err
		}

		if same {
			c.matched++
		} else {
			c.differs[f] = true
		}
	case s.Event == Deleted, s.Event == Quarantined && s.Reason == Replaced:
		if c.differs[f] {
			delete(c.differs, f)
		} else {
			c.matched--
		}
	}
	return nil
}

// asStated reports whether the row of an instance is as a statement has it.
func asStated(ctx context.Context, tx *db.Tx, s Statement) (bool, error) {
	ref, err := index.Find(ctx, tx, s.SOPInstanceUID)
	if fault.Of(err) == fault.NotFound {
		return false, nil
	}
	return err == nil && ref == s.Instance(), err
}

// Differences are the instances whose row is not as the ledger has it, and
// how many rows there are that it knows nothing of, in one state of the index.
// catchUp is as in Replay.Compare, and deletions meanwhile are too.
func (c *SpotCheck) Differences(ctx context.Context, catchUp func(tx *db.Tx) error) (uids []string, strays int64, err error) {
	err = c.archive.o.DB.Read(ctx, func(tx *db.Tx) error {
		if catchUp != nil {
			if err := catchUp(tx); err != nil {
				return err
			}
		}
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM instance`).Scan(&strays); err != nil {
			return err
		}
		strays -= c.matched
		for f := range c.differs {
			uids = append(uids, f.uid)
			var there int64
			if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM instance WHERE uid = ?1`, f.uid).Scan(&there); err != nil {
				return err
			}
			strays -= there
		}
		return nil
	})
	return uids, strays, err
}
