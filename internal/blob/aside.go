package blob

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"collimator/internal/durable"
)

// Aside is what was taken out of a store without being removed: blobs of which
// the index knows nothing. They are out of sight of the store, and wait for
// somebody to look. It is safe for concurrent use.
type Aside interface {
	// Put takes a blob out of the store. One that is not there is ErrNotFound.
	Put(ctx context.Context, key string) error
	// Return puts a blob back into the store.
	Return(ctx context.Context, key string) error
	// Open, Delete and List are as in Store.
	Open(ctx context.Context, key string) (Object, error)
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, after string) iter.Seq2[Info, error]
}

// asideDir is the directory of what was set aside, beside the fan-out.
const asideDir = "aside"

// Aside implements Store.
func (d *Dir) Aside() Aside { return dirAside{d} }

// dirAside keeps the blobs in one directory: there are few.
type dirAside struct{ d *Dir }

func (a dirAside) dir() string            { return filepath.Join(a.d.root, asideDir) }
func (a dirAside) path(key string) string { return filepath.Join(a.dir(), key) }

// Put implements Aside.
func (a dirAside) Put(_ context.Context, key string) error {
	if !ValidKey(key) {
		return errKey
	}
	if err := a.d.os.directory(a.dir()); err != nil {
		return storeFault(err, "blob: make directory")
	}

	return relocate(a.d.path(key), a.path(key))
}

// Return implements Aside.
func (a dirAside) Return(_ context.Context, key string) error {
	if !ValidKey(key) {
		return errKey
	}
	if err := a.d.ensure(key); err != nil {
		return storeFault(err, "blob: make directory")
	}

	return relocate(a.path(key), a.d.path(key))
}

// relocate moves a file that must not be lost on the way.
func relocate(from, to string) error {
	err := durable.Relocate(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}

	return storeFault(err, "blob: set aside")
}

// Open implements Aside.
func (a dirAside) Open(_ context.Context, key string) (Object, error) {
	if !ValidKey(key) {
		return nil, errKey
	}

	return openObject(a.path(key))
}

// Delete implements Aside.
func (a dirAside) Delete(_ context.Context, key string) error {
	if !ValidKey(key) {
		return errKey
	}

	return storeFault(durable.Remove(a.path(key)), "blob: delete")
}

// List implements Aside.
func (a dirAside) List(ctx context.Context, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) { listDirectory(ctx, a.dir(), after, yield) }
}

// Empty reports a directory in which OpenDir would find no blob, nor one set
// aside; also one that is not there. It makes nothing.
func Empty(root string) (bool, error) {
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}

	d := &Dir{root: root}
	for _, list := range []iter.Seq2[Info, error]{
		d.List(context.Background(), ""),
		d.Aside().List(context.Background(), ""),
	} {
		for _, err := range list {
			return false, err
		}
	}

	return true, nil
}

// openObject opens a file as a blob.
func openObject(path string) (Object, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, storeFault(err, "blob: open")
	}

	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(storeFault(err, "blob: open"), f.Close())
	}

	return &dirObject{File: f, size: info.Size()}, nil
}
