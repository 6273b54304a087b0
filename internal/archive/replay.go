package archive

import (
	"context"
	"errors"
	"iter"
	"path/filepath"

	"collimator/internal/archive/index"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Replay builds the index anew from the files and the ledger's statements, in a
// database of its own, so that every row of the real one can be held against
// it. It changes nothing of the archive. Not safe for concurrent use.
type Replay struct {
	real    *Archive
	scratch *Archive
	dir     *durable.Scratch
	missing map[content]bool // instances whose file is not there; true once they were replaced

	// Of a Rebuild: brings a file back that was set aside.
	back func(ctx context.Context, key string) error
}

// ScratchDir holds, below the data directory, the indexes of replays that run.
const ScratchDir = "verify"

// NewReplay begins with an empty index in a new directory below dir, and removes
// those of replays whose process ended. Close removes it.
func (a *Archive) NewReplay(ctx context.Context, dir string) (*Replay, error) {
	place, err := durable.OpenScratch(filepath.Join(dir, ScratchDir))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "archive: make a place for the index to compare with")
	}

	return a.replayIn(ctx, place)
}

// replayFile is the index of a replay in its directory.
const replayFile = "index.db"

func (a *Archive) replayIn(ctx context.Context, place *durable.Scratch) (*Replay, error) {
	d, err := db.Open(ctx, db.Options{Path: filepath.Join(place.Path(), replayFile), Scratch: true, Readers: 1})
	if err != nil {
		return nil, errors.Join(err, place.Close())
	}

	return &Replay{real: a, scratch: a.replayInto(d), dir: place, missing: map[content]bool{}}, nil
}

// Close removes the index that was built.
func (r *Replay) Close() error { return errors.Join(r.scratch.o.DB.Close(), r.dir.Close()) }

// content names an instance and which bytes it has.
type content struct{ uid, digest string }

func contentOf(s Statement) content { return content{s.SOPInstanceUID, s.Digest} }

// Missing are the instances whose file is not there, although no deletion was
// replayed: SOP Instance UID and digest of each.
func (r *Replay) Missing() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for f := range r.missing {
			if !yield(f.uid, f.digest) {
				return
			}
		}
	}
}

// Lost reports whether there are any Missing.
func (r *Replay) Lost() bool { return len(r.missing) > 0 }

// Apply takes the next statements of the ledger, in one transaction: one for each
// would cost more than all else that is done. failed is told of each that cannot
// be followed, such as one whose file cannot be read, and the others go on. For
// files that are not there see Missing.
func (r *Replay) Apply(ctx context.Context, batch []Statement, failed func(Statement, error)) error {
	return r.scratch.o.DB.Write(ctx, func(tx *db.Tx) error {
		for _, s := range batch {
			err := tx.Nested(ctx, func() error { return r.apply(ctx, tx, s) })
			if err := tellFailed(s, err, failed); err != nil {
				return err
			}
		}

		return nil
	})
}

// tellFailed tells failed of an error that is about one statement, and returns
// one after which no other can be followed.
func tellFailed(s Statement, err error, failed func(Statement, error)) error {
	switch fault.Of(err) {
	case fault.None:
		return nil
	case fault.NotFound, fault.Invalid, fault.Internal, fault.Conflict:
		failed(s, err)
		return nil
	}
	return err
}

// apply makes the index say what a statement of the ledger says. Content that was
// destroyed later is no longer missing. A statement of an unknown event is refused.
func (r *Replay) apply(ctx context.Context, tx *db.Tx, s Statement) error {
	switch s.Event {
	case Deleted:
		return r.deleted(ctx, tx, s)
	case Stored:
		return r.store(ctx, tx, s)
	case Quarantined:
		return r.quarantine(ctx, tx, s)
	case Refused:
		return refuse(ctx, tx, s.Reason, s.Instance(), s.Source, s.Time)
	case Released:
		return r.release(ctx, tx, s)
	case Destroyed:
		if c := contentOf(s); r.missing[c] {
			delete(r.missing, c)
		}

		return r.release(ctx, tx, s)
	}

	return fault.Newf(fault.Invalid, "archive: a statement of the ledger has an unknown event")
}

