package house

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/backup"
	"collimator/internal/blob"
	"collimator/internal/fault"
	"collimator/internal/recovery"
)

// BackingUp says where to a backup goes, and what of it.
type BackingUp struct {
	Dir         string            // empty, not there yet, or a backup already
	Keep        int               // copies of the index, 1 or more
	WithoutKeys bool              // leaves keys and settings out
	Progress    func(bytes int64) // for each file that was looked at
}

// BackUp copies an archive to another place, notes that in the data directory and
// records it. It gives also what is known of the recovery key. An index that may not
// be judged, a directory inside the data directory, and keys without a recovery key
// to seal them to, are refused.
func (in *Installation) BackUp(ctx context.Context, a *archive.Archive, b BackingUp) (r backup.Result, s recovery.State, err error) {
	if err := in.MayBeJudged(ctx, a); err != nil {
		return r, s, err
	}
	if err := apart(in.Config.Data, b.Dir); err != nil {
		return r, s, err
	}

	if s, err = recovery.Load(in.Config.Data); err != nil {
		return r, s, err
	}
	if s.Public == "" && !b.WithoutKeys {
		return r, s, fault.Usage("there is no recovery key to which keys could be sealed: make one with "+
			"'collimator recovery-key --data %s --out FILE', or leave keys out with --without-keys", in.Config.Data)
	}
	if b.WithoutKeys {
		s.Public = ""
	}

	if r, err = in.copyTo(ctx, b, s.Public); err != nil {
		return r, s, err
	}
	return r, s, in.noteBackup(ctx, b.Dir, r)
}

// apart refuses a backup inside of what it copies.
func apart(data, dir string) error {
	outer, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	inner, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(outer, inner)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fault.Usage("%s lies in the data directory: it would be lost with it", dir)
	}

	return nil
}

// copyTo makes the backup, with keys sealed to the public part of a recovery key.
func (in *Installation) copyTo(ctx context.Context, b BackingUp, public string) (r backup.Result, err error) {
	blobs, err := blob.ReadDir(filepath.Join(in.Config.Data, BlobsDir))
	if err != nil {
		return r, err
	}

	d, err := backup.Create(b.Dir)
	if err != nil {
		return r, err
	}

	r, err = d.Make(ctx, backup.Source{
		Data: in.Config.Data, DB: in.DB, Blobs: blobs, Ledger: in.Ledger, Public: public, Program: Version(), Keep: b.Keep, Now: time.Now,
		Progress: b.Progress,
	})
	return r, errors.Join(err, d.Close())
}

// noteBackup keeps in the data directory, and in the record, that a backup was made.
func (in *Installation) noteBackup(ctx context.Context, dir string, r backup.Result) error {
	to, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	err = backup.Update(in.Config.Data, func(b *backup.Record) {
		b.Last = &backup.Made{Time: r.Made, To: to, Files: r.Files, Bytes: r.Bytes, Keys: r.Sealed != nil, Lacking: len(r.Lacking)}
	})
	if err != nil {
		return err
	}

	return in.Record(ctx, audit.Record{
		Event: audit.Export, Action: audit.Read, Reason: "backup " + r.Name, Objects: []audit.Object{{Instances: int(r.Files)}},
	})
}
