package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Copy writes one state of the database into a new file in the place of what
// stands under path, and returns when it is durable. It is one step beside any
// load: others commit meanwhile and none of what they commit is in it. An error
// of kind Unavailable says, before anything is written, that there is not enough
// room.
func (d *DB) Copy(ctx context.Context, path string) error {
	if err := d.roomFor(path); err != nil {
		return err
	}

	f, err := durable.Create(filepath.Dir(path), 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "db: begin a copy")
	}
	defer f.Abort()

	if err := d.copyInto(ctx, f.Name()); err != nil {
		return err
	}

	return fault.Wrap(fault.Unavailable, f.Whole(path), "db: finish a copy")
}

// roomFor makes sure that a copy fits: it is as long as the file and its log at
// the most.
func (d *DB) roomFor(path string) error {
	free, err := durable.Free(filepath.Dir(path))
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "db: look for room for a copy")
	}

	info, err := os.Stat(d.path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "db: look for room for a copy")
	}

	if need := info.Size() + d.LogBytes(); free < need {
		return fault.Newf(fault.Unavailable, "db: a copy of %s needs %d bytes in %s, and %d are free: make room",
			filepath.Base(d.path), need, filepath.Dir(path), free)
	}

	return nil
}

// OpenCopy opens a file that Copy made, to be read only: nothing is made beside
// it and no migration is applied. Nobody may change the file meanwhile.
func OpenCopy(ctx context.Context, path string) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Wrap(fault.NotFound, err, "db: open copy")
		}

		return nil, fault.Wrap(fault.Unavailable, err, "db: open copy")
	}

	pool, err := openReader(path, 1)
	if err != nil {
		return nil, err
	}

	d := &DB{
		dialect: sqlite{},
		path:    path,
		writer:  make(chan *session),
		readers: newSessions(1),
		closed:  make(chan struct{}),
		pools:   []*sql.DB{pool},
		copied:  true,
	}
	d.readers.fresh <- newSession(pool, d.dialect, false, 0)

	if err := d.Ping(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}

	return d, nil
}

// errCopy is the answer to who writes to a copy.
var errCopy = fault.New(fault.Internal, "db: a copy is only read")

// Schema is the number of the newest migration that was applied; 0 for none.
func (d *DB) Schema(ctx context.Context) (newest int, err error) {
	err = d.Read(ctx, func(tx *Tx) error {
		newest, err = newestMigration(ctx, tx)
		return err
	})

	return newest, err
}

func newestMigration(ctx context.Context, tx *Tx) (newest int, err error) {
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_version`).Scan(&newest)

	return newest, err
}
