package dbtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"collimator/internal/db"
)

// Open opens the database of a test, and makes it with Place where there is none.
func Open(ctx context.Context, path string) (*db.DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := Place(path); err != nil {
			return nil, err
		}
	}

	return db.Open(ctx, db.Options{Path: path})
}

// Place makes an empty database, as db.Open would. The migrations run once in a
// process and their outcome is copied: they are most of the time of a test that
// opens many databases.
func Place(path string) error {
	content, err := migrated()
	if err != nil {
		return err
	}

	return os.WriteFile(path, content, 0o600)
}

// migrated is the content of an empty database with the schema of this program.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "collimator-dbtest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	path := filepath.Join(dir, "empty.db")
	d, err := db.Open(context.Background(), db.Options{Path: path, Scratch: true})
	if err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil {
		return nil, err
	}

	return os.ReadFile(path)
})
