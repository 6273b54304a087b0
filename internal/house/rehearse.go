package house

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/backup"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/recovery"
	"collimator/internal/verify"
)

// Rehearsing says which restore is tried.
type Rehearsing struct {
	Copy    string        // name; empty: the newest
	From    string        // directory of the backup; its absolute path is kept in the result
	Live    string        // data directory that keeps the result, where there is one
	Scratch string        // directory to work in; empty: beside the system's temporary files
	Key     *recovery.Key // nil takes the keys of Live
}

// Rehearse restores a copy into a scratch directory, verifies and measures it, and
// removes it. Without a key and without a data directory whose keys could stand in
// for it, it is fault.Misused.
func Rehearse(ctx context.Context, d *backup.Dir, w Rehearsing, steps RestoreSteps) (_ backup.Rehearsal, _ []verify.Problem, err error) {
	from, err := filepath.Abs(w.From)
	if err != nil {
		return backup.Rehearsal{}, nil, err
	}
	scratch, err := durable.OpenScratch(cmp.Or(w.Scratch, filepath.Join(os.TempDir(), "collimator-rehearsal")))
	if err != nil {
		return backup.Rehearsal{}, nil, err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	there := IndexThere(w.Live) == nil

	place := backup.Restoring{Copy: w.Copy, Data: filepath.Join(scratch.Path(), "data"), Key: w.Key}
	if w.Key == nil {
		if !there {
			return backup.Rehearsal{}, nil, fault.Usage("name the file of the recovery key with --recovery: " +
				"there is no data directory whose keys could stand in for it")
		}
		place.Place = func(data string) error { return copyKeys(w.Live, data) }
	}

	began := time.Now()
	r, err := bringBack(ctx, d, place, steps)
	if err != nil {
		return backup.Rehearsal{}, nil, err
	}
	took := time.Since(began)

	began = time.Now()
	problems, err := verifyData(ctx, place.Data, r, steps)
	if err != nil {
		return backup.Rehearsal{}, nil, err
	}

	result := backup.Rehearsal{
		Time: time.Now().UTC(), From: from, Copy: r.Name, Files: r.Files, Bytes: r.Bytes,
		Restore: took, Verify: time.Since(began), Keys: w.Key != nil, Problems: len(problems),
	}
	if there {
		err = backup.Update(w.Live, func(b *backup.Record) { b.Rehearsed = &result })
	}

	return result, problems, err
}

// copyKeys lets the keys of a data directory stand in for those that were sealed.
func copyKeys(live, data string) error {
	for _, name := range []string{"ledger.key", "ca.key.pem", "ca.cert.pem", "deviceca.key.pem", DeidentifyKey} {
		b, err := os.ReadFile(filepath.Join(live, KeysDir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = durable.Directory(filepath.Join(data, KeysDir))
		}
		if err == nil {
			err = durable.Once(filepath.Join(data, KeysDir, name), b, 0o600)
		}
		if err != nil {
			return fmt.Errorf("keys for the rehearsal: %w", err)
		}
	}

	return nil
}
