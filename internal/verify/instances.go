package verify

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"collimator/internal/archive"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

func (v *verification) statement(ctx context.Context, l ledger.Leaf) error {
	v.statements++

	s, err := archive.ReadStatement(l.Data)
	if err != nil {
		v.add(fmt.Sprintf("ledger leaf %d", l.Position), "statement cannot be read")
		return nil
	}
	if v.Archive == nil {
		return nil
	}

	v.waiting = append(v.waiting, s)
	if len(v.waiting) < batchMost {
		return nil
	}
	return v.follow(ctx)
}

// batchMost is how many statements are followed in one transaction.
const batchMost = 500

// follow follows the statements that wait: whoever has read leaves calls it before
// the rows are looked at.
func (v *verification) follow(ctx context.Context) error {
	if len(v.waiting) == 0 {
		return nil
	}

	failed := func(s archive.Statement, err error) {
		v.add(s.SOPInstanceUID, "file %.16s...: %s", s.Digest, fault.Text(err))
	}

	var err error
	if v.replay != nil {
		err = v.replay.Apply(ctx, v.waiting, failed)
	} else {
		err = v.spot.Apply(ctx, v.waiting, failed)
	}

	v.waiting = v.waiting[:0]
	return err
}

// content reads the stored files, all or the share that was asked for, and reports those
// that differ from their digest or are not there.
func (v *verification) content(ctx context.Context) error {
	if v.Archive == nil {
		return nil
	}
	o := archive.VerifyOptions{Progress: func(n int64) { v.Files = n; v.progress() }}

	if v.Share < 1 {
		s, err := v.Archive.Stats(ctx)
		if err != nil {
			return err
		}
		pick := sampled(s.Instances, v.Share)
		o.Pick = func() bool {
			v.Stored++
			return pick()
		}
	}

	for p, err := range v.Archive.Verify(ctx, o) {
		if err != nil {
			return err
		}

		where := "index"
		if p.Digest != "" {
			where = fmt.Sprintf("file %.16s...", p.Digest)
		}

		v.add(where, "%s", p.Kind)
	}

	if o.Pick == nil {
		v.Stored = v.Files
	}
	return nil
}

// sampled picks a share of n files at random, rounded up: of a few files at least
// one is read. What is stored while they are read is picked by the same share.
func sampled(n int64, share float64) func() bool {
	wanted := int64(math.Ceil(share * float64(n)))
	return func() bool {
		if n <= 0 {
			return rand.Float64() < share
		}
		picked := rand.Int64N(n) < wanted
		n--
		if picked {
			wanted--
		}

		return picked
	}
}

// index holds the rows against those that were built anew. What is stored
// meanwhile does no harm; after a deletion it is compared again.
func (v *verification) index(ctx context.Context) error {
	if v.replay == nil {
		return nil
	}

	var found []Problem
	err := v.settled(ctx, func() (bool, error) {
		found = nil
		err := v.replay.Compare(ctx,
			func(tx *db.Tx) error { return v.catchUp(ctx, tx) },
			func(d archive.Difference) bool {
				found = append(found, Problem{Where: d.Row, What: d.String()})
				return len(found) < 10_000
			})
		return len(found) > 0 || v.replay.Lost(), err
	})
	if err == nil {
		v.Problems = append(v.Problems, found...)
		v.missing()
	}
	return err
}

// catchUp applies the leaves that there are in what a transaction sees.
func (v *verification) catchUp(ctx context.Context, tx *db.Tx) error {
	n, err := v.Ledger.Size(ctx, tx)
	if err != nil {
		return err
	}

	if err := v.Ledger.Between(ctx, v.leaves, n, func(l ledger.Leaf) error { return v.leaf(ctx, l) }); err != nil {
		return err
	}
	return v.follow(ctx)
}

// settled runs a comparison again while it finds something and instances come
// or go meanwhile.
func (v *verification) settled(ctx context.Context, compare func() (found bool, err error)) error {
	for range compareTries {
		found, err := compare()
		if err != nil || !found {
			return err
		}

		before := v.statements
		if err := v.Ledger.Since(ctx, v.leaves, func(l ledger.Leaf) error { return v.leaf(ctx, l) }); err != nil {
			return err
		}

		if err := v.follow(ctx); err != nil {
			return err
		}

		if v.statements == before {
			return nil
		}

		time.Sleep(100 * time.Millisecond)
	}
	v.add("index", "differs, but instances were stored and deleted all the time; try again when it is quieter")
	return nil
}

// missing names the files that are gone without a tombstone.
func (v *verification) missing() {
	for uid, digest := range v.replay.Missing() {
		v.add(uid, "file %.16s...: is not there", digest)
	}
}

// rows ends the check of a sample: it reports the instances whose rows are changed or
// missing, and how many rows the ledger does not account for. Without a sample it
// does nothing, because index compares every row.
func (v *verification) rows(ctx context.Context) error {
	if v.spot == nil {
		return nil
	}

	var uids []string
	var strays int64
	err := v.settled(ctx, func() (_ bool, err error) {
		uids, strays, err = v.spot.Differences(ctx, func(tx *db.Tx) error { return v.catchUp(ctx, tx) })
		return len(uids) > 0 || strays != 0, err
	})
	if err != nil {
		return err
	}

	for _, uid := range uids {
		v.add(uid, "index: row of instance is changed or missing")
	}
	if strays != 0 {
		v.add("index", "%d rows of instance are not accounted for", strays)
	}
	return nil
}
