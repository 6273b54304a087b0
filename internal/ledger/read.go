package ledger

import (
	"context"
	"encoding/json"
	"math"

	"collimator/internal/db"
)

// Size is how many leaves there are in what a transaction sees.
func (l *Log) Size(ctx context.Context, tx *db.Tx) (int64, error) { return size(ctx, tx) }

// Since gives the leaves from a position on to each, oldest first, without
// verifying them.
func (l *Log) Since(ctx context.Context, position int64, each func(Leaf) error) error {
	return l.Between(ctx, position, math.MaxInt64, each)
}

// Between is Since up to a position, of which the leaf does not belong to it.
func (l *Log) Between(ctx context.Context, position, end int64, each func(Leaf) error) error {
	for {
		var page []Leaf
		err := l.db.Read(ctx, func(tx *db.Tx) error {
			return eachLeaf(ctx, tx, func(l Leaf) error {
				page = append(page, l)
				return nil
			}, `position >= ?1 AND position < ?3 ORDER BY position LIMIT ?2`, position, verifyPage, end)
		})
		if err != nil {
			return err
		}

		for _, leaf := range page {
			if err := each(leaf); err != nil {
				return err
			}
			position = leaf.Position + 1
		}

		if len(page) < verifyPage {
			return nil
		}
	}
}

// About gives the leaves of a kind about one thing to each, oldest first,
// without verifying them.
func (l *Log) About(ctx context.Context, kind, ref string, each func(Leaf) error) error {
	return l.db.Read(ctx, func(tx *db.Tx) error {
		return eachLeaf(ctx, tx, each, `ref = ?1 AND ref <> '' AND kind = ?2 ORDER BY position`, ref, kind)
	})
}

// eachLeaf reads the leaves that a condition names.
func eachLeaf(ctx context.Context, tx *db.Tx, each func(Leaf) error, where string, args ...any) error {
	return db.Each(ctx, tx, func(scan db.Scan) error {
		var l Leaf
		if err := scan(&l.Position, &l.Kind, &l.Ref, &l.Data); err != nil {
			return err
		}

		return each(l)
	}, `SELECT position, kind, ref, data FROM ledger_leaf WHERE `+where, args...)
}

// Last is the newest leaf of a kind about one thing in what a transaction sees; of
// kind NotFound where there is none. It is not verified.
func (l *Log) Last(ctx context.Context, tx *db.Tx, kind, ref string) (leaf Leaf, err error) {
	err = tx.QueryRow(ctx, `SELECT position, kind, ref, data FROM ledger_leaf WHERE ref = ?1 AND ref <> '' AND kind = ?2
    ORDER BY position DESC LIMIT 1`, ref, kind).
		Scan(&leaf.Position, &leaf.Kind, &leaf.Ref, &leaf.Data)
	return leaf, err
}

// Positions is of each of some things that leaves of a kind are about the position of the newest,
// how many such leaves there are of all of them, and how many leaves there are in the ledger. Nothing
// of it is verified.
func (l *Log) Positions(ctx context.Context, kind string, refs []string) (newest map[string]int64, leaves, all int64, err error) {
	newest = map[string]int64{}
	asked, err := json.Marshal(refs)
	if err != nil {
		return nil, 0, 0, err
	}
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		if all, err = size(ctx, tx); err != nil {
			return err
		}

		return db.Each(ctx, tx, func(scan db.Scan) error {
			var ref string
			var position, count int64
			if err := scan(&ref, &position, &count); err != nil {
				return err
			}
			newest[ref] = position
			leaves += count

			return nil
		}, `SELECT ref, MAX(position), COUNT(*) FROM ledger_leaf
			WHERE ref IN (SELECT value FROM json_each(?1)) AND ref <> '' AND kind = ?2 GROUP BY ref`, string(asked), kind)
	})

	return newest, leaves, all, err
}
