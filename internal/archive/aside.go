package archive

import (
	"context"
	"errors"
	"iter"
	"time"

	"collimator/internal/blob"
)

// What the index does not know is not removed, whatever the reason: the index
// may be the one that is wrong, because it is older than the files. Such files
// are set aside, where nothing shows them and nothing removes them, until
// somebody takes them in again (TakeIn) or looks and removes them.

// InProgress is how long a file may be on its way to a row.
const InProgress = time.Hour

// Unknown is what SetAside found.
type Unknown struct {
	SetAside int64 // files that no row names, now set aside
	Deleted  int64 // files that were deleted, whose removal a killed process left undone
}

// SetAside puts every file aside that no row names and that is older than
// before. One that the ledger says was deleted is removed, as it was to be; a nil
// fate knows nothing. Run it at the start, before anything is stored, with
// the time of the start; and later again with a time at which nothing that is
// on its way now was.
func (a *Archive) SetAside(ctx context.Context, before time.Time, fate Fate) (u Unknown, err error) {
	var keys []string
	for info, err := range a.orphans(ctx, before) {
		if err != nil {
			return u, err
		}
		keys = append(keys, info.Key)
	}

	for _, key := range keys {
		gone, err := a.wasDeleted(ctx, key, fate)
		if err != nil {
			return u, err
		}
		if err := a.putAside(ctx, key, before, gone, &u); err != nil {
			return u, err
		}
	}

	return u, nil
}

// wasDeleted asks the ledger about a file. Of one whose meta information cannot
// be read nobody knows.
func (a *Archive) wasDeleted(ctx context.Context, key string, fate Fate) (bool, error) {
	last, err := a.lastOf(ctx, Stranger{Digest: key}, fate)
	if errors.Is(err, blob.ErrNotFound) {
		return false, nil
	}

	return last.Removes(), err
}

// putAside decides about one file. Sent again meanwhile it is young, on its way,
// or has its row.
func (a *Archive) putAside(ctx context.Context, key string, before time.Time, deleted bool, u *Unknown) error {
	info, err := a.o.Blobs.Stat(ctx, key)
	if errors.Is(err, blob.ErrNotFound) || err == nil && !info.Time.Before(before) {
		return nil
	}
	if err != nil {
		return err
	}

	remove := a.o.Blobs.Aside().Put
	count := &u.SetAside
	if deleted {
		remove = a.o.Blobs.Delete
		count = &u.Deleted
	}
	done, err := a.unreferenced(ctx, key, 0, remove)
	if done {
		*count++
	}

	return err
}

// orphans yields the files older than before that no row names.
func (a *Archive) orphans(ctx context.Context, before time.Time) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		var batch []blob.Info
		flush := func() bool {
			used, err := a.referenced(ctx, keysOf(batch))
			if err != nil {
				yield(blob.Info{}, err)
				return false
			}
			for _, info := range batch {
				if !used[info.Key] && !yield(info, nil) {
					return false
				}
			}
			batch = batch[:0]

			return true
		}

		for info, err := range a.o.Blobs.List(ctx, "") {
			if err != nil {
				yield(blob.Info{}, err)
				return
			}
			if !info.Time.Before(before) {
				continue
			}
			batch = append(batch, info)
			if len(batch) == pageSize && !flush() {
				return
			}
		}
		flush()
	}
}

func keysOf(list []blob.Info) []string {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].Key
	}

	return keys
}
