package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Replay builds the index anew from the files and the ledger's statements, in a
// database of its own, so that every row of the real one can be held against
// it. It changes nothing of the archive. Not safe for concurrent use.
type Replay struct {
	real    *Archive
	scratch *Archive
	dir     string
	gone    InstanceRef // gave way in the release that is under way
}

// NewReplay begins with an empty index in a new directory below dir. Close
// removes it.
func (a *Archive) NewReplay(ctx context.Context, dir string) (*Replay, error) {
	tmp, err := os.MkdirTemp(dir, "verify-")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "archive: make a place for the index to compare with")
	}
	d, err := db.Open(ctx, db.Options{Path: filepath.Join(tmp, "index.db")})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	o := a.o
	o.DB, o.Record = d, nil
	o.Limits.QuarantineEntries, o.Limits.QuarantineBytes = 1<<40, 1<<60
	scratch, err := Open(o)
	if err != nil {
		return nil, errors.Join(err, d.Close(), os.RemoveAll(tmp))
	}
	scratch.replaying = true
	return &Replay{real: a, scratch: scratch, dir: tmp}, nil
}

// Close removes the index that was built.
func (r *Replay) Close() error { return errors.Join(r.scratch.o.DB.Close(), os.RemoveAll(r.dir)) }

// Apply takes the next statement of the ledger. A file that is not there or
// cannot be read is an error of kind NotFound or Invalid; the others may go on.
func (r *Replay) Apply(ctx context.Context, s Statement) error {
	switch s.Event {
	case Stored:
		return r.store(ctx, s)
	case Quarantined:
		return r.quarantine(ctx, s)
	case Released:
		return r.settle(ctx, s, true)
	case Destroyed:
		return r.settle(ctx, s, false)
	}
	return fault.Newf(fault.Invalid, "archive: a statement of the ledger has an unknown event")
}

func (r *Replay) store(ctx context.Context, s Statement) error {
	p, err := r.scratch.reread(ctx, QuarantineEntry{Instance: s.Instance(), Source: s.Source})
	if errors.Is(err, blob.ErrNotFound) {
		return err
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "archive: a stored file cannot be read")
	}
	p.time = s.Time
	return r.write(ctx, func(tx *db.Tx) error {
		if err := r.scratch.insert(ctx, tx, p); err != nil {
			return err
		}
		if p.conflict != nil || p.duplicate {
			return fault.New(fault.Invalid, "archive: the ledger says twice that an instance was stored")
		}
		return nil
	})
}

func (r *Replay) quarantine(ctx context.Context, s Statement) error {
	return r.write(ctx, func(tx *db.Tx) error {
		if s.Reason == Replaced {
			if err := deleteInstance(ctx, tx, s.Instance()); err != nil {
				return err
			}
			r.gone = s.Instance()
		}
		_, err := r.scratch.insertQuarantine(ctx, tx, &ConflictError{Reason: s.Reason}, s.Instance(), s.StoredDigest, s.Source, s.Time)
		return err
	})
}

// settle takes an entry out of quarantine.
func (r *Replay) settle(ctx context.Context, s Statement, released bool) error {
	gone := r.gone
	r.gone = InstanceRef{}
	return r.write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM quarantine WHERE uid = ?1 AND digest = ?2 AND reason = ?3`, s.SOPInstanceUID, s.Digest, string(s.Reason))
		if err != nil || !released || gone.SOPInstanceUID == "" {
			return err
		}
		return deleteEmpty(ctx, tx, gone)
	})
}

func (r *Replay) write(ctx context.Context, f func(tx *db.Tx) error) error {
	return r.scratch.o.DB.Write(ctx, f)
}
