package archive

import (
	"context"
	"iter"

	"collimator/internal/archive/index"
	"collimator/internal/db"
)

// Rebuild makes the index anew from the ledger's statements and the files. From
// BeginRebuild to End the index is marked, so that one that was cut off is
// noticed (CutOff) and begun again. Nothing else may use the archive meanwhile.
// Not safe for concurrent use.
type Rebuild struct {
	replay *Replay
	lost   []Unreadable
}

// Unreadable is a statement of the ledger that could not be followed.
type Unreadable struct {
	SOPInstanceUID, Digest string
	Err                    error
}

// BeginRebuild removes all rows and marks the index.
func (a *Archive) BeginRebuild(ctx context.Context) (*Rebuild, error) {
	err := a.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := index.MarkRebuild(ctx, tx); err != nil {
			return err
		}
		if err := index.Clear(ctx, tx); err != nil {
			return err
		}
		for _, table := range []string{"quarantine", "refusal"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}

		return nil
	})
	if err != nil {
		return nil, err
	}

	return &Rebuild{replay: &Replay{
		real:    a,
		scratch: a.replayInto(a.o.DB),
		missing: map[content]bool{},
		back:    a.o.Blobs.Aside().Return,
	}}, nil
}

// CutOff reports an index whose Rebuild did not come to its end.
func (a *Archive) CutOff(ctx context.Context) (cut bool, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		cut, err = index.Rebuilding(ctx, tx)
		return err
	})

	return cut, err
}

// Apply takes the next statements of the ledger, in one transaction. A statement
// that cannot be followed is noted and the others go on.
func (r *Rebuild) Apply(ctx context.Context, batch []Statement) error {
	return r.replay.Apply(ctx, batch, func(s Statement, err error) {
		r.lost = append(r.lost, Unreadable{SOPInstanceUID: s.SOPInstanceUID, Digest: s.Digest, Err: err})
	})
}

// Missing are as in Replay.
func (r *Rebuild) Missing() iter.Seq2[string, string] { return r.replay.Missing() }

// Unreadable are the statements that could not be followed, in their order.
func (r *Rebuild) Unreadable() []Unreadable { return r.lost }

// End takes the mark away: all rows are there.
func (r *Rebuild) End(ctx context.Context) error {
	return r.replay.real.o.DB.Write(ctx, func(tx *db.Tx) error { return index.SetVersion(ctx, tx, index.Version) })
}

// replayInto is the same archive over a database in which what was recorded is
// repeated: nothing is recorded again and nothing is refused for want of room.
func (a *Archive) replayInto(d *db.DB) *Archive {
	o := a.o
	o.DB = d
	o.Record = nil
	o.Limits.QuarantineEntries = 1 << 40
	o.Limits.QuarantineShare = 1 << 40
	o.Limits.QuarantineBytes = 1 << 60
	scratch, err := Open(o)
	if err != nil {
		panic("archive: an archive that is open has no database or no store")
	}
	scratch.replaying = true

	return scratch
}