func (r *Replay) store(ctx context.Context, tx *db.Tx, s Statement) error {
	s, err := r.complete(ctx, s)
	if err != nil {
		return err
	}
	p, err := r.reread(ctx, s)
	if errors.Is(err, blob.ErrNotFound) {
		r.missing[contentOf(s)] = false
		return nil
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "archive: a stored file cannot be read")
	}
	p.time = s.Time

	entry := p.entry()
	entry.InLedger = s.Version > 0
	out, err := index.Insert(ctx, tx, entry)
	if err != nil {
		return err
	}
	if out.Conflict == OtherPatient && s.Version == 0 {
		// A ledger of an earlier version does not say that it was let in.
		if err := p.accepted(); err != nil {
			return err
		}
		out, err = index.Insert(ctx, tx, p.entry())
	}
	if err == nil && (out.Duplicate || out.Conflict != "") {
		return fault.New(fault.Invalid, "archive: the ledger says twice that an instance was stored")
	}
	if err != nil {
		return err
	}

	return forgetRefusal(ctx, tx, s.SOPInstanceUID, s.Digest)
}

// complete fills in what a ledger of an earlier version does not say of an
// instance: whether it was let in. Where the index that is looked at has the
// instance, its word is taken; else the replay finds out by itself.
func (r *Replay) complete(ctx context.Context, s Statement) (Statement, error) {
	if s.Version > 0 {
		return s, nil
	}
	var accepted int64
	err := r.real.o.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT accepted FROM instance WHERE uid = ?1 AND digest = ?2 AND description <> 0`,
			s.SOPInstanceUID, s.Digest).Scan(&accepted)
	})
	if fault.Of(err) == fault.NotFound {
		return s, nil
	}
	s.Accepted = accepted != 0
	s.Version = 1

	return s, err
}

// reread makes the rows of an instance that was stored. A file that was set
// aside, because an index that was older knew nothing of it, comes back.
func (r *Replay) reread(ctx context.Context, s Statement) (*pending, error) {
	e := QuarantineEntry{Instance: s.Instance(), Source: s.Source, CharacterSet: s.CharacterSet}
	p, err := r.scratch.reread(ctx, e, s.Accepted)
	if r.back == nil || !errors.Is(err, blob.ErrNotFound) {
		return p, err
	}
	if err := r.back(ctx, s.Digest); err != nil {
		return nil, err
	}

	return r.scratch.reread(ctx, e, s.Accepted)
}

// accepted makes the entry one that somebody let in.
func (p *pending) accepted() (err error) {
	p.accept = true
	p.description, err = index.Describe(p.ds, p.ref, true)

	return err
}

func (r *Replay) quarantine(ctx context.Context, tx *db.Tx, s Statement) error {
	f := contentOf(s)
	_, lost := r.missing[f]
	if lost && s.Reason == Replaced {
		r.missing[f] = true
	}

	if r.back != nil {
		// What is held back may have been set aside too; it may also be gone.
		if err := r.bringBack(ctx, s.Digest); err != nil {
			return err
		}
	}

	if s.Reason == Replaced && !lost {
		if err := index.Remove(ctx, tx, s.SOPInstanceUID); err != nil {
			return err
		}
	}
	_, err := r.scratch.insertQuarantine(ctx, tx, &ConflictError{Reason: s.Reason}, Event{
		Reason: s.Reason, Instance: s.Instance(), StoredDigest: s.StoredDigest,
		Source: s.Source, Time: s.Time, CharacterSet: s.CharacterSet,
	})

	return err
}

// bringBack puts a file back that was set aside, where it was.
func (r *Replay) bringBack(ctx context.Context, key string) error {
	_, err := r.real.o.Blobs.Stat(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		err = r.back(ctx, key)
	}
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}

	return err
}

// release takes an entry out of quarantine.
func (r *Replay) release(ctx context.Context, tx *db.Tx, s Statement) error {
	_, err := tx.Exec(ctx, `DELETE FROM quarantine WHERE uid = ?1 AND digest = ?2 AND reason = ?3`,
		s.SOPInstanceUID, s.Digest, string(s.Reason))
	return err
}

// deleted takes out what a deletion removed. Its file is gone as a rule, and
// then it was never indexed here.
func (r *Replay) deleted(ctx context.Context, tx *db.Tx, s Statement) error {
	f := contentOf(s)
	if _, ok := r.missing[f]; ok {
		delete(r.missing, f)
		return nil
	}

	ref, err := index.Find(ctx, tx, s.SOPInstanceUID)
	if fault.Of(err) == fault.NotFound || err == nil && ref.Digest != s.Digest {
		return fault.New(fault.Invalid, "archive: the ledger says that an instance was deleted which was not stored")
	}
	if err != nil {
		return err
	}

	return index.Remove(ctx, tx, s.SOPInstanceUID)
}
