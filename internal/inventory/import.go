package inventory

import (
	"context"
	"errors"

	"collimator/internal/db"
)

// Outcome counts what an import did, or would do.
type Outcome struct {
	New  int `json:"new"`
	Seen int `json:"seen"` // known before
	// Assets are the names, in the order of the observations; empty for a dry run.
	Assets []string `json:"-"`
}

// importBatch is how many observations are written in one transaction.
const importBatch = 500

var errDry = errors.New("inventory: dry run")

// Import notes a list of observations. A dry run changes nothing and tells what
// would come of it.
func (r *Register) Import(ctx context.Context, source Source, detail string, list []Observation, dry bool) (Outcome, error) {
	var out Outcome
	if dry { // all is done and taken back, so that it is judged as it would be
		err := r.db.Write(ctx, func(tx *db.Tx) error {
			if err := r.importBatch(ctx, tx, list, 0, &out); err != nil {
				return err
			}
			return errDry
		})

		out.Assets = nil
		if errors.Is(err, errDry) {
			err = nil
		}
		return out, err
	}

	run, err := r.Begin(ctx, source, detail)
	if err != nil {
		return out, err
	}

	for len(list) > 0 {
		n := min(len(list), importBatch)
		err := r.db.Write(ctx, func(tx *db.Tx) error { return r.importBatch(ctx, tx, list[:n], run.ID, &out) })
		if err != nil {
			return out, err
		}
		list = list[n:]
	}
	return out, nil
}

func (r *Register) importBatch(ctx context.Context, tx *db.Tx, list []Observation, run int64, out *Outcome) error {
	for i := range list {
		o := list[i]
		o.Run = run
		id, made, err := r.observe(ctx, tx, &o)
		if err != nil {
			return err
		}

		out.Assets = append(out.Assets, assetName(id))
		if made {
			out.New++
		} else {
			out.Seen++
		}
	}
	return nil
}
