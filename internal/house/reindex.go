package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

// ReindexSource is who stored what the ledger does not know.
const ReindexSource = "reindex"

// Reindexed is what was made anew.
type Reindexed struct {
	WithoutLedger bool           `json:"withoutLedger"`
	MovedAside    string         `json:"movedAside,omitempty"` // the damaged index
	Copied        string         `json:"copied,omitempty"`     // the index before it was changed for this version
	Statements    int64          `json:"statements"`           // of the ledger, that were repeated
	Unknown       map[string]int `json:"unknown"`              // files the ledger does not know, by what became of them
	Lost          []LostImage    `json:"lost"`                 // never nil
	Instances     int64          `json:"instances"`
	HeldBack      int64          `json:"heldBack"`
}

// LostImage is one that the ledger says is stored, and that is not indexed.
type LostImage struct {
	SOPInstance string `json:"sopInstance,omitempty"`
	Digest      string `json:"sha256"`
	What        string `json:"what"`
}

// Reindex makes the index of a data directory anew from the ledger and the images,
// while no server runs: it holds the lock of the directory. progress is called for
// each statement of the ledger with 0, and for each file that is taken in with its
// bytes. A directory without images, and one whose lock is held, is fault.Misused.
func Reindex(ctx context.Context, c config.Config, log *slog.Logger, progress func(bytes int64)) (*Reindexed, error) {
	if _, err := os.Stat(filepath.Join(c.Data, BlobsDir)); err != nil {
		return nil, fault.Usage("%s holds no images; name the data directory with --data", c.Data)
	}
	lock, err := LockData(c.Data)
	if err != nil {
		return nil, err
	}
	defer lock.Close()

	r := &reindexing{progress: progress}
	r.Lost = []LostImage{}
	in, err := r.open(ctx, c)
	if err != nil {
		return nil, err
	}
	err = WithIntake(in, log, func(a *archive.Archive) error { return r.rebuild(ctx, in, a) })
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, err
	}

	return &r.Reindexed, nil
}

// reindexing is one run, and what it found.
type reindexing struct {
	Reindexed
	progress func(bytes int64)
}

// open opens the index, or makes a new one in the place of one that is lost. The
// caller holds the lock.
func (r *reindexing) open(ctx context.Context, c config.Config) (*Installation, error) {
	if err := CheckLog(c.Data); err != nil {
		return nil, err
	}
	lost := errors.Is(IndexThere(c.Data), ErrNoIndex)

	in, err := OpenParts(ctx, c, nil)
	if err == nil && !lost {
		if err = in.DB.Check(ctx); err != nil {
			err = errors.Join(err, in.Close())
		}
	}

	if db.Damaged(err) {
		if r.MovedAside, err = moveIndexAside(c.Data); err != nil {
			return nil, err
		}
		lost = true
		in, err = OpenParts(ctx, c, nil)
	}

	if err != nil {
		return nil, err
	}
	r.WithoutLedger = lost
	r.Copied = in.Copied

	return in, nil
}

// moveIndexAside gives a damaged index another name, with what belongs to it.
func moveIndexAside(data string) (string, error) {
	to := filepath.Join(data, IndexFile+".damaged-"+time.Now().UTC().Format("20060102T150405Z"))
	for _, suffix := range []string{"-wal", "-shm", ""} {
		from := filepath.Join(data, IndexFile+suffix)
		if !FileExists(from) {
			continue
		}
		if err := durable.Relocate(from, to+suffix); err != nil {
			return "", fmt.Errorf("move the damaged index aside: %w", err)
		}
	}

	return to, nil
}

func (r *reindexing) rebuild(ctx context.Context, in *Installation, a *archive.Archive) error {
	reason := "the index is made anew from ledger and files"
	if r.WithoutLedger {
		reason = "the index is made anew from the files alone: there was no ledger"
	}
	if err := in.Record(ctx, audit.Record{Event: audit.Maintained, Action: audit.Execute, Reason: reason}); err != nil {
		return err
	}

	rebuild, err := a.BeginRebuild(ctx)
	if err != nil {
		return err
	}
	if err := r.repeat(ctx, in.Ledger, rebuild); err != nil {
		return err
	}

	for uid, digest := range rebuild.Missing() {
		r.Lost = append(r.Lost, LostImage{SOPInstance: uid, Digest: digest, What: "the file is not there"})
	}
	for _, u := range rebuild.Unreadable() {
		r.Lost = append(r.Lost, LostImage{SOPInstance: u.SOPInstanceUID, Digest: u.Digest, What: "cannot be indexed"})
	}

	if err := r.takeIn(ctx, in.Ledger, a); err != nil {
		return err
	}
	if err := rebuild.End(ctx); err != nil {
		return err
	}

	stats, err := a.Stats(ctx)
	r.Instances = stats.Instances
	r.HeldBack = stats.Quarantined

	return err
}

// repeatBatch is how many statements are repeated in one transaction.
const repeatBatch = 256

// repeat gives the ledger's statements to the rebuild. What is recorded while
// unknown files are taken in comes after them and is not repeated.
func (r *reindexing) repeat(ctx context.Context, log *ledger.Log, rebuild *archive.Rebuild) error {
	var batch []archive.Statement
	flush := func() error {
		err := rebuild.Apply(ctx, batch)
		batch = batch[:0]
		return err
	}

	err := log.Since(ctx, 0, func(l ledger.Leaf) error {
		if l.Kind != archive.LeafKind {
			return nil
		}
		s, err := archive.ReadStatement(l.Data)
		if err != nil {
			return fmt.Errorf("ledger leaf %d cannot be read: %w", l.Position, err)
		}

		batch = append(batch, s)
		r.Statements++
		r.progress(0)
		if len(batch) < repeatBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}

	return flush()
}

// takeIn stores the files that no row names now.
func (r *reindexing) takeIn(ctx context.Context, log *ledger.Log, a *archive.Archive) error {
	list, err := a.Strangers(ctx)
	if err != nil {
		return err
	}
	fate := Fate(log)
	r.Unknown = map[string]int{}
	for _, s := range list {
		taken, err := a.TakeIn(ctx, s, archive.Source{Principal: ReindexSource}, fate)
		if err != nil {
			return fmt.Errorf("file %.16s...: %w", s.Digest, err)
		}
		r.Unknown[string(taken)]++
		r.progress(s.Size)
	}

	return nil
}
