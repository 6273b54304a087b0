// Package durable makes files and directories that survive a power cut. POSIX
// promises for a file that was written and closed neither its content nor its
// name: the content needs an fsync of the file, the name one of the directory it
// stands in, and the name of a new directory one of its parent. Whoever keeps
// something that was acknowledged makes it here and nowhere else, which
// durable_test.go at the root of the repository holds everybody to.
//
// Under a final name there is the whole file or none: content goes into a file
// named .new-* in the same directory and takes its name when it is on disk. It
// knows nothing of what is stored.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Sync makes the names in a directory durable.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Directory makes a directory and every missing parent, for their owner alone
// (mode 0700), and returns when their names are durable. A directory that is
// there costs one fsync, of its parent: whoever made it may have been killed
// before its own. Where the parent may not be read, whoever may has seen to it.
func Directory(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)

	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "make directory", Path: dir, Err: errors.New("a file has this name")}
	case err == nil:
		if err := Sync(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}

	// From the top down: a name is worth nothing below one that can be lost.
	if err := Directory(parent); err != nil {
		return err
	}
	return Subdirectory(dir)
}

// Subdirectory makes a directory whose parent is known to be durable: one
// fsync. One that is there already is not an error.
func Subdirectory(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return Sync(filepath.Dir(dir))
}

// Remove takes a file away for good. One that is not there is no error.
func Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}

	return Sync(filepath.Dir(path))
}

// Move gives a file whose content is on disk its final name, and takes the place
// of what stands there. Both names are of one file system. After an error there
// is no file under a name that had none.
func Move(from, to string) error {
	_, missing := os.Lstat(to)
	if err := os.Rename(from, to); err != nil {
		return err
	}

	err := Sync(filepath.Dir(to))
	if err != nil && missing != nil {
		// Whether it survives a power cut is unknown: it must not look stored.
		err = errors.Join(err, os.Remove(to))
	}
	return err
}

// Relocate moves a file that is durable where it is, and whose content nobody
// else has. Its new name is made durable before the old one is given up, and
// no error makes it go: it stands under one of the names or both.
func Relocate(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}

	if err := Sync(filepath.Dir(to)); err != nil {
		return err
	}

	return Sync(filepath.Dir(from))
}

// Append opens a file to append to, and makes it, with a durable name and for
// its owner alone, where it is missing. What is written needs Sync.
func Append(path string) (*os.File, error) {
	_, missing := os.Stat(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil || missing == nil {
		return f, err
	}

	if err := Sync(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Exclusive makes a file that must not be there yet, for its owner alone. Its
// name is not durable: give it a final one with Move.
func Exclusive(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}
