package backup

import (
	"context"
	"errors"
	"iter"
	"os"

	"collimator/internal/archive"
	"collimator/internal/db"
	"collimator/internal/durable"
)

// prune removes the oldest copies of the index, and then the files that none of
// those that are kept names.
func (m *making) prune(ctx context.Context) (err error) {
	copies, _, err := m.dir.Copies()
	if err != nil {
		return err
	}

	m.result.Kept = min(len(copies), m.source.Keep)
	for _, c := range copies[m.result.Kept:] {
		// The manifest first: half a copy must not look like one.
		if err := durable.Remove(m.dir.copyPath(c.Name, manifestFile)); err != nil {
			return err
		}

		if err := os.RemoveAll(m.dir.copyPath(c.Name)); err != nil {
			return err
		}
	}

	// A copy that cannot be opened ends this before anything is removed.
	var open []*db.DB
	defer func() {
		for _, c := range open {
			err = errors.Join(err, c.Close())
		}
	}()

	var named []iter.Seq2[archive.File, error]
	for _, c := range copies[:m.result.Kept] {
		d, err := db.OpenCopy(ctx, m.dir.copyPath(c.Name, indexFile))
		if err != nil {
			return err
		}
		open = append(open, d)
		named = append(named, archive.Files(ctx, d))
	}

	return m.removeUnnamed(ctx, named)
}

// removeUnnamed walks the files of the backup and the rows of all copies side by
// side: both are in order of digest, so that nothing is kept in memory.
func (m *making) removeUnnamed(ctx context.Context, named []iter.Seq2[archive.File, error]) error {
	var walks []*walk
	for _, seq := range named {
		w := newWalk(seq)
		defer w.stop()
		walks = append(walks, w)
	}

	for info, err := range m.to.List(ctx, "") {
		if err != nil {
			return err
		}

		used := false
		for _, w := range walks {
			has, err := w.reaches(info.Key)
			if err != nil {
				return err
			}
			used = used || has
		}

		if used {
			continue
		}

		if err := m.to.Delete(ctx, info.Key); err != nil {
			return err
		}
		m.result.Removed++
	}

	return nil
}

// walk goes over the files of one copy.
type walk struct {
	next func() (archive.File, error, bool)
	stop func()
	at   archive.File
	more bool
	err  error
}

func newWalk(seq iter.Seq2[archive.File, error]) *walk {
	w := &walk{}
	w.next, w.stop = iter.Pull2(seq)
	w.at, w.err, w.more = w.next()

	return w
}

// reaches reports that the copy names a file. Keys must come in order.
func (w *walk) reaches(key string) (bool, error) {
	for w.more && w.err == nil && w.at.Digest < key {
		w.at, w.err, w.more = w.next()
	}

	return w.more && w.at.Digest == key, w.err
}
