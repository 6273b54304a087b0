package archive

import (
	"context"
	"errors"

	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// A file without a row is taken away only where it is sure that none is about to
// name it: not by a transfer of this process (takeOff, land), and not by one of
// another (present).

// takeOff and land keep the file of an instance that has no row yet from being
// removed.
func (a *Archive) takeOff(key string) {
	a.flightMu.Lock()
	defer a.flightMu.Unlock()
	a.flight[key]++
}

func (a *Archive) land(key string) {
	a.flightMu.Lock()
	defer a.flightMu.Unlock()
	if a.flight[key]--; a.flight[key] == 0 {
		delete(a.flight, key)
	}
}

// removeUnreferenced removes a file that no row names and of which it is known
// why: its deletion was recorded, or this process made it and told nobody that it
// is stored. own is how many of the transfers on their way to a row are the
// caller's.
func (a *Archive) removeUnreferenced(ctx context.Context, key string, own int) error {
	_, err := a.unreferenced(ctx, key, own, a.o.Blobs.Delete)

	return err
}

// unreferenced takes a file away that no row names, and says whether it did.
// Transfers of other processes are not known here: looking and taking away is
// one transaction that may write, and so is looking and inserting a row (see
// present), so that a row without a file cannot come to be.
func (a *Archive) unreferenced(ctx context.Context, key string, own int, take func(context.Context, string) error) (done bool, err error) {
	ctx = context.WithoutCancel(ctx)
	a.flightMu.Lock()
	defer a.flightMu.Unlock()
	if a.flight[key] > own {
		return false, nil
	}

	err = a.o.DB.Write(ctx, func(tx *db.Tx) error {
		used, err := referenced(ctx, tx, []string{key})
		if err != nil || used[key] {
			return err
		}
		err = take(ctx, key)
		if errors.Is(err, blob.ErrNotFound) {
			return nil
		}
		done = err == nil

		return err
	})

	return done, err
}

// present makes sure that a file about to be named by a row is still there: a
// command beside the server may have removed it while no row named it.
func (a *Archive) present(ctx context.Context, ref InstanceRef) error {
	if a.replaying {
		return nil // of files that are gone too, rows are built to compare with
	}
	info, err := a.o.Blobs.Stat(ctx, ref.Digest)
	if errors.Is(err, blob.ErrNotFound) || err == nil && info.Size != ref.Size {
		return fault.New(fault.Unavailable, "archive: the file was removed on its way; send again")
	}
	return err
}

// referenced says which of some files a row names.
func (a *Archive) referenced(ctx context.Context, keys []string) (out map[string]bool, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = referenced(ctx, tx, keys)
		return err
	})
	return out, err
}

func referenced(ctx context.Context, tx *db.Tx, keys []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, key := range keys {
		var n int
		err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM instance WHERE digest = ?1 LIMIT 1) i)
			+ (SELECT COUNT(*) FROM (SELECT 1 FROM quarantine WHERE digest = ?1 LIMIT 1) q)`, key).Scan(&n)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out[key] = true
		}
	}
	return out, nil
}
